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

#include "protocols/http/grpc_body.h"
#include "protocols/http2/frame.h"
#include "protocols/http2/hpack.h"
#include "protocols/http2/names.h"
#include "protocols/protocol.h"

#define HTTP2_PREFACE BYTES_LITERAL("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
#define HTTP2_STREAMS 128 /* open ones; more are followed with less knowledge */
#define HTTP2_TRUST 3     /* so many plausible frames in a row, and frames may be unusual */

struct http2_stream {
    uint32_t id; /* 0: none */
    bool responded; /* its response's head was seen */
    bool is_call;   /* of gRPC: its end tells what the bodies told */
    struct grpc_body bodies[2]; /* by enum sender */
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
/* It is over; what its bodies have told becomes fields of the message. */
void http2_stream_close(struct http2_state *http2, uint32_t id, struct arena *scratch,
                        struct message *message);
/* Parts of the sender's bodies were missed: nothing is known of those that may have begun. */
void http2_streams_lose(struct http2_state *http2, enum sender sender);
