/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first line of an HTTP/1.x message (RFC 9112, sections 3 and 4), complete or as a beginning:
 * the one place that says what such a line looks like, for probe, parse and resync.
 *
 *   GET /orders?id=7 HTTP/1.1 CR LF        HTTP/1.1 200 OK CR LF
 *   '-' '----------'      '-'                   '-' '-'
 *   method  target        version           version  code
 *
 * A bare LF ends a line too (section 2.2). A clean line has one space, a token, a target without
 * blanks and controls, "HTTP/1." and a digit. What some servers serve besides, and others answer
 * with 400 (section 3), is a request too, but *odd*: known only once its LF is there.
 *
 *   GET  /a b HTTP/1.10 SP LF    a registered method (another first word may be the end of a body),
 *                                the last word that begins with "HTTP", and what is between
 *
 * "PRI * HTTP/2.0" never fits.
 */
#pragma once

#include "base/bytes.h"

#define HTTP1_METHOD_MAX 32 /* bytes; the longest registered method has 17 */

enum line_match {
    LINE_NO,
    LINE_MORE, /* all bytes fit, but the line does not end here */
    LINE_FITS,
};

enum line_oddity {
    LINE_CLEAN,
    LINE_BLANKS,  /* blanks or controls where none belong */
    LINE_VERSION, /* "HTTP/1.10", "http/1.1", "HTTP/2.0" */
};

struct request_line {
    struct bytes method;
    struct bytes target;
    struct bytes version; /* "1.1"; of an odd one whatever is behind "HTTP/" */
    enum line_oddity odd;
    size_t len;           /* with the line's end */
};

struct status_line {
    struct bytes version;
    unsigned code; /* 100 to 999 */
    size_t len;
};

/* With LINE_MORE the members that were seen are set; the last of them, `target`, may be cut. */
enum line_match request_line_match(struct bytes data, struct request_line *ret_line);

/* With LINE_MORE `code` is set when its three digits were seen, and 0 otherwise. */
enum line_match status_line_match(struct bytes data, struct status_line *ret_line);

/* The number of CR and LF at the start of the data. */
size_t http1_count_line_ends(struct bytes data);

/* tchar of RFC 9110, section 5.6.2. */
extern const bool http1_is_token[256];

/* The length of the token at the start of the data. */
static inline size_t http1_token_len(struct bytes data)
{
    size_t n = 0;

    while (n < data.len && http1_is_token[data.ptr[n]])
        n++;
    return n;
}
