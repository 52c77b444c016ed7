/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL without its literals: what db.query.text may say (OpenTelemetry semantic conventions for
 * databases, "Sanitization of db.query.text").
 *
 *   select * from t where a='x' and b in (1, 2,3) -- c     select * from t where a=? and b in (?)
 */
#pragma once

#include "protocols/sql/token.h"

/*
 * Literals become "?", comments and white space one blank, lists of literals and parameters behind
 * IN "(?)". Parameters stay. The result is never longer than `sql`, which may be cut anywhere: no
 * byte of a literal passes. What does not fit into the `size` bytes at `out` is left out.
 */
struct bytes sql_mask(struct bytes sql, enum sql_dialect dialect, uint8_t *out, size_t size);
