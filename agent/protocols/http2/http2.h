/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/2 (RFC 9113), in clear text: by prior knowledge, or behind an upgrade. What the files of
 * this folder share.
 *
 *   frame     nine bytes and their rules      parse     frames -> messages
 *   hpack     compressed header fields        block     a header block -> the fields of a message
 *   names     the few that are kept           stream    what is known of open streams
 *   sync      probe and resync                describe  messages -> span attributes
 *
 * A stream is an exchange, its id the message's:
 *
 *   client  [HEADERS 1] [DATA 1 ....] [HEADERS 3, ends] [DATA 1, ends]
 *            request 1    skipped      request 3         end of request 1
 *   server                              [HEADERS 3] [DATA 3, ends] [HEADERS 1] [HEADERS 1, ends]
 *                                       response 3   its end       response 1   trailers: its end
 */
#pragma once

#include "protocols/http2/frame.h"
#include "protocols/http2/hpack.h"
#include "protocols/http2/names.h"
#include "protocols/protocol.h"

#define HTTP2_PREFACE BYTES_LITERAL("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
#define HTTP2_STREAMS 128 /* open ones; more are followed with less knowledge */
#define HTTP2_TRUST 3     /* so many plausible frames in a row, and frames may be unusual */

/* How far the messages in a stream's body are counted: five bytes in front of each. */
struct http2_progress {
    uint32_t left; /* bytes of the message in hand, or its length as far as it was read */
    uint32_t n_messages : 29;
    uint32_t prefix : 3; /* of the five bytes, so many were read */
};

struct http2_stream {
    uint32_t id; /* 0: none */
    bool responded; /* its response's head was seen */
    bool counted;   /* its body consists of messages, and none was missed */
    struct http2_progress progress[2]; /* by enum sender */
};

struct http2_direction {
    struct hpack_table table;
    uint32_t last_stream; /* the highest that HEADERS opened */
    uint32_t data_stream; /* of the DATA frame in hand, with its bytes still to come */
    uint32_t data_left;
    uint8_t data_padding; /* bytes behind them */
    bool data_ends;
    bool in_data;
    uint8_t n_frames; /* seen in a row, up to HTTP2_TRUST */
};

struct http2_state {
    struct http2_direction directions[2]; /* by enum sender */
    struct http2_stream streams[HTTP2_STREAMS];
};

extern const struct protocol http2_protocol;

enum probe_result http2_probe(struct bytes data, enum delivery delivery);
struct parse_result http2_parse(void *state, const struct parse_input *input,
                                struct message *ret_message);
size_t http2_resync(void *state, const struct parse_input *input);
void http2_describe(const struct message *request, const struct message *response,
                    struct span *span);

/* ---- block.c --------------------------------------------------------------------------------- */

/* What a header block says; `message` has its fields and code. */
struct http2_block {
    bool has_request; /* a pseudo-header field of requests */
    bool has_method;
    bool has_status;
    bool unknown;   /* a field was not known: any could be missing */
    bool misplaced; /* a pseudo-header field came twice, or late */
    struct message message;
};

/*
 * Reads a whole block, or, with `cut`, its beginning. False where it breaks the RFC; the table is
 * then of no use.
 */
bool http2_read_block(struct hpack_table *table, struct bytes block, bool cut,
                      struct arena *scratch, struct http2_block *ret_block);

/* ---- stream.c: NULL where younger streams have taken all places ------------------------------ */

struct http2_stream *http2_stream_find(struct http2_state *http2, uint32_t id);
struct http2_stream *http2_stream_open(struct http2_state *http2, uint32_t id);
/* It is over; its counts, if they are known, become a field of the message. */
void http2_stream_close(struct http2_state *http2, uint32_t id, struct arena *scratch,
                        struct message *message);
/* Parts of bodies were missed: nothing is counted any more on the streams that have begun. */
void http2_streams_uncount(struct http2_state *http2, enum sender sender);

/* How many of the body's next `left` bytes must be seen: 0, or the rest of a message's prefix. */
size_t http2_progress_need(const struct http2_progress *progress, uint32_t left);
void http2_progress_read(struct http2_progress *progress, struct bytes prefix);
/* Passes over bytes of the message in hand, at most `left`; returns their number. */
uint32_t http2_progress_pass(struct http2_progress *progress, uint32_t left);
