/* SPDX-License-Identifier: Apache-2.0 */
/* Frames put together for tests, and a parser that is fed with them. */
#pragma once

#include "protocols/http2/http2.h"

#define WIRE_SIZE 65536

struct wire {
    size_t len;
    uint8_t bytes[WIRE_SIZE];
};

/* Appends a frame, or raw bytes. */
void wire_frame(struct wire *wire, enum frame_type type, unsigned flags, uint32_t stream,
                struct bytes payload);
void wire_raw(struct wire *wire, struct bytes bytes);

#define MESSAGES_MAX 64

/* One parser, and the messages of the last feeding. */
struct feeder {
    struct http2_state state;
    unsigned n;
    struct message messages[MESSAGES_MAX];
    enum parse_status end; /* of the last step */
    size_t used;           /* of all steps, skipped bytes included */
    uint8_t memory[16 * SCRATCH_SIZE];
    size_t memory_used;
};

/* Parses from the wire's start until MORE, BAD or its end, and empties the wire. */
void feeder_feed(struct feeder *feeder, enum sender sender, struct wire *wire, bool cut);

/* The block of a GET of "/a", and that of a 200, as curl and nghttpd write them. */
#define REQUEST_BLOCK BYTES_LITERAL("\x82\x86\x41\x04shop\x44\x02/a")
#define RESPONSE_BLOCK BYTES_LITERAL("\x88")
