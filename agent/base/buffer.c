/* SPDX-License-Identifier: Apache-2.0 */
/* The capped growable buffer; its contract stands in buffer.h. */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BUFFER_FIRST_SIZE 256

void buffer_done(struct buffer *buffer)
{
    free(buffer->ptr);
    *buffer = buffer_make(buffer->cap);
}

static bool buffer_reserve(struct buffer *buffer, size_t n)
{
    size_t wanted = MAX(buffer->allocated, (size_t)BUFFER_FIRST_SIZE);
    uint8_t *grown;

    if (buffer->failed || n > buffer->cap - buffer->len) {
        buffer->failed = true;
        return false;
    }
    while (wanted - buffer->len < n)
        wanted *= 2;
    if (wanted > buffer->allocated) {
        grown = realloc(buffer->ptr, wanted);
        if (!grown) {
            buffer->failed = true;
            return false;
        }
        buffer->ptr = grown;
        buffer->allocated = wanted;
    }
    return true;
}

uint8_t *buffer_extend(struct buffer *buffer, size_t n)
{
    if (!buffer_reserve(buffer, n))
        return NULL;
    buffer->len += n;
    return buffer->ptr + buffer->len - n;
}

void buffer_append(struct buffer *buffer, const void *ptr, size_t n)
{
    uint8_t *place = buffer_extend(buffer, n);

    if (place && n)
        memcpy(place, ptr, n);
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args, again;
    int n;

    va_start(args, format);
    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, args);
    /* One more for the NUL, which is then given back. */
    if (n < 0 || !buffer_reserve(buffer, (size_t)n + 1)) {
        buffer->failed = true;
    } else {
        vsnprintf((char *)buffer->ptr + buffer->len, (size_t)n + 1, format, again);
        buffer->len += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

void buffer_append_le(struct buffer *buffer, uint64_t value, size_t n_bytes)
{
    uint8_t *place = buffer_extend(buffer, n_bytes);

    for (size_t i = 0; place && i < n_bytes; i++)
        place[i] = (uint8_t)(value >> (8 * i));
}
