/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenCensus' binary trace context (opencensus-specs, encodings/BinaryEncoding.md), which gRPC
 * carries as grpc-trace-bin, in base64:
 *
 *   0 | 0 trace id (16 bytes) | 1 span id (8 bytes) | 2 options (1 byte: bit 0 sampled)
 *   '-- version   each field begins with its number; in this order; options may be missing
 */
#include "span/context_internal.h"

#include <errno.h>

#define BINARY_MAX 64

static void take(struct reader *reader, uint8_t number, uint8_t *out, size_t len)
{
    struct bytes value;

    if (reader_u8(reader) != number)
        reader->failed = true;
    value = reader_take(reader, len);
    if (value.len == len)
        memcpy(out, value.ptr, len);
}

int context_read_grpc_trace_bin(const struct context_carrier *carrier,
                                struct trace_context *ret_context)
{
    struct bytes text = carrier->values[CONTEXT_GRPC_TRACE_BIN];
    struct trace_context context = {.name = CONTEXT_GRPC_TRACE_BIN};
    uint8_t binary[BINARY_MAX];
    struct reader reader;
    size_t len;

    if (!text.ptr)
        return -ENOENT;
    if (!context_base64(text, binary, sizeof(binary), &len))
        return -EINVAL;
    reader = reader_make(bytes_make(binary, len));
    if (reader_u8(&reader) != 0)
        return -EINVAL;
    take(&reader, 0, context.trace_id.bytes, 16);
    take(&reader, 1, context.span_id.bytes, 8);
    if (reader_left(&reader))
        take(&reader, 2, &context.flags, 1);
    if (reader.failed || !context_is_valid(&context))
        return -EINVAL;
    context.flags &= CONTEXT_FLAG_SAMPLED;
    *ret_context = context;
    return 0;
}
