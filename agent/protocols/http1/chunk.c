/* SPDX-License-Identifier: Apache-2.0 */
/* Chunk lines and chunk ends; the shapes stand in chunk.h. */
#include "protocols/http1/chunk.h"

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool chunk_line_may_begin(uint8_t c)
{
    return hex_digit(c) >= 0;
}

bool chunk_line_read(struct bytes line, uint64_t *ret_size, enum http1_ambiguity *ret_odd)
{
    bool has_cr = line.len && line.ptr[line.len - 1] == '\r';
    struct bytes rest = bytes_slice(line, 0, line.len - has_cr);
    uint64_t size = 0;
    size_t n = 0;

    for (; n < rest.len && hex_digit(rest.ptr[n]) >= 0; n++) {
        if (size > INT64_MAX >> 4)
            return false;
        size = size << 4 | (uint64_t)hex_digit(rest.ptr[n]);
    }
    rest = bytes_skip(rest, n);
    *ret_odd = HTTP1_CLEAR;
    if (bytes_find(rest, '\r') != SIZE_MAX)
        *ret_odd = HTTP1_BARE_CR;
    else if (!has_cr)
        *ret_odd = HTTP1_BARE_LF_CHUNK;
    else if (rest.len && rest.ptr[0] != ';')
        *ret_odd = HTTP1_BLANK_IN_CHUNK;
    while (rest.len && (rest.ptr[0] == ' ' || rest.ptr[0] == '\t' || rest.ptr[0] == '\r'))
        rest = bytes_skip(rest, 1);
    *ret_size = size;
    return n > 0 && (rest.len == 0 || rest.ptr[0] == ';');
}

unsigned chunk_end_len(struct bytes rest, uint64_t size)
{
    struct bytes end = size < rest.len ? bytes_skip(rest, (size_t)size) : BYTES_NULL;

    if (end.len && end.ptr[0] == '\n')
        return 1;
    if ((end.len && end.ptr[0] != '\r') || (end.len > 1 && end.ptr[1] != '\n'))
        return 0;
    return 2;
}
