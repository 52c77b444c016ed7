/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Equal objects, all allocated at start, handed out last-in first-out, so that memory that was
 * never needed is never touched: a pool for 65,536 exchanges costs what the busiest moment used.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct pool {
    uint8_t *memory;
    size_t object_size;
    size_t capacity;
    size_t touched; /* objects ever handed out: the next fresh one */
    size_t in_use;
    void *free_list;
};

/* Returns 0 or -ENOMEM. Objects are aligned to 16 bytes. */
int pool_init(struct pool *pool, size_t object_size, size_t capacity);
void pool_done(struct pool *pool);

/* An object with undefined content, or NULL when all are in use. */
void *pool_take(struct pool *pool);

/* NULL is fine. */
void pool_give(struct pool *pool, void *object);
