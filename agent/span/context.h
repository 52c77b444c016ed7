/* SPDX-License-Identifier: Apache-2.0 */
/* Trace contexts as programs carry them on the wire: pure parsers, one per format. */
#pragma once

#include "span/span.h"

struct trace_context {
    struct trace_id trace_id;
    struct span_id span_id;
    uint8_t flags; /* bit 0: sampled */
};

/*
 * W3C Trace Context, section 3.2 (traceparent): version-traceid-parentid-flags, lowercase hex.
 * Versions above 00 may be longer. Returns 0 or -EINVAL.
 */
int context_parse_traceparent(struct bytes text, struct trace_context *ret_context);
