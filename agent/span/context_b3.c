/* SPDX-License-Identifier: Apache-2.0 */
/*
 * B3 (https://github.com/openzipkin/b3-propagation), in one header or in several:
 *
 *   b3: 80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90
 *       trace id, 32 or 16 digits        span id          |  its parent, not needed
 *                                                         '-- 1 yes, 0 no, d debug; may be missing
 *   X-B3-TraceId, X-B3-SpanId, X-B3-Sampled (1, 0, also true, false), X-B3-Flags (1: debug)
 *
 * Without a decision the receiver decides: sampled. "b3: 0" alone names no parent: the receiver
 * begins the trace, which is not sampled.
 */
#include "span/context_internal.h"

#include <errno.h>

static int set_ids(struct bytes trace_id, struct bytes span_id, struct trace_context *context)
{
    if ((trace_id.len != 32 && trace_id.len != 16) || span_id.len != 16 ||
        !context_hex(trace_id, context->trace_id.bytes, 16) ||
        !context_hex(span_id, context->span_id.bytes, 8) || !context_is_valid(context))
        return -EINVAL;
    return 0;
}

/* Empty: deferred. */
static int set_sampled(struct bytes state, struct trace_context *context)
{
    if (state.len == 0 || bytes_equal(state, BYTES_LITERAL("1")) ||
        bytes_equal(state, BYTES_LITERAL("d")) ||
        bytes_equal_nocase(state, BYTES_LITERAL("true"))) {
        context->flags = CONTEXT_FLAG_SAMPLED;
        return 0;
    }
    return bytes_equal(state, BYTES_LITERAL("0")) ||
                   bytes_equal_nocase(state, BYTES_LITERAL("false"))
               ? 0
               : -EINVAL;
}

int context_read_b3(const struct context_carrier *carrier, struct trace_context *ret_context)
{
    struct bytes rest = carrier->values[CONTEXT_B3];
    struct bytes trace_id = context_part(&rest, '-'), span_id = context_part(&rest, '-');
    struct bytes state = context_part(&rest, '-');
    struct trace_context context = {.name = CONTEXT_B3};
    uint8_t parent[8];
    int r;

    if (!trace_id.ptr)
        return -ENOENT;
    if (!span_id.ptr)
        return set_sampled(trace_id, &context) == 0 && trace_id.len ? -ENOENT : -EINVAL;
    if (rest.ptr && !context_hex(rest, parent, sizeof(parent)))
        return -EINVAL;
    r = set_sampled(state, &context);
    if (r == 0)
        r = set_ids(trace_id, span_id, &context);
    if (r == 0)
        *ret_context = context;
    return r;
}

int context_read_b3_multi(const struct context_carrier *carrier,
                          struct trace_context *ret_context)
{
    static const uint32_t names = 1u << CONTEXT_B3_TRACE_ID | 1u << CONTEXT_B3_SPAN_ID |
                                  1u << CONTEXT_B3_SAMPLED | 1u << CONTEXT_B3_FLAGS;
    struct trace_context context = {.name = CONTEXT_B3_TRACE_ID};
    int r;

    if (!carrier->values[CONTEXT_B3_TRACE_ID].ptr && !carrier->values[CONTEXT_B3_SPAN_ID].ptr)
        return -ENOENT;
    if (carrier->repeated & names)
        return -EINVAL;
    r = set_sampled(carrier->values[CONTEXT_B3_SAMPLED], &context);
    if (r == 0)
        r = set_ids(carrier->values[CONTEXT_B3_TRACE_ID], carrier->values[CONTEXT_B3_SPAN_ID],
                    &context);
    if (r < 0)
        return r;
    if (bytes_equal(carrier->values[CONTEXT_B3_FLAGS], BYTES_LITERAL("1")))
        context.flags = CONTEXT_FLAG_SAMPLED;
    *ret_context = context;
    return 0;
}

bool context_b3_denies(const struct context_carrier *carrier)
{
    static const uint32_t names = 1u << CONTEXT_B3 | 1u << CONTEXT_B3_SAMPLED |
                                  1u << CONTEXT_B3_FLAGS;
    struct trace_context context = {0};
    struct bytes state = carrier->values[CONTEXT_B3];

    if (carrier->repeated & names)
        return false;
    if (!state.ptr) {
        if (carrier->values[CONTEXT_B3_TRACE_ID].ptr || carrier->values[CONTEXT_B3_SPAN_ID].ptr ||
            bytes_equal(carrier->values[CONTEXT_B3_FLAGS], BYTES_LITERAL("1")))
            return false;
        state = carrier->values[CONTEXT_B3_SAMPLED];
    }
    return state.len && set_sampled(state, &context) == 0 && context.flags == 0;
}
