/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS X-Ray's tracing header (https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html):
 *
 *   X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1
 *                           | time   96 random bits
 *                           '-- version
 *
 * In any order, with other parts between. Load balancers add one without a parent: no context, but
 * its "Sampled=0" counts. Sampled is 1, 0, or "?" and missing, which leave it to the receiver.
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

struct parts {
    struct bytes root, parent, sampled;
};

static struct parts read_parts(struct bytes rest)
{
    struct parts parts = {0};

    while (rest.len) {
        struct bytes value = bytes_trim(context_part(&rest, ';'));
        struct bytes key = context_part(&value, '=');

        if (bytes_equal_nocase(key, BYTES_LITERAL("Root")))
            parts.root = value;
        else if (bytes_equal_nocase(key, BYTES_LITERAL("Parent")))
            parts.parent = value;
        else if (bytes_equal_nocase(key, BYTES_LITERAL("Sampled")))
            parts.sampled = value;
    }
    return parts;
}

int context_read_xray(const struct context_carrier *carrier, struct trace_context *ret_context)
{
    struct bytes value = carrier->values[CONTEXT_XRAY];
    struct trace_context context = {.name = CONTEXT_XRAY};
    struct parts parts = read_parts(value);

    if (!value.ptr)
        return -ENOENT;
    if (!set_root(parts.root, &context))
        return -EINVAL;
    if (!parts.parent.ptr)
        return -ENOENT;
    if (parts.parent.len != 16 || !context_hex(parts.parent, context.span_id.bytes, 8) ||
        !context_is_valid(&context))
        return -EINVAL;
    context.flags = bytes_equal(parts.sampled, BYTES_LITERAL("0")) ? 0 : CONTEXT_FLAG_SAMPLED;
    *ret_context = context;
    return 0;
}

bool context_xray_denies(const struct context_carrier *carrier)
{
    struct trace_context context;
    struct parts parts = read_parts(carrier->values[CONTEXT_XRAY]);

    return !(carrier->repeated & 1u << CONTEXT_XRAY) && !parts.parent.ptr &&
           bytes_equal(parts.sampled, BYTES_LITERAL("0")) && set_root(parts.root, &context);
}
