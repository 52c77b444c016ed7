/* SPDX-License-Identifier: Apache-2.0 */
/* Byte by byte where bytes must be seen, so that a body may be cut anywhere; see grpc_body.h. */
#include "protocols/http/grpc_body.h"

#include "protocols/http/grpc.h"
#include "protocols/http/inflate.h"

#include "base/macro.h"

#define PREFIX_LEN 5 /* flags: 1 byte, length: 4 */
#define COUNT_LEN 4
#define COUNT_MAX ((UINT32_C(1) << 29) - 1)

#define FLAG_COMPRESSED 0x01
#define FLAG_TRAILERS 0x80
#define FLAGS (FLAG_COMPRESSED | FLAG_TRAILERS)

#define PIECE_MAX 1024 /* compressed trailers that are longer are not read */

/*
 * Of a trailer line: so many letters of STATUS_NAME fit; VALUE: all, and blanks may follow; DIGITS;
 * ELSE: the line is of no interest.
 */
#define STATUS_NAME "grpc-status:"
enum line_state { VALUE = sizeof(STATUS_NAME) - 1, DIGITS, ELSE };
#define STATUS_MAX 1000 /* there are 17 */

enum grpc_body_kind grpc_body_kind_of(struct bytes content_type)
{
    struct bytes suffix = bytes_skip(content_type, sizeof("application/grpc") - 1);
    const struct bytes text = BYTES_LITERAL("-web-text"), web = BYTES_LITERAL("-web");

    if (!grpc_is_content_type(content_type))
        return GRPC_BODY_OTHER;
    if (suffix.len < web.len || !bytes_equal_nocase(bytes_slice(suffix, 0, web.len), web))
        return GRPC_BODY_MESSAGES;
    return bytes_equal_nocase(bytes_slice(suffix, 0, text.len), text) ? GRPC_BODY_WEB_TEXT
                                                                      : GRPC_BODY_WEB;
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static void read_prefix(struct grpc_body *body, uint8_t c)
{
    uint8_t allowed = body->kind == GRPC_BODY_MESSAGES ? FLAG_COMPRESSED : FLAGS;

    if (body->prefix == 0) {
        body->flags = c;
        if (c & ~allowed)
            body->kind = GRPC_BODY_LOST;
    } else {
        body->left = body->left << 8 | c;
    }
    if (++body->prefix < PREFIX_LEN)
        return;
    body->prefix = 0;
    body->matched = body->flags == FLAGS && body->left > PIECE_MAX ? ELSE : 0;
    if (!(body->flags & FLAG_TRAILERS) && body->n_messages < COUNT_MAX)
        body->n_messages++;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* A letter of the trailers; of a repeated status the first counts. */
static void read_trailer(struct grpc_body *body, uint8_t c)
{
    if (c == '\n') {
        body->matched = body->status ? ELSE : 0;
    } else if (body->matched < VALUE) {
        bool fits = (c | (c >= 'A' && c <= 'Z' ? 0x20 : 0)) == STATUS_NAME[body->matched];

        body->matched = fits ? body->matched + 1 : ELSE;
    } else if (body->matched == VALUE && is_digit(c)) {
        body->status = (uint16_t)(1 + c - '0');
        body->matched = DIGITS;
    } else if (body->matched == DIGITS && is_digit(c) && body->status < STATUS_MAX / 10) {
        body->status = (uint16_t)((body->status - 1) * 10 + 1 + c - '0');
    } else if (body->matched != ELSE && c != '\r' && c != ' ' && c != '\t') {
        body->status = 0;
        body->matched = ELSE;
    }
}

static bool in_message(const struct grpc_body *body)
{
    return body->prefix == 0 && body->left > 0;
}

static void read_byte(struct grpc_body *body, uint8_t c)
{
    if (!in_message(body)) {
        read_prefix(body, c);
        return;
    }
    body->left--;
    if (body->flags == FLAG_TRAILERS)
        read_trailer(body, c);
}

/* Not of text, whose bytes come one by one. */
static bool is_compressed_trailer(const struct grpc_body *body)
{
    return body->kind == GRPC_BODY_WEB && in_message(body) && body->flags == FLAGS &&
           body->matched != ELSE;
}

/* What is not whole, or no known form, tells nothing. */
static void read_compressed(struct grpc_body *body, struct bytes piece, struct arena scratch)
{
    struct bytes lines;

    body->left -= (uint32_t)piece.len;
    if (!inflate_piece(piece, &scratch, &lines))
        return;
    for (size_t i = 0; i < lines.len; i++)
        read_trailer(body, lines.ptr[i]);
}

/* ---- base64 (RFC 4648, section 4) ------------------------------------------------------------ */

/* Padding ends a piece, and the next begins anew. */
static void read_character(struct grpc_body *body, uint8_t c)
{
    int sextet = bytes_base64_digit(c);
    uint8_t have = body->sextets;

    if (c == '=' || c == '\r' || c == '\n') {
        body->sextets = c == '=' ? 0 : have;
        return;
    }
    if (sextet < 0) {
        body->kind = GRPC_BODY_LOST;
        return;
    }
    body->sextets = (have + 1) % 4;
    if (have > 0)
        read_byte(body, (uint8_t)(body->carry | sextet >> (6 - 2 * have)));
    body->carry = (uint8_t)(sextet << (2 * have + 2));
}

/* ---- the body -------------------------------------------------------------------------------- */

/* So many of the next bytes are of no interest. */
static uint64_t n_dull(const struct grpc_body *body)
{
    if (body->kind == GRPC_BODY_OTHER || body->kind == GRPC_BODY_LOST)
        return UINT64_MAX;
    if (body->kind == GRPC_BODY_WEB_TEXT || !in_message(body) || body->flags == FLAG_TRAILERS ||
        is_compressed_trailer(body))
        return 0;
    return body->left;
}

size_t grpc_body_need(struct grpc_body *body, uint64_t left)
{
    if (is_compressed_trailer(body) && body->left > left)
        body->matched = ELSE;
    if (n_dull(body) > 0)
        return 0;
    return is_compressed_trailer(body) ? body->left : 1;
}

uint64_t grpc_body_pass(struct grpc_body *body, uint64_t left)
{
    uint64_t n = MIN(n_dull(body), left);

    if (in_message(body))
        body->left -= (uint32_t)MIN(n, (uint64_t)body->left);
    return n;
}

size_t grpc_body_read(struct grpc_body *body, struct bytes data, const struct arena *scratch)
{
    size_t n = 0;

    if (is_compressed_trailer(body)) {
        n = MIN((size_t)body->left, data.len);
        read_compressed(body, bytes_slice(data, 0, n), *scratch);
        return n;
    }
    while (n < data.len && n_dull(body) == 0 && !is_compressed_trailer(body)) {
        if (body->kind == GRPC_BODY_WEB_TEXT)
            read_character(body, data.ptr[n]);
        else
            read_byte(body, data.ptr[n]);
        n++;
    }
    return n;
}

/* ---- what it says ---------------------------------------------------------------------------- */

static void tell_count(const struct grpc_body *body, unsigned id, struct arena *scratch,
                       struct message *message)
{
    uint8_t *count = arena_alloc(scratch, COUNT_LEN);

    for (int i = 0; count && i < COUNT_LEN; i++)
        count[i] = (uint8_t)(body->n_messages >> (24 - 8 * i));
    if (count)
        message_add(message, id, bytes_make(count, COUNT_LEN));
}

/* A status whose trailers are not whole may lack a digit. */
static bool has_status(const struct grpc_body *body)
{
    return (body->kind == GRPC_BODY_WEB || body->kind == GRPC_BODY_WEB_TEXT) && body->status &&
           body->prefix == 0 && body->left == 0;
}

void grpc_body_tell(const struct grpc_body *client, const struct grpc_body *server,
                    struct arena *scratch, struct message *message)
{
    if (client && client->kind != GRPC_BODY_LOST)
        tell_count(client, GRPC_FIELD_REQUESTS, scratch, message);
    if (server && server->kind != GRPC_BODY_LOST)
        tell_count(server, GRPC_FIELD_RESPONSES, scratch, message);
    if (server && has_status(server))
        message_add(message, GRPC_FIELD_STATUS,
                    arena_printf(scratch, "%u", (unsigned)server->status - 1));
}
