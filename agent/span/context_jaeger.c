/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jaeger's own header (jaegertracing.io, client libraries, propagation format):
 *
 *   uber-trace-id: 4bf92f3577b34da6a3ce929d0e0e4736:f067aa0ba902b7:0:1
 *                  trace id                        span id       |  '-- flags, hex: bit 0 sampled
 *                                                                '-- its parent, deprecated
 *
 * Leading zeros may be missing, and the colons may be in percent encoding.
 */
#include "span/context_internal.h"

#include <errno.h>

/* Up to the next ":" or "%3A". */
static struct bytes take_part(struct bytes *rest)
{
    size_t n = bytes_find(*rest, '%');

    if (n == SIZE_MAX || bytes_find(bytes_slice(*rest, 0, n), ':') != SIZE_MAX)
        return context_part(rest, ':');
    if (!bytes_equal_nocase(bytes_slice(*rest, n, 3), BYTES_LITERAL("%3a")))
        return BYTES_NULL;
    struct bytes part = bytes_slice(*rest, 0, n);
    *rest = bytes_skip(*rest, n + 3);
    return part;
}

int context_read_jaeger(const struct context_carrier *carrier, struct trace_context *ret_context)
{
    struct bytes rest = carrier->values[CONTEXT_JAEGER];
    struct trace_context context = {.name = CONTEXT_JAEGER};
    struct bytes parent;
    uint8_t ignored[8];

    if (!rest.ptr)
        return -ENOENT;
    if (!context_hex(take_part(&rest), context.trace_id.bytes, 16) ||
        !context_hex(take_part(&rest), context.span_id.bytes, 8))
        return -EINVAL;
    parent = take_part(&rest);
    if ((parent.len && !context_hex(parent, ignored, sizeof(ignored))) ||
        !context_hex(rest, &context.flags, 1) || !context_is_valid(&context))
        return -EINVAL;
    context.flags &= CONTEXT_FLAG_SAMPLED;
    *ret_context = context;
    return 0;
}
