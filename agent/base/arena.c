/* SPDX-License-Identifier: Apache-2.0 */
/* The bump allocator; its contract stands in arena.h. */
#include "base/arena.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int arena_init(struct arena *arena, size_t size)
{
    uint8_t *base = malloc(size);

    if (!base)
        return -ENOMEM;
    *arena = arena_over(base, size);
    return 0;
}

void arena_done(struct arena *arena)
{
    free(arena->base);
    *arena = (struct arena){0};
}

void *arena_alloc(struct arena *arena, size_t n)
{
    size_t start = (arena->used + 7) & ~(size_t)7;

    if (start > arena->size || n > arena->size - start)
        return NULL;
    arena->used = start + n;
    return arena->base + start;
}

struct bytes arena_copy(struct arena *arena, struct bytes b)
{
    size_t left = arena->size - arena->used;
    struct bytes copy = {arena->base + arena->used, b.len < left ? b.len : left};

    if (copy.len)
        memcpy(arena->base + arena->used, b.ptr, copy.len);
    arena->used += copy.len;
    return copy;
}

struct bytes arena_printf(struct arena *arena, const char *format, ...)
{
    size_t left = arena->size - arena->used;
    char *out = (char *)arena->base + arena->used;
    va_list args;
    int n;

    if (left == 0)
        return BYTES_NULL;
    va_start(args, format);
    n = vsnprintf(out, left, format, args);
    va_end(args);
    if (n < 0)
        return BYTES_NULL;
    /* vsnprintf wrote a NUL behind the text: it is overwritten by the next allocation. */
    size_t len = (size_t)n < left ? (size_t)n : left - 1;
    arena->used += len;
    return bytes_make(out, len);
}
