/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the context formats share: a message's names and values, read at once. */
#pragma once

#include "span/context.h"

struct header {
    const char *name;
    const char *value;
};

/* The context of these headers (the last has no name), and in ret_invalid how many were invalid. */
bool read_headers(const struct header *headers, struct trace_context *ret_context,
                  unsigned *ret_invalid);

/* Fails unless one header alone gives this context: hex ids, flags. */
void assert_gives(const char *name, const char *value, const char *trace_id, const char *span_id,
                  unsigned flags);

/* The same of several headers. */
void assert_all_give(const struct header *headers, const char *trace_id, const char *span_id,
                     unsigned flags);

/* Fails unless one header alone is counted as an invalid context. */
void assert_invalid(const char *name, const char *value);

/* Fails unless one header alone is no context, and not an invalid one either. */
void assert_silent(const char *name, const char *value);
