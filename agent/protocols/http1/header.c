/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Header lines: one memchr per line, a look at the first letter, and a comparison only for the few
 * names in the table below.
 */
#include "protocols/http1/header.h"

#include "base/macro.h"

#include <assert.h>

enum repeat_rule { REPEAT_FIRST, REPEAT_LAST, REPEAT_EQUAL };

struct header_row {
    struct bytes name; /* lower case */
    size_t offset;     /* of its member in struct http1_headers */
    enum repeat_rule repeat;
};

#define ROW(text, member, rule)                                                                    \
    {{(const uint8_t *)(text), sizeof(text) - 1}, offsetof(struct http1_headers, member), rule}

/* Sorted by name. */
static const struct header_row rows[] = {
    ROW("content-length", content_length, REPEAT_EQUAL),
    ROW("host", host, REPEAT_FIRST),
    ROW("traceparent", traceparent, REPEAT_FIRST),
    ROW("tracestate", tracestate, REPEAT_FIRST),
    ROW("transfer-encoding", transfer_encoding, REPEAT_LAST),
    ROW("user-agent", user_agent, REPEAT_FIRST),
};

/* The rows of each first letter, by its lowest five bits, which upper and lower case share. */
static const struct {
    uint8_t begin, end;
} rows_by_letter[32] = {
    ['c' & 31] = {0, 1},
    ['h' & 31] = {1, 2},
    ['t' & 31] = {2, 5},
    ['u' & 31] = {5, 6},
};
static_assert(ELEMENTSOF(rows) == 6, "rows_by_letter covers every row");

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* Without blanks and line ends at either end: folded values have both. */
static struct bytes trim(struct bytes b)
{
    while (b.len && (is_blank(b.ptr[0]) || b.ptr[0] == '\r' || b.ptr[0] == '\n'))
        b = bytes_skip(b, 1);
    while (b.len && (is_blank(b.ptr[b.len - 1]) || b.ptr[b.len - 1] == '\r' ||
                     b.ptr[b.len - 1] == '\n'))
        b.len--;
    return b;
}

/* The row of the line's name, or NULL; ret_value is the offset behind the colon. */
static const struct header_row *row_of_line(struct bytes line, size_t *ret_value)
{
    unsigned letter = line.ptr[0] & 31;

    for (unsigned i = rows_by_letter[letter].begin; i < rows_by_letter[letter].end; i++) {
        size_t colon = rows[i].name.len;

        /* Blanks before the colon are wrong, but what they hide would be framing. */
        while (colon < line.len && is_blank(line.ptr[colon]))
            colon++;
        if (colon < line.len && line.ptr[colon] == ':' &&
            bytes_equal_nocase(bytes_slice(line, 0, rows[i].name.len), rows[i].name)) {
            *ret_value = colon + 1;
            return &rows[i];
        }
    }
    return NULL;
}

/* "5", and also "5, 5", which is what merged duplicates look like (RFC 9112, section 6.3). */
static void add_length(struct http1_headers *headers, struct bytes value)
{
    while (headers->length_state != LENGTH_INVALID) {
        size_t comma = bytes_find(value, ',');
        struct bytes digits = trim(bytes_slice(value, 0, comma));
        uint64_t length;

        if (bytes_parse_u64(digits, &length) < 0 || length > INT64_MAX ||
            (headers->length_state == LENGTH_KNOWN && headers->length != length)) {
            headers->length_state = LENGTH_INVALID;
            headers->content_length = BYTES_NULL;
            return;
        }
        headers->length_state = LENGTH_KNOWN;
        headers->length = length;
        headers->content_length = digits;
        if (comma == SIZE_MAX)
            return;
        value = bytes_skip(value, comma + 1);
    }
}

static void add_value(struct http1_headers *headers, const struct header_row *row,
                      struct bytes value)
{
    struct bytes *member = (struct bytes *)((uint8_t *)headers + row->offset);

    value = trim(value);
    if (row->repeat == REPEAT_EQUAL)
        add_length(headers, value);
    else if (row->repeat == REPEAT_LAST || !member->ptr)
        *member = value;
}

bool headers_read(struct bytes data, struct http1_headers *ret_headers)
{
    struct http1_headers headers = {0};
    const struct header_row *row = NULL; /* whose value begins at `value` and may be folded */
    size_t value = 0;
    bool ended = false;

    while (!ended) {
        struct bytes line = bytes_skip(data, headers.len);
        size_t n = bytes_find(line, '\n');

        if (n == SIZE_MAX)
            break;
        line = bytes_slice(line, 0, n > 0 && line.ptr[n - 1] == '\r' ? n - 1 : n);
        if (line.len == 0 || !is_blank(line.ptr[0])) {
            if (row)
                add_value(&headers, row, bytes_slice(data, value, headers.len - value));
            ended = line.len == 0;
            row = ended ? NULL : row_of_line(line, &value);
            value += headers.len;
        }
        headers.len += n + 1;
    }
    if (row)
        add_value(&headers, row, bytes_slice(data, value, headers.len - value));
    *ret_headers = headers;
    return ended;
}

bool header_ends_chunked(struct bytes transfer_encoding)
{
    struct bytes last = transfer_encoding;
    size_t comma;

    while ((comma = bytes_find(last, ',')) != SIZE_MAX)
        last = bytes_skip(last, comma + 1);
    return bytes_equal_nocase(trim(last), BYTES_LITERAL("chunked"));
}
