/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.0 and 1.1 (RFC 9112, RFC 9110): what the files of this folder share.
 *
 *   start_line  the first line           header    the lines behind it
 *   parse       framing of messages      sync      probe and resync
 *   url, route  the target's parts       describe  messages -> span attributes
 */
#pragma once

#include "protocols/protocol.h"

#define HTTP1_HEAD_MAX 65536 /* start line and headers; also the trailers */
#define HTTP1_CHUNK_LINE_MAX 4096

enum http1_field {
    HTTP1_FIELD_METHOD = FIELD_PROTOCOL,
    HTTP1_FIELD_TARGET,
    HTTP1_FIELD_VERSION, /* "1.1"; missing where the start line was cut */
    HTTP1_FIELD_HOST,
    HTTP1_FIELD_USER_AGENT,
    HTTP1_FIELD_BODY_SIZE, /* decimal digits, only where Content-Length frames the body */
};

/*
 * What the sender's next bytes are. Chunked bodies (RFC 9112, section 7.1):
 *
 *   [head] [5 CR LF] hello CR LF [6 CR LF] world! CR LF [0 CR LF] [trailers CR LF]
 *   START  CHUNK     (skipped)   CHUNK     (skipped)    CHUNK     TRAILER
 */
enum http1_phase { HTTP1_START, HTTP1_CHUNK, HTTP1_TRAILER };

/*
 * The parser's state on a connection. How a response is framed depends on its request's method:
 * requests without response yet are counted, oldest first, and two bits are kept of each.
 */
struct http1_state {
    enum http1_phase phases[2]; /* by enum sender */
    uint32_t n_open;
    uint64_t heads;    /* bit i: open request i is a HEAD (of the oldest 64) */
    uint64_t connects; /* ... a CONNECT */
};

extern const struct protocol http1_protocol;

enum probe_result http1_probe(struct bytes data);
struct parse_result http1_parse(void *state, const struct parse_input *input,
                                struct message *ret_message);
size_t http1_resync(void *state, const struct parse_input *input);
void http1_describe(const struct message *request, const struct message *response,
                    struct span *span);
