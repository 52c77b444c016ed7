/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Byte strings by value, and the one reader through which all foreign bytes are read.
 *
 * A `struct bytes` owns nothing. A `struct reader` walks over one and fails softly: a read past the
 * end returns zero or an empty string, sets `failed`, and every later read fails too, so a parser
 * checks once, at the end of a group of reads.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const uint8_t *ptr;
    size_t len;
};

#define BYTES_NULL ((struct bytes){NULL, 0})
#define BYTES_LITERAL(s) ((struct bytes){(const uint8_t *)("" s), sizeof(s) - 1})
/* printf's "%.*s" takes these two arguments. */
#define BYTES_PRINTF(b) (int)(b).len, (const char *)(b).ptr

static inline struct bytes bytes_make(const void *ptr, size_t len)
{
    return (struct bytes){ptr, len};
}

static inline struct bytes bytes_from_string(const char *s)
{
    return (struct bytes){(const uint8_t *)s, s ? strlen(s) : 0};
}

/* The part from `offset` on, at most `len` long; empty where it lies outside. */
static inline struct bytes bytes_slice(struct bytes b, size_t offset, size_t len)
{
    if (offset >= b.len)
        return (struct bytes){b.ptr, 0};
    if (len > b.len - offset)
        len = b.len - offset;
    return (struct bytes){b.ptr + offset, len};
}

static inline struct bytes bytes_skip(struct bytes b, size_t n)
{
    return bytes_slice(b, n, SIZE_MAX);
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool bytes_starts_with(struct bytes b, struct bytes prefix)
{
    return b.len >= prefix.len && memcmp(b.ptr, prefix.ptr, prefix.len) == 0;
}

static inline bool bytes_ends_with(struct bytes b, struct bytes end)
{
    return b.len >= end.len && memcmp(b.ptr + b.len - end.len, end.ptr, end.len) == 0;
}

/* Offset of the first `c`, or SIZE_MAX. */
static inline size_t bytes_find(struct bytes b, uint8_t c)
{
    const uint8_t *hit = b.len ? memchr(b.ptr, c, b.len) : NULL;
    return hit ? (size_t)(hit - b.ptr) : SIZE_MAX;
}

/* Could the first letters, which there are, be the same in any case? A look before a comparison. */
static inline bool bytes_begin_alike(struct bytes a, struct bytes b)
{
    return ((a.ptr[0] ^ b.ptr[0]) & 0x1f) == 0;
}

/* ASCII only, whatever the locale. */
bool bytes_equal_nocase(struct bytes a, struct bytes b);

/* Without blanks and tabs at either end. */
struct bytes bytes_trim(struct bytes b);

/* A decimal number that fills `b`. Returns 0, -EINVAL (not a number) or -ERANGE. */
int bytes_parse_u64(struct bytes b, uint64_t *ret_value);

/* 2 * b.len lowercase digits and a NUL are written to `out`. */
void bytes_to_hex(struct bytes b, char *out);

/* Exactly `len` bytes from 2 * len hex digits of either case. Returns 0 or -EINVAL. */
int bytes_from_hex(struct bytes hex, uint8_t *out, size_t len);

/* What a character of base64 stands for (RFC 4648, section 4), or -1. */
int bytes_base64_digit(uint8_t c);

struct reader {
    struct bytes data;
    size_t pos;
    bool failed;
};

static inline struct reader reader_make(struct bytes data)
{
    return (struct reader){.data = data};
}

static inline size_t reader_left(const struct reader *reader)
{
    return reader->failed ? 0 : reader->data.len - reader->pos;
}

/* The next n bytes, or empty and failed. */
static inline struct bytes reader_take(struct reader *reader, size_t n)
{
    if (n > reader_left(reader)) {
        reader->failed = true;
        return BYTES_NULL;
    }
    struct bytes taken = {reader->data.ptr + reader->pos, n};
    reader->pos += n;
    return taken;
}

/* Everything that is left. */
static inline struct bytes reader_rest(struct reader *reader)
{
    return reader_take(reader, reader_left(reader));
}

/* The bytes before the next `c`; `c` itself is passed over. Failed where there is none. */
struct bytes reader_until(struct reader *reader, uint8_t c);

uint8_t reader_u8(struct reader *reader);
uint16_t reader_be16(struct reader *reader);
uint32_t reader_be32(struct reader *reader);
uint64_t reader_be64(struct reader *reader);
uint16_t reader_le16(struct reader *reader);
uint32_t reader_le32(struct reader *reader);
uint64_t reader_le64(struct reader *reader);
