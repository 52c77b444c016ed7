/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a SQL text does, in short: db.query.summary (OpenTelemetry semantic conventions for
 * databases, "Generating a summary of the query text").
 *
 *   INSERT INTO shipping SELECT id FROM orders o     "INSERT shipping SELECT orders"
 *
 * Operations and their targets, in their order and as they are written. Names of common table
 * expressions count as targets; functions, aliases and roles do not.
 */
#pragma once

#include "protocols/sql/token.h"

#define SQL_SUMMARY_MAX 255 /* bytes; the first word that does not fit ends it */

struct sql_summary {
    struct bytes text;       /* empty: no operation was recognized */
    struct bytes operation;  /* the only one, or empty */
    struct bytes collection; /* the only table, or empty */
};

/* The strings of the result lie in `out`, which has SQL_SUMMARY_MAX bytes. */
void sql_summarize(struct bytes sql, enum sql_dialect dialect, uint8_t *out,
                   struct sql_summary *ret_summary);
