/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A body that consists of messages (PROTOCOL-HTTP2.md, "Length-Prefixed-Message"; PROTOCOL-WEB.md):
 *
 *   [flags:1][length:4][message] [flags][length][message] ... [0x80][length][grpc-status:0 CR LF ..]
 *   seen               passed                                 seen: the trailers of gRPC-Web
 *
 * As text all of it is base64, in one piece or in several, each with its padding; then every byte
 * must be seen. Trailers that are compressed (0x81) are read where they lie in one piece, which they
 * do but for a chunk's or a frame's end in them, and are short. What turns out not to be of this
 * form (compressed as a whole, say) is LOST: neither counted nor read.
 */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"

struct message;

enum grpc_body_kind {
    GRPC_BODY_OTHER, /* no messages, or not begun */
    GRPC_BODY_MESSAGES,
    GRPC_BODY_WEB,
    GRPC_BODY_WEB_TEXT,
    GRPC_BODY_LOST, /* a part was missed: nothing is known */
};

/* All zero: not begun. */
struct grpc_body {
    uint32_t left; /* bytes of the message in hand, or its length as far as it was read */
    uint32_t n_messages : 29;
    uint32_t prefix : 3; /* of the five bytes, so many were read */
    uint8_t kind;        /* enum grpc_body_kind */
    uint8_t flags;       /* of the message in hand */
    uint8_t matched;     /* of a trailer line: see grpc_body.c */
    uint8_t sextets;     /* of the four characters of base64, so many were read */
    uint8_t carry;       /* their bits that make no byte yet */
    uint16_t status;     /* one more than grpc-status; 0: not read */
};

/* By the value of Content-Type, which is empty where the header is missing. */
enum grpc_body_kind grpc_body_kind_of(struct bytes content_type);

/*
 * So many of the next bytes must be seen, at once; 0: nobody needs to see them. The chunk or frame
 * has `left` bytes more.
 */
size_t grpc_body_need(struct grpc_body *body, uint64_t left);

/* Passes over such bytes, at most `left`; returns their number. */
uint64_t grpc_body_pass(struct grpc_body *body, uint64_t left);

/* Reads bytes that must be seen, as many as were needed at least; returns their number. */
size_t grpc_body_read(struct grpc_body *body, struct bytes data, const struct arena *scratch);

/*
 * What the bodies have told, as fields whose values lie in `scratch`: the numbers of messages that
 * are known, and the status that the server's trailers have. Either body may be NULL.
 */
void grpc_body_tell(const struct grpc_body *client, const struct grpc_body *server,
                    struct arena *scratch, struct message *message);
