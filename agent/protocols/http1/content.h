/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies that are looked at: those of gRPC-Web, whose messages are counted and whose trailers stand
 * in the body (http/grpc_body.h). All others are skipped. Where a part was lost the rest is skipped
 * too, since the framing says how long it is.
 */
#pragma once

#include "protocols/http1/http1.h"

/* A body begins whose head has this Content-Type, or none. */
void content_begin(struct http1_state *http1, enum sender sender, struct bytes content_type);

/* Are the body's next bytes of interest? */
static inline bool content_is_read(const struct http1_state *http1, enum sender sender)
{
    uint8_t kind = http1->bodies[sender].kind;

    return kind != GRPC_BODY_OTHER && kind != GRPC_BODY_LOST;
}

/* The body is over, or has none: what it told becomes fields of the message. */
void content_tell(const struct http1_state *http1, enum sender sender, struct arena *scratch,
                  struct message *message);

/* In the phases CHUNK_BODY and SIZED. */
struct parse_result content_parse(struct http1_state *http1, const struct parse_input *input,
                                  struct message *ret_message);
