/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chained hash table whose links live inside the members: no allocation after start, and no limit
 * of its own (the pool that the members come from has one). Keys are 64-bit; a wider key is hashed
 * to 64 bits and compared by the owner.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct table_link {
    struct table_link *next;
    uint64_t key;
};

struct table {
    struct table_link **buckets;
    size_t n_buckets; /* a power of two */
    size_t n_members;
};

/* `expected` members fill it to about one per bucket. Returns 0 or -ENOMEM. */
int table_init(struct table *table, size_t expected);
void table_done(struct table *table);

/* The newest member with this key, or NULL. */
struct table_link *table_find(const struct table *table, uint64_t key);

/* The next older member with the same key, or NULL. */
struct table_link *table_next(const struct table_link *link);

void table_insert(struct table *table, uint64_t key, struct table_link *link);

/* `link` must be in the table. */
void table_remove(struct table *table, struct table_link *link);
