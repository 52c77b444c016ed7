/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the context parsers of this room share. Each takes the carrier and returns 0 with a context,
 * -ENOENT where its names say nothing of a parent, or -EINVAL.
 */
#pragma once

#include "span/context.h"

typedef int context_parser(const struct context_carrier *carrier,
                           struct trace_context *ret_context);

context_parser context_read_traceparent;
context_parser context_read_b3;
context_parser context_read_b3_multi;
context_parser context_read_jaeger;
context_parser context_read_datadog;
context_parser context_read_skywalking;
context_parser context_read_xray;
context_parser context_read_grpc_trace_bin;

/* Does the format, without naming a parent, say that the trace shall not be sampled? */
bool context_b3_denies(const struct context_carrier *carrier);
bool context_xray_denies(const struct context_carrier *carrier);

/* 1 to 2 * len hex digits of either case, as the low bytes of `out`. False: anything else. */
bool context_hex(struct bytes hex, uint8_t *out, size_t len);

/*
 * Base64 (RFC 4648, section 4), with or without padding. Writes at most `size` bytes to `out`.
 * False: not base64, or longer.
 */
bool context_base64(struct bytes text, uint8_t *out, size_t size, size_t *ret_len);

/* The bytes before the next `c`, or all that is left; both are then passed over. */
struct bytes context_part(struct bytes *rest, uint8_t c);

static inline void context_be64(uint64_t value, uint8_t out[8])
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (56 - 8 * i));
}

static inline bool context_is_valid(const struct trace_context *context)
{
    return !trace_id_is_zero(&context->trace_id) && !span_id_is_zero(&context->span_id);
}
