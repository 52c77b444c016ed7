/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.0 and 1.1 (RFC 9112, RFC 9110): what the files of this folder share.
 *
 *   start_line  the first line           header    the lines behind it
 *   parse       framing of messages      chunk     lines and ends of chunks
 *   url, route  the target's parts       describe  messages -> span attributes
 *   sync        probe and resync      content   bodies that are looked at
 */
#pragma once

#include "protocols/http/grpc_body.h"
#include "protocols/protocol.h"

#define HTTP1_HEAD_MAX 65536 /* start line and headers; also the trailers */
#define HTTP1_CHUNK_LINE_MAX 4096

enum http1_field {
    HTTP1_FIELD_METHOD = FIELD_PROTOCOL,
    HTTP1_FIELD_TARGET,
    HTTP1_FIELD_VERSION, /* "1.1"; missing where the start line was cut, empty where it is odd */
    HTTP1_FIELD_HOST,
    HTTP1_FIELD_USER_AGENT,
    HTTP1_FIELD_BODY_SIZE, /* decimal digits: Content-Length where it frames the body, or the sum
                              of the chunks once all were seen */
    HTTP1_FIELD_AMBIGUITY, /* one byte, enum http1_ambiguity; missing: none */
    HTTP1_FIELD_SCHEME,    /* of later versions, which say it */
};

/*
 * Where two recipients may see different messages in the same bytes, and smuggling begins
 * (RFC 9112, sections 2.2, 5, 6 and 11.2). What is said of such a message is marked, and a body
 * whose end nobody can know is not guessed.
 */
enum http1_ambiguity {
    HTTP1_CLEAR,
    HTTP1_TWO_FRAMINGS,   /* both Transfer-Encoding and Content-Length: read by the first */
    HTTP1_BAD_LENGTH,     /* Content-Length is no number, or several */
    HTTP1_BAD_CODING,     /* a request's last coding is not chunked, or chunked comes twice */
    HTTP1_OLD_CODING,     /* Transfer-Encoding in HTTP/1.0 */
    HTTP1_FOLDED_LINE,    /* a header line that continues the one before */
    HTTP1_BARE_CR,        /* CR without LF in a header line */
    HTTP1_NUL,            /* a NUL in a header line */
    HTTP1_BLANK_IN_NAME,  /* between the name of a header and its colon */
    HTTP1_TWO_HOSTS,      /* different Host headers */
    HTTP1_BARE_LF_CHUNK,  /* a chunk's size line that ends without CR */
    HTTP1_BLANKS_IN_LINE, /* blanks or controls in the request line, or a target with blanks */
    HTTP1_ODD_VERSION,    /* not "HTTP/1." and one digit */
    HTTP1_BAD_NAME,       /* a header line without colon, or whose name is no token */
    HTTP1_BARE_LF,        /* a line that ends without CR among others that have it */
    HTTP1_BLANK_IN_CHUNK, /* between a chunk's size and the line's end or extension */
    HTTP1_BAD_CHUNK,      /* a chunk's size is no number, or too large */
    HTTP1_BAD_CHUNK_END,  /* no CR LF behind a chunk, as far as that was captured */
    HTTP1_AMBIGUITIES,
};

/*
 * What the sender's next bytes are. Chunked bodies (RFC 9112, section 7.1):
 *
 *   [head] [5 CR LF] hello CR LF [6 CR LF] world! CR LF [0 CR LF] [trailers CR LF]
 *   START  CHUNK     (skipped)   CHUNK     (skipped)    CHUNK     TRAILER
 *
 * UNFRAMED: how long the body is cannot be known; the next message must be looked for.
 *
 * Bodies that consist of gRPC's messages are not skipped, but looked at: in CHUNK_BODY, or in SIZED
 * where Content-Length has told how long they are.
 */
enum http1_phase {
    HTTP1_START,
    HTTP1_CHUNK,
    HTTP1_TRAILER,
    HTTP1_UNFRAMED,
    HTTP1_CHUNK_BODY,
    HTTP1_SIZED,
};

#define HTTP1_DIGITS_MAX 20
#define HTTP1_OPEN_MAX 1024 /* requests without response; a connection with more is given up */

/*
 * The parser's state on a connection. How a response is framed depends on its request's method:
 * requests without response yet are counted, and two bits are kept of each, in a ring. As long as
 * none is open, the ring is as new: all zero.
 *
 *   [0 0 0 1 0 1 1 0 0 0]    bit (first_open + i) % HTTP1_OPEN_MAX is of open request i
 *        ^ first_open, n_open 4
 */
struct http1_state {
    enum http1_phase phases[2];  /* by enum sender, also below */
    uint8_t ambiguities[2];      /* enum http1_ambiguity of the message in hand */
    bool in_doubt; /* a request is looked for: an odd line may be a body's end and a clean one */
    uint8_t digits[HTTP1_DIGITS_MAX]; /* of the body size last given out */
    uint16_t first_open;
    uint16_t n_open;
    uint64_t heads[HTTP1_OPEN_MAX / 64];    /* is a HEAD */
    uint64_t connects[HTTP1_OPEN_MAX / 64]; /* ... a CONNECT */
    uint64_t chunked[2]; /* bytes in the chunks so far */
    uint64_t left[2];    /* bytes of the chunk, or of the sized body, that were not looked at yet */
    uint8_t chunk_ends[2]; /* bytes behind that chunk */
    struct grpc_body bodies[2];
};

extern const struct protocol http1_protocol;

enum probe_result http1_probe(struct bytes data, enum delivery delivery);
struct parse_result http1_parse(void *state, const struct parse_input *input,
                                struct message *ret_message);
/* The oldest open request, if there is one, waits no longer. */
void http1_pop_request(struct http1_state *http1);

size_t http1_resync(void *state, const struct parse_input *input);
void http1_describe(const struct message *request, const struct message *response,
                    struct span *span);
