/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header lines of a message (RFC 9112, section 5), of which only a few are looked at:
 *
 *   Host: shop:8080 CR LF
 *   '--' '-------'
 *   name  value, trimmed
 *   X-Old: first CR LF SP second CR LF    a folded value spans its lines, blanks and all
 *   CR LF                                 the end
 *
 * A repeated header counts once: the first, except Transfer-Encoding, whose last line has the last
 * coding, and Content-Length, which must agree with itself. Trace contexts are handed on, lists
 * (tracestate, baggage) with all their lines, others with the first and one that differs. Where
 * they are too many, the name with the most lines is left out wholly. Lines that are no header are
 * passed over, as lenient peers do, and marked.
 */
#pragma once

#include "protocols/http1/http1.h"

#define HTTP1_CONTEXTS_MAX 17 /* one at least of each name; with http1's own they fit a message */
_Static_assert(HTTP1_CONTEXTS_MAX >= CONTEXT_NAME_COUNT, "where there are more, a name is repeated");
_Static_assert(HTTP1_CONTEXTS_MAX + 9 <= MESSAGE_FIELDS_MAX, "a request's own fields are nine");

enum line_end { LINE_END_CRLF = 1 << 0, LINE_END_LF = 1 << 1 };

enum length_state { LENGTH_NONE, LENGTH_KNOWN, LENGTH_INVALID };

struct http1_headers {
    struct bytes host; /* a NULL pointer where the header is missing, also below */
    struct bytes user_agent;
    struct bytes upgrade;
    struct bytes content_type;
    struct bytes grpc_status;
    struct bytes grpc_timeout;
    struct bytes transfer_encoding;
    struct bytes content_length; /* set only with LENGTH_KNOWN; its digits */
    enum length_state length_state;
    uint64_t length; /* at most INT64_MAX */
    size_t len;      /* bytes of all complete lines, the empty one included */
    enum http1_ambiguity ambiguity; /* the first one found */
    unsigned line_ends; /* enum line_end: those that were seen */
    uint32_t spoiled; /* bit per enum context_name: too many lines, what is left is not valid */
    unsigned n_contexts;
    struct field contexts[HTTP1_CONTEXTS_MAX]; /* in the order of the lines */
};

/*
 * Reads header lines from the start of `data` up to the empty line, and says whether it was there;
 * otherwise `ret_headers` has what the complete lines say. `line_ends` are those before `data`, to
 * which the lines are held.
 */
bool headers_read(struct bytes data, unsigned line_ends, struct http1_headers *ret_headers);

/*
 * The longest part of incomplete header lines that says nothing: lines of no interest, or most of
 * the last one's value. It can be taken out, and what is left says the same.
 */
struct bytes headers_spare(struct bytes data);

/* Is "chunked" the last coding of this Transfer-Encoding? */
bool header_ends_chunked(struct bytes transfer_encoding);

/* Is "chunked" among its codings but the last? */
bool header_chunks_early(struct bytes transfer_encoding);
