/* SPDX-License-Identifier: Apache-2.0 */
/* The fixed pool; its contract stands in pool.h. */
#include "base/pool.h"

#include "base/macro.h"

#include <assert.h>
#include <errno.h>
#include <sys/mman.h>

int pool_init(struct pool *pool, size_t object_size, size_t capacity)
{
    size_t total;
    void *memory;

    object_size = (MAX(object_size, sizeof(void *)) + 15) & ~(size_t)15;
    if (capacity == 0 || __builtin_mul_overflow(object_size, capacity, &total))
        return -ENOMEM;
    /* mmap rather than malloc: untouched pages stay out of the resident set. */
    memory = mmap(NULL, total, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    *pool = (struct pool){.memory = memory, .object_size = object_size, .capacity = capacity};
    return 0;
}

void pool_done(struct pool *pool)
{
    if (pool->memory)
        munmap(pool->memory, pool->object_size * pool->capacity);
    *pool = (struct pool){0};
}

void *pool_take(struct pool *pool)
{
    void *object = pool->free_list;

    if (object)
        pool->free_list = *(void **)object;
    else if (pool->touched < pool->capacity)
        object = pool->memory + pool->object_size * pool->touched++;
    else
        return NULL;
    pool->in_use++;
    return object;
}

void pool_give(struct pool *pool, void *object)
{
    if (!object)
        return;
    assert(pool->in_use > 0);
    *(void **)object = pool->free_list;
    pool->free_list = object;
    pool->in_use--;
}
