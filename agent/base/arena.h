/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bump allocator over one block that is allocated once: for what lives and dies together.
 *
 *   [ used ........ | free ................ ]
 *   ^base           ^base+used              ^base+size
 *
 * Running out is an answer (NULL, or a shortened copy), never an abort: arenas hold foreign bytes.
 */
#pragma once

#include "base/bytes.h"

struct arena {
    uint8_t *base;
    size_t size;
    size_t used;
};

/* Allocates the block. Returns 0 or -ENOMEM; arena_done() releases it. */
int arena_init(struct arena *arena, size_t size);
void arena_done(struct arena *arena);

/* An arena over memory that somebody else owns. */
static inline struct arena arena_over(void *memory, size_t size)
{
    return (struct arena){.base = memory, .size = size};
}

static inline void arena_reset(struct arena *arena)
{
    arena->used = 0;
}

/* n bytes aligned to 8, not zeroed, or NULL when the arena is full. */
void *arena_alloc(struct arena *arena, size_t n);

/* A copy of `b`; shorter than `b` where the arena has less room. */
struct bytes arena_copy(struct arena *arena, struct bytes b);

/* printf into the arena; cut where the arena ends, no NUL in the result's length. */
struct bytes arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
