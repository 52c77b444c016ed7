/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two pieces of protobuf's wire format that framing by hand needs: the varint, and the head of
 * a length-delimited field whose number is below 16.
 *
 *   [ number << 3 | 2 ][ length, varint ][ length bytes ]
 *
 * Format: protobuf.dev/programming-guides/encoding.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define WIRE_VARINT_MAX 10 /* bytes of the longest varint */

static inline size_t wire_varint_size(uint64_t value)
{
    /* One byte per 7 bits, at least one. */
    return (size_t)(63 - __builtin_clzll(value | 1)) / 7 + 1;
}

/* The size of a length-delimited field with `len` bytes of content. */
static inline size_t wire_field_size(size_t len)
{
    return 1 + wire_varint_size(len) + len;
}

/* Writes the head of such a field; returns where its content goes. */
static inline uint8_t *wire_put_head(uint8_t *place, unsigned number, size_t len)
{
    *place++ = (uint8_t)(number << 3 | 2);
    for (; len >= 0x80; len >>= 7)
        *place++ = (uint8_t)(len | 0x80);
    *place++ = (uint8_t)len;
    return place;
}
