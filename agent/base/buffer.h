/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growable byte buffer that takes its cap when it is made. An append that would pass the cap, or
 * for which there is no memory, leaves the content as it was and marks the buffer failed, so that
 * a group of appends is checked once.
 */
#pragma once

#include "base/bytes.h"
#include "base/macro.h"

struct buffer {
    uint8_t *ptr;
    size_t len;
    size_t allocated;
    size_t cap;
    bool failed;
};

static inline struct buffer buffer_make(size_t cap)
{
    return (struct buffer){.cap = cap};
}

void buffer_done(struct buffer *buffer);

static inline void buffer_reset(struct buffer *buffer)
{
    buffer->len = 0;
    buffer->failed = false;
}

static inline struct bytes buffer_bytes(const struct buffer *buffer)
{
    return (struct bytes){buffer->ptr, buffer->len};
}

/* Room for n more bytes, which the caller fills: the place, or NULL (and failed). */
uint8_t *buffer_extend(struct buffer *buffer, size_t n);

void buffer_append(struct buffer *buffer, const void *ptr, size_t n);

static inline void buffer_append_bytes(struct buffer *buffer, struct bytes b)
{
    buffer_append(buffer, b.ptr, b.len);
}

void buffer_printf(struct buffer *buffer, const char *format, ...) _printf_(2, 3);

/* Little endian, as the record file has them. */
void buffer_append_le(struct buffer *buffer, uint64_t value, size_t n_bytes);
