/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where HTTP/1.x begins: on a new connection (probe) and behind a gap or garbage (resync).
 *
 *   ...tail of a body"}GET /next HTTP/1.1 CR LF     what follows a body needs no line end
 *                      ^ resync
 *
 * A start line at the very end of the bytes may be incomplete: its beginning is a plausible start.
 */
#include "protocols/http1/http1.h"
#include "protocols/http1/method.h"
#include "protocols/http1/start_line.h"

/* So much of a path behind a conventional method is proof: its end may never be captured. */
#define PROBE_PATH_ENOUGH 64

static enum probe_result probe_request(struct bytes data)
{
    struct request_line line;
    enum line_match match = request_line_match(data, &line);

    if (match == LINE_NO)
        return PROBE_NO;
    if (match == LINE_FITS || (line.target.len >= PROBE_PATH_ENOUGH &&
                               line.target.ptr[0] == '/' && method_is_conventional(line.method)))
        return PROBE_CLIENT;
    return data.len < HTTP1_HEAD_MAX ? PROBE_MORE : PROBE_NO;
}

/* Empty lines may stand in front of the first request (RFC 9112, section 2.2). */
enum probe_result http1_probe(struct bytes data, enum delivery delivery)
{
    struct status_line line;
    enum line_match match;

    data = bytes_skip(data, http1_count_line_ends(data));
    match = status_line_match(data, &line);
    if (match == LINE_FITS || (match == LINE_MORE && line.code > 0))
        return PROBE_SERVER;
    return match == LINE_MORE ? PROBE_MORE : probe_request(data);
}

static bool starts_message(enum sender sender, struct bytes data)
{
    struct request_line request;
    struct status_line status;

    if (sender == SENDER_SERVER)
        return data.ptr[0] == 'H' && status_line_match(data, &status) != LINE_NO;
    return method_may_begin(data) && request_line_match(data, &request) != LINE_NO && !request.odd;
}

/*
 * Behind a gap between responses nobody knows which of the open requests were answered. On a
 * connection without pipelining, the rule, it is all but the newest.
 */
static void keep_newest_request(struct http1_state *http1)
{
    while (http1->n_open > 1)
        http1_pop_request(http1);
}

size_t http1_resync(void *state, const struct parse_input *input)
{
    struct http1_state *http1 = state;
    size_t offset = 0;

    http1->phases[input->sender] = HTTP1_START;
    if (input->sender == SENDER_SERVER)
        keep_newest_request(http1);
    else
        http1->in_doubt = true;
    while (offset < input->data.len &&
           !starts_message(input->sender, bytes_skip(input->data, offset)))
        offset++;
    return offset;
}
