/* SPDX-License-Identifier: Apache-2.0 */
/* Matching request and status lines; the shapes stand in start_line.h. */
#include "protocols/http1/start_line.h"
#include "protocols/http1/method.h"

#define HTTP_PREFIX BYTES_LITERAL("HTTP/1.")
#define VERSION_OFFSET 5 /* of "1.1" in "HTTP/1.1" */
#define VERSION_LEN 3

const bool http1_is_token[256] = {
    ['!'] = true, ['#' ... '\''] = true, ['*'] = true, ['+'] = true, ['-'] = true, ['.'] = true,
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['^' ... 'z'] = true, ['|'] = true, ['~'] = true,
};

/* Visible ASCII, and the bytes above it, which some clients leave unescaped. */
static const bool is_target[256] = {['!' ... '~'] = true, [0x80 ... 0xff] = true};

/*
 * Length of the target that `data` begins with. Eight bytes are looked at at once: is bit 7 of each
 * of `fit` set?
 */
static size_t target_len(struct bytes data)
{
    const uint64_t each = 0x0101010101010101u;
    size_t n = 0;

    for (; n + 8 <= data.len; n += 8) {
        uint64_t word, low, fit;

        memcpy(&word, data.ptr + n, sizeof(word));
        low = word & 0x7f * each;
        fit = ((low + (0x80 - '!') * each) & ~(low + (0x7f - '~') * each)) | word;
        if ((fit & 0x80 * each) != 0x80 * each)
            break;
    }
    while (n < data.len && is_target[data.ptr[n]])
        n++;
    return n;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* "HTTP/1.x", of which ret_version becomes "1.x". */
static enum line_match version_match(struct bytes data, struct bytes *ret_version)
{
    struct bytes prefix = bytes_slice(HTTP_PREFIX, 0, data.len);

    if (!bytes_starts_with(data, prefix))
        return LINE_NO;
    if (data.len <= HTTP_PREFIX.len)
        return LINE_MORE;
    if (!is_digit(data.ptr[HTTP_PREFIX.len]))
        return LINE_NO;
    *ret_version = bytes_slice(data, VERSION_OFFSET, VERSION_LEN);
    return LINE_FITS;
}

/* [CR] LF, whose length is ret_len. */
static enum line_match end_match(struct bytes data, size_t *ret_len)
{
    size_t n = data.len && data.ptr[0] == '\r' ? 1 : 0;

    if (n == data.len)
        return LINE_MORE;
    if (data.ptr[n] != '\n')
        return LINE_NO;
    *ret_len = n + 1;
    return LINE_FITS;
}

static enum line_match clean_line_match(struct bytes data, struct request_line *ret_line)
{
    struct request_line line = {0};
    size_t n = http1_token_len(data), end = 0;
    struct bytes rest;
    enum line_match match;

    if (n > HTTP1_METHOD_MAX || (n < data.len && (n == 0 || data.ptr[n] != ' ')))
        return LINE_NO;
    *ret_line = line;
    if (n == data.len)
        return LINE_MORE;
    line.method = bytes_slice(data, 0, n);
    rest = bytes_skip(data, n + 1);

    n = target_len(rest);
    line.target = bytes_slice(rest, 0, n);
    if (n < rest.len && (n == 0 || rest.ptr[n] != ' '))
        return LINE_NO;
    *ret_line = line;
    if (n == rest.len)
        return LINE_MORE;
    rest = bytes_skip(rest, n + 1);

    match = version_match(rest, &line.version);
    if (match == LINE_FITS)
        match = end_match(bytes_skip(rest, VERSION_OFFSET + VERSION_LEN), &end);
    line.len = data.len - rest.len + VERSION_OFFSET + VERSION_LEN + end;
    if (match != LINE_NO)
        *ret_line = line;
    return match;
}

/* What some server takes for a blank between the parts. */
static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct bytes skip_spaces(struct bytes b)
{
    while (b.len && is_space(b.ptr[0]))
        b = bytes_skip(b, 1);
    return b;
}

static struct bytes trim_spaces(struct bytes b)
{
    b = skip_spaces(b);
    while (b.len && is_space(b.ptr[b.len - 1]))
        b.len--;
    return b;
}

/* The offset of the last word that begins with "HTTP" and is no URI, or SIZE_MAX. */
static size_t find_version(struct bytes line)
{
    static const struct bytes name = {(const uint8_t *)"HTTP", 4};

    for (size_t at = line.len; at-- > 1;)
        if (is_space(line.ptr[at - 1]) &&
            bytes_equal_nocase(bytes_slice(line, at, name.len), name) &&
            !bytes_starts_with(bytes_skip(line, at + name.len), BYTES_LITERAL(":")))
            return at;
    return SIZE_MAX;
}

static size_t word_len(struct bytes line)
{
    size_t n = 0;

    while (n < line.len && !is_space(line.ptr[n]))
        n++;
    return n;
}

/* Nothing but blanks, or a method: as far as it is there. */
static bool may_become_odd(struct bytes text, size_t n)
{
    return n == text.len ? n == 0 || method_may_begin(text)
                         : method_is_registered(bytes_slice(text, 0, n));
}

/* Where an odd line does not end in `data` its method is set, and its target's beginning. */
static enum line_match odd_line_match(struct bytes data, struct request_line *ret_line)
{
    size_t end = bytes_find(data, '\n'), at, n;
    struct bytes text = skip_spaces(bytes_slice(data, 0, end)), rest;
    struct request_line line = {.odd = LINE_BLANKS, .len = end + 1};

    n = word_len(text);
    line.method = bytes_slice(text, 0, n);
    rest = trim_spaces(bytes_skip(text, n));
    if (end == SIZE_MAX) {
        if (!may_become_odd(text, n))
            return LINE_NO;
        line.target = bytes_slice(rest, 0, word_len(rest));
        *ret_line = line;
        return LINE_MORE;
    }
    if (!method_is_registered(line.method))
        return LINE_NO;
    at = find_version(rest);
    if (at == SIZE_MAX)
        return LINE_NO;
    line.target = trim_spaces(bytes_slice(rest, 0, at));
    rest = bytes_skip(rest, at);
    rest = bytes_slice(rest, 0, word_len(rest));
    line.version = bytes_skip(rest, VERSION_OFFSET);
    if (line.target.len == 0)
        return LINE_NO;
    if (rest.len != HTTP_PREFIX.len + 1 || !bytes_starts_with(rest, HTTP_PREFIX) ||
        !is_digit(rest.ptr[HTTP_PREFIX.len]))
        line.odd = LINE_VERSION;
    *ret_line = line;
    return LINE_FITS;
}

enum line_match request_line_match(struct bytes data, struct request_line *ret_line)
{
    enum line_match match = clean_line_match(data, ret_line);

    return match == LINE_NO ? odd_line_match(data, ret_line) : match;
}

/* Three digits, the first of them not 0. */
static enum line_match code_match(struct bytes data, unsigned *ret_code)
{
    unsigned code = 0;

    for (size_t i = 0; i < 3; i++) {
        if (i == data.len)
            return LINE_MORE;
        if (!is_digit(data.ptr[i]) || (i == 0 && data.ptr[i] == '0'))
            return LINE_NO;
        code = code * 10 + (data.ptr[i] - '0');
    }
    *ret_code = code;
    return LINE_FITS;
}

enum line_match status_line_match(struct bytes data, struct status_line *ret_line)
{
    struct status_line line = {0};
    struct bytes rest = bytes_skip(data, VERSION_OFFSET + VERSION_LEN);
    enum line_match match = version_match(data, &line.version);
    size_t n;

    if (match == LINE_FITS && rest.len && rest.ptr[0] != ' ')
        return LINE_NO;
    rest = bytes_skip(rest, 1);
    if (match == LINE_FITS)
        match = code_match(rest, &line.code);
    rest = bytes_skip(rest, 3);
    if (match == LINE_FITS && rest.len && !memchr(" \r\n", rest.ptr[0], 3))
        return LINE_NO;
    if (match == LINE_NO)
        return LINE_NO;

    n = match == LINE_FITS ? bytes_find(rest, '\n') : SIZE_MAX;
    if (n != SIZE_MAX)
        line.len = data.len - rest.len + n + 1;
    *ret_line = line;
    return n != SIZE_MAX ? LINE_FITS : LINE_MORE;
}

size_t http1_count_line_ends(struct bytes data)
{
    size_t n = 0;

    while (n < data.len && (data.ptr[n] == '\r' || data.ptr[n] == '\n'))
        n++;
    return n;
}
