/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where PostgreSQL begins: on a new connection (probe) and behind a gap or garbage (resync).
 *
 * A start-up packet is proof: its code, and a list of parameters that begins with a name. On a
 * connection that was joined midway so are a Query or a Parse whose text begins with an operation
 * of SQL, and a Bind in which every length is right, if another message follows. What a server
 * sends is none: its messages are too short, and on a new connection the client speaks first.
 */
#include "protocols/postgres/postgres.h"
#include "protocols/sql/summary.h"

#include "base/macro.h"

#define PROBE_TEXT 256 /* bytes of a text that are looked at */

/* Names of parameters are words. */
static bool is_parameter(struct bytes body)
{
    for (size_t i = 0; i < body.len; i++) {
        uint8_t c = body.ptr[i];

        if (c == 0)
            return i > 0;
        if (!((c >= 'a' && c <= 'z') || c == '_' || c == '.'))
            return false;
    }
    return true;
}

static enum frame_match match_startup(const struct frame *frame)
{
    if (frame->code != STARTUP_VERSION_3)
        return FRAME_FITS;
    if (!is_parameter(frame->body))
        return FRAME_NO;
    if (!frame->whole)
        return FRAME_MORE;
    return frame->body.ptr[frame->body.len - 1] == 0 && frame->body.len > 1 &&
                   frame->body.ptr[frame->body.len - 2] == 0
               ? FRAME_FITS
               : FRAME_NO;
}

/* The beginning of a text, with no end (NUL) but where the message has it. */
static enum frame_match match_text(struct bytes text, bool whole)
{
    uint8_t out[SQL_SUMMARY_MAX];
    struct sql_summary summary;

    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < ' ' && text.ptr[i] != '\t' && text.ptr[i] != '\n' && text.ptr[i] != '\r')
            return FRAME_NO;
    sql_summarize(text, SQL_POSTGRES, out, &summary);
    if (summary.text.len)
        return FRAME_FITS;
    return whole || text.len >= PROBE_TEXT ? FRAME_NO : FRAME_MORE;
}

static enum frame_match match_query(const struct frame *frame)
{
    struct bytes text = frame->body;
    size_t end = bytes_find(text, '\0');

    if (end != SIZE_MAX && (!frame->whole || end != text.len - 1))
        return FRAME_NO;
    return match_text(bytes_slice(text, 0, MIN(end, (size_t)PROBE_TEXT)), frame->whole);
}

static enum frame_match match_parse(const struct frame *frame)
{
    struct reader reader = reader_make(frame->body);
    struct bytes name = frame_string(&reader), text, types;
    uint16_t n;

    if (!name.ptr)
        return frame->whole || frame->body.len >= PROBE_TEXT ? FRAME_NO : FRAME_MORE;
    text = bytes_skip(frame->body, reader.pos);
    if (bytes_find(text, '\0') == SIZE_MAX)
        return frame->whole ? FRAME_NO : match_text(bytes_slice(text, 0, PROBE_TEXT), false);
    text = frame_string(&reader);
    n = reader_be16(&reader);
    types = reader_take(&reader, (size_t)n * 4);
    if (frame->whole && (!types.ptr || reader_left(&reader)))
        return FRAME_NO;
    return match_text(bytes_slice(text, 0, PROBE_TEXT), true);
}

static void skip_formats(struct reader *reader)
{
    for (uint16_t n = reader_be16(reader); n > 0 && !reader->failed; n--)
        if (reader_be16(reader) > 1)
            reader->failed = true;
}

static bool is_bind(struct bytes body)
{
    struct reader reader = reader_make(body);

    frame_string(&reader);
    frame_string(&reader);
    skip_formats(&reader);
    for (uint16_t n = reader_be16(&reader); n > 0 && !reader.failed; n--) {
        uint32_t len = reader_be32(&reader);

        if (len != UINT32_MAX)
            reader_take(&reader, len);
    }
    skip_formats(&reader);
    return !reader.failed && reader_left(&reader) == 0;
}

static enum frame_match match_bind(const struct frame *frame, struct bytes data)
{
    struct frame next;
    struct bytes rest = bytes_skip(data, frame->used);
    enum frame_match match;

    if (!frame->whole)
        return FRAME_MORE;
    if (!is_bind(frame->body))
        return FRAME_NO;
    match = postgres_frame_read(SENDER_CLIENT, rest, 0, false, &next);
    if (match == FRAME_FITS && next.type != 'D' && next.type != 'E' && next.type != 'B' &&
        next.type != 'P' && next.type != 'S' && next.type != 'H' && next.type != 'C')
        return FRAME_NO;
    return match;
}

/* A message with which a client may begin what it asks. */
static enum frame_match match_request(struct bytes data)
{
    struct frame frame;
    enum frame_match match = postgres_frame_read(SENDER_CLIENT, data, SIZE_MAX, true, &frame);

    if (match != FRAME_FITS)
        return match == FRAME_NO || data.len == 0 || data.ptr[0] == 0 || data.ptr[0] == 'Q' ||
                       data.ptr[0] == 'P' || data.ptr[0] == 'B'
                   ? match
                   : FRAME_NO;
    switch (frame.type) {
    case 0:
        return match_startup(&frame);
    case 'Q':
        return match_query(&frame);
    case 'P':
        return match_parse(&frame);
    case 'B':
        return match_bind(&frame, data);
    default:
        return FRAME_NO;
    }
}

enum probe_result postgres_probe(struct bytes data, enum delivery delivery)
{
    switch (match_request(data)) {
    case FRAME_NO:
        return PROBE_NO;
    case FRAME_MORE:
        return PROBE_MORE;
    case FRAME_FITS:
        break;
    }
    return PROBE_CLIENT;
}

/* Types of which anything may be the body begin nothing that can be trusted. */
static bool is_answer(struct bytes data)
{
    struct frame frame;

    return data.ptr[0] != 'd' && data.ptr[0] != 'V' && data.ptr[0] != 'D' &&
           postgres_frame_read(SENDER_SERVER, data, 0, true, &frame) != FRAME_NO;
}

/* Behind a gap nobody knows what was asked, and which names have got another statement. */
static void forget(struct postgres_state *postgres, enum sender sender)
{
    if (sender == SENDER_SERVER) {
        postgres->answering = false;
        return;
    }
    postgres->in_group = postgres->negotiating = false;
    postgres->statements = (struct statements){0};
}

size_t postgres_resync(void *state, const struct parse_input *input)
{
    struct postgres_state *postgres = state;
    struct bytes data = input->data;
    size_t offset = 0;

    forget(postgres, input->sender);
    if (input->sender == SENDER_SERVER && postgres->negotiating && data.len &&
        (data.ptr[0] == 'N' || data.ptr[0] == 'S' || data.ptr[0] == 'G'))
        return 0;
    for (; offset < data.len; offset++) {
        struct bytes rest = bytes_skip(data, offset);

        if (input->sender == SENDER_SERVER ? is_answer(rest) : match_request(rest) != FRAME_NO)
            break;
    }
    return offset;
}
