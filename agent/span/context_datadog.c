/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datadog's headers:
 *
 *   x-datadog-trace-id: 1234567890123456789           decimal, the low 64 bits
 *   x-datadog-parent-id: 987654321
 *   x-datadog-sampling-priority: 1                    1, 2 keep; 0, -1 drop; missing: undecided
 *   x-datadog-tags: _dd.p.tid=640cfd8d00000000,...    the high 64 bits, 16 hex digits
 *
 * A `_dd.p.tid` that is none is passed over, as Datadog's tracers do: the trace id then has 64
 * bits.
 */
#include "span/context_internal.h"

#include <errno.h>

static void set_high_half(struct bytes tags, struct trace_context *context)
{
    while (tags.len) {
        struct bytes value = bytes_trim(context_part(&tags, ','));
        struct bytes key = context_part(&value, '=');
        uint8_t high[8];

        if (!bytes_equal(key, BYTES_LITERAL("_dd.p.tid")))
            continue;
        if (value.len == 16 && context_hex(value, high, sizeof(high)))
            memcpy(context->trace_id.bytes, high, sizeof(high));
        return;
    }
}

static bool set_sampled(struct bytes priority, struct trace_context *context)
{
    bool negative = priority.len && priority.ptr[0] == '-';
    uint64_t number = 1;

    if (priority.ptr && bytes_parse_u64(bytes_skip(priority, negative), &number) < 0)
        return false;
    context->flags = number > 0 && !negative ? CONTEXT_FLAG_SAMPLED : 0;
    return true;
}

int context_read_datadog(const struct context_carrier *carrier, struct trace_context *ret_context)
{
    static const uint32_t names = 1u << CONTEXT_DATADOG_TRACE_ID |
                                  1u << CONTEXT_DATADOG_PARENT_ID |
                                  1u << CONTEXT_DATADOG_PRIORITY | 1u << CONTEXT_DATADOG_TAGS;
    struct trace_context context = {.name = CONTEXT_DATADOG_TRACE_ID};
    uint64_t trace_id, parent_id;

    if (!carrier->values[CONTEXT_DATADOG_TRACE_ID].ptr)
        return -ENOENT;
    if ((carrier->repeated & names) ||
        bytes_parse_u64(carrier->values[CONTEXT_DATADOG_TRACE_ID], &trace_id) < 0 ||
        bytes_parse_u64(carrier->values[CONTEXT_DATADOG_PARENT_ID], &parent_id) < 0 ||
        !set_sampled(carrier->values[CONTEXT_DATADOG_PRIORITY], &context))
        return -EINVAL;
    context_be64(trace_id, context.trace_id.bytes + 8);
    context_be64(parent_id, context.span_id.bytes);
    if (!context_is_valid(&context))
        return -EINVAL;
    set_high_half(carrier->values[CONTEXT_DATADOG_TAGS], &context);
    *ret_context = context;
    return 0;
}
