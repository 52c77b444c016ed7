/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gRPC, which is a use of HTTP (gRPC over HTTP2, PROTOCOL-HTTP2.md), and gRPC-Web, which does with
 * less of it (PROTOCOL-WEB.md). What both versions of HTTP share:
 *
 *   HEADERS   :path /shop.Orders/Get, content-type application/grpc, grpc-timeout 1S
 *   DATA      messages, each with five bytes in front (grpc_body.h)
 *   HEADERS   grpc-status 0: trailers, or the whole response ("trailers only")
 *
 *   POST /shop.Orders/Get        content-type application/grpc-web, -text where the body is base64
 *   [messages]
 *   200 OK                       ... or grpc-status here: trailers only
 *   [messages][trailers]         the trailers are the body's last
 */
#pragma once

#include "protocols/protocol.h"

/* Beside the fields of HTTP/1, whose names keep their meaning, and of HTTP/2. */
enum grpc_field {
    GRPC_FIELD_CONTENT_TYPE = FIELD_PROTOCOL + 16, /* of gRPC's only */
    GRPC_FIELD_STATUS,                             /* decimal digits */
    GRPC_FIELD_TIMEOUT,                            /* as it was sent: "1S", "250m" */
    GRPC_FIELD_REQUESTS,                           /* messages of the client, big endian */
    GRPC_FIELD_RESPONSES,                          /* ... of the server */
};

/*
 * May the value of a Content-Type be GRPC_FIELD_CONTENT_TYPE? Most others differ in the letter that
 * is looked at first: every message of HTTP is asked.
 */
static inline bool grpc_is_content_type(struct bytes value)
{
    const struct bytes begin = BYTES_LITERAL("application/grpc");
    const size_t telling = begin.len - 4;

    return value.len >= begin.len && (value.ptr[telling] | 0x20) == 'g' &&
           bytes_equal_nocase(bytes_slice(value, 0, begin.len), begin);
}

/* `response` may be NULL. */
bool grpc_is_call(const struct message *request, const struct message *response);

void grpc_describe(const struct message *request, const struct message *response,
                   struct span *span);
