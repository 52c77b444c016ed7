/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS X-Ray's tracing header (https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html):
 *
 *   X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1
 *                           | time   96 random bits
 *                           '-- version
 *
 * In any order, with other parts between. Load balancers add one without a parent: no context.
 * Sampled is 1, 0, or "?" and missing, which leave the decision to the receiver.
 */
#include "span/context_internal.h"

#include <errno.h>

static bool set_root(struct bytes root, struct trace_context *context)
{
    struct bytes version = context_part(&root, '-'), time = context_part(&root, '-');

    return bytes_equal(version, BYTES_LITERAL("1")) && time.len == 8 && root.len == 24 &&
           context_hex(time, context->trace_id.bytes, 4) &&
           context_hex(root, context->trace_id.bytes + 4, 12);
}

int context_read_xray(const struct context_carrier *carrier, struct trace_context *ret_context)
{
    struct bytes rest = carrier->values[CONTEXT_XRAY];
    struct trace_context context = {.name = CONTEXT_XRAY, .flags = CONTEXT_FLAG_SAMPLED};
    struct bytes root = BYTES_NULL, parent = BYTES_NULL;

    if (!rest.ptr)
        return -ENOENT;
    while (rest.len) {
        struct bytes value = bytes_trim(context_part(&rest, ';'));
        struct bytes key = context_part(&value, '=');

        if (bytes_equal_nocase(key, BYTES_LITERAL("Root")))
            root = value;
        else if (bytes_equal_nocase(key, BYTES_LITERAL("Parent")))
            parent = value;
        else if (bytes_equal_nocase(key, BYTES_LITERAL("Sampled")))
            context.flags = bytes_equal(value, BYTES_LITERAL("0")) ? 0 : CONTEXT_FLAG_SAMPLED;
    }
    if (!set_root(root, &context))
        return -EINVAL;
    if (!parent.ptr)
        return -ENOENT;
    if (parent.len != 16 || !context_hex(parent, context.span_id.bytes, 8) ||
        !context_is_valid(&context))
        return -EINVAL;
    *ret_context = context;
    return 0;
}
