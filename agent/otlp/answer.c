/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is answered to an export: ExportTraceServiceResponse (trace_service.proto), and
 * google.rpc.Status (status.proto), which OTLP/HTTP asks for with every error, each in protobuf or
 * JSON.
 */
#include "otlp/intake.h"

#include "otlp/wire.h"

#include <errno.h>
#include <inttypes.h>

static void append_varint(struct buffer *buffer, unsigned number, uint64_t value)
{
    uint8_t bytes[1 + WIRE_VARINT_MAX] = {(uint8_t)(number << 3 | WIRE_TYPE_VARINT)};

    buffer_append(buffer, bytes, (size_t)(wire_put_varint(bytes + 1, value) - bytes));
}

static void append_text(struct buffer *buffer, unsigned number, struct bytes text)
{
    uint8_t head[1 + WIRE_VARINT_MAX];

    buffer_append(buffer, head, (size_t)(wire_put_head(head, number, text.len) - head));
    buffer_append_bytes(buffer, text);
}

/* The reasons are the program's own: no character of them needs to be escaped. */
int otlp_encode_response(const struct otlp_intake *intake, bool json, struct buffer *buffer)
{
    _cleanup_(buffer_done) struct buffer partial = buffer_make(1024);

    if (json && intake->rejected)
        buffer_printf(buffer, "{\"partialSuccess\":{\"rejectedSpans\":\"%" PRIu64 "\","
                      "\"errorMessage\":\"%s\"}}", intake->rejected, intake->reason);
    else if (json)
        buffer_printf(buffer, "{}");
    else if (intake->rejected) {
        append_varint(&partial, 1, intake->rejected);
        append_text(&partial, 2, bytes_from_string(intake->reason));
        append_text(buffer, 1, buffer_bytes(&partial));
    }
    return buffer->failed ? -ENOBUFS : 0;
}

int otlp_encode_status(unsigned code, const char *message, bool json, struct buffer *buffer)
{
    if (json) {
        buffer_printf(buffer, "{\"code\":%u,\"message\":\"%s\"}", code, message);
    } else {
        append_varint(buffer, 1, code);
        append_text(buffer, 2, bytes_from_string(message));
    }
    return buffer->failed ? -ENOBUFS : 0;
}
