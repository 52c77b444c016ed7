/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of RESP; the contract stands in resp.h. */
#include "protocols/redis/resp.h"

#define NUMBER_DIGITS_MAX 10 /* of lengths and counts */

/* Which characters a scalar's text may have, beside digits. */
static const struct shape {
    uint8_t type;
    enum resp_class class;
    const char *others; /* NULL: anything but controls */
} shapes[256] = {
    ['+'] = {'+', RESP_SCALAR, NULL},
    ['-'] = {'-', RESP_SCALAR, NULL},
    [':'] = {':', RESP_SCALAR, "+-"},
    ['_'] = {'_', RESP_SCALAR, ""},
    ['#'] = {'#', RESP_SCALAR, "tf"},
    [','] = {',', RESP_SCALAR, "+-.eEinfa"},
    ['('] = {'(', RESP_SCALAR, "+-"},
    ['$'] = {'$', RESP_PAYLOAD, ""},
    ['='] = {'=', RESP_PAYLOAD, ""},
    ['!'] = {'!', RESP_PAYLOAD, ""},
    ['*'] = {'*', RESP_AGGREGATE, ""},
    ['~'] = {'~', RESP_AGGREGATE, ""},
    ['>'] = {'>', RESP_AGGREGATE, ""},
    ['%'] = {'%', RESP_AGGREGATE, ""},
    ['|'] = {'|', RESP_AGGREGATE, ""},
};

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* The number at the start of `data`; false where it has no digit, a leading zero or too many. */
static bool read_number(struct bytes data, size_t *ret_len, uint64_t *ret_value)
{
    uint64_t value = 0;
    size_t n = 0;

    while (n < data.len && n <= NUMBER_DIGITS_MAX && is_digit(data.ptr[n]))
        value = value * 10 + (uint64_t)(data.ptr[n++] - '0');
    *ret_len = n;
    *ret_value = value;
    return n <= NUMBER_DIGITS_MAX && (n < 2 || data.ptr[0] != '0');
}

/* The line end at `at`: it may be cut off. */
static enum resp_match match_end(struct bytes data, size_t at)
{
    if (at < data.len && data.ptr[at] != '\r')
        return RESP_NO;
    if (at + 1 < data.len)
        return data.ptr[at + 1] == '\n' ? RESP_FITS : RESP_NO;
    return RESP_MORE;
}

static bool is_pairs(uint8_t type)
{
    return type == '%' || type == '|';
}

/* A length or a count behind the type. */
static enum resp_match match_sized(struct bytes data, struct resp_line *ret_line)
{
    struct bytes digits = bytes_skip(data, 1);
    enum resp_match match;
    uint64_t value;
    size_t n;

    if (digits.len && digits.ptr[0] == '-') {
        if (digits.len > 1 && digits.ptr[1] != '1')
            return RESP_NO;
        ret_line->null = true;
        ret_line->len = 5;
        return digits.len > 1 ? match_end(data, 3) : RESP_MORE;
    }
    if (!read_number(digits, &n, &value))
        return RESP_NO;
    if (n == 0)
        return digits.len ? RESP_NO : RESP_MORE;
    match = match_end(data, 1 + n);
    if (value > (ret_line->class == RESP_PAYLOAD ? RESP_LENGTH_MAX : RESP_COUNT_MAX))
        return RESP_NO;
    ret_line->value = (uint32_t)value << is_pairs(ret_line->type);
    ret_line->len = 1 + n + 2;
    return match;
}

static enum resp_match match_scalar(struct bytes data, const char *others,
                                    struct resp_line *ret_line)
{
    size_t at = 1;

    while (at < data.len && data.ptr[at] >= ' ' &&
           (!others || is_digit(data.ptr[at]) || strchr(others, data.ptr[at])))
        at++;
    ret_line->text = bytes_slice(data, 1, at - 1);
    ret_line->len = at + 2;
    return at > RESP_LINE_MAX ? RESP_NO : match_end(data, at);
}

enum resp_match resp_line_match(struct bytes data, struct resp_line *ret_line)
{
    const struct shape *shape = data.len ? &shapes[data.ptr[0]] : NULL;

    *ret_line = (struct resp_line){0};
    if (!shape)
        return RESP_MORE;
    if (!shape->type)
        return RESP_NO;
    ret_line->type = shape->type;
    ret_line->class = shape->class;
    return shape->class == RESP_SCALAR ? match_scalar(data, shape->others, ret_line)
                                       : match_sized(data, ret_line);
}
