/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gRPC, which is a use of HTTP/2 (gRPC over HTTP2, PROTOCOL-HTTP2.md):
 *
 *   HEADERS   :path /shop.Orders/Get, content-type application/grpc, grpc-timeout 1S
 *   DATA      messages, each with five bytes in front
 *   HEADERS   grpc-status 0: trailers, or the whole response ("trailers only")
 */
#pragma once

#include "protocols/protocol.h"

/* `response` may be NULL. */
bool grpc_is_call(const struct message *request, const struct message *response);

void grpc_describe(const struct message *request, const struct message *response,
                   struct span *span);
