/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pieces of protobuf's wire format that are written by hand: varints, fixed integers, and the
 * head of a length-delimited field whose number is below 16.
 *
 *   [ number << 3 | type ][ value ]                       varint, fixed64, fixed32
 *   [ number << 3 | 2 ][ length, varint ][ length bytes ] text, bytes, messages
 *
 * Format: protobuf.dev/programming-guides/encoding.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define WIRE_VARINT_MAX 10 /* bytes of the longest varint */

enum wire_type {
    WIRE_TYPE_VARINT = 0,
    WIRE_TYPE_FIXED64 = 1,
    WIRE_TYPE_LEN = 2,
    WIRE_TYPE_FIXED32 = 5,
};

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

static inline uint8_t *wire_put_varint(uint8_t *place, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *place++ = (uint8_t)(value | 0x80);
    *place++ = (uint8_t)value;
    return place;
}

/* The n low bytes, little endian. */
static inline uint8_t *wire_put_le(uint8_t *place, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        *place++ = (uint8_t)(value >> (8 * i));
    return place;
}

/* Writes the head of a length-delimited field; returns where its content goes. */
static inline uint8_t *wire_put_head(uint8_t *place, unsigned number, size_t len)
{
    *place++ = (uint8_t)(number << 3 | WIRE_TYPE_LEN);
    return wire_put_varint(place, len);
}
