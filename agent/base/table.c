/* SPDX-License-Identifier: Apache-2.0 */
/* The intrusive hash table; its contract stands in table.h. */
#include "base/table.h"

#include "base/hash.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static struct table_link **bucket(const struct table *table, uint64_t key)
{
    return &table->buckets[hash_mix(key) & (table->n_buckets - 1)];
}

int table_init(struct table *table, size_t expected)
{
    size_t n = 16;
    struct table_link **buckets;

    while (n < expected)
        n *= 2;
    buckets = calloc(n, sizeof(*buckets));
    if (!buckets)
        return -ENOMEM;
    *table = (struct table){.buckets = buckets, .n_buckets = n};
    return 0;
}

void table_done(struct table *table)
{
    free(table->buckets);
    *table = (struct table){0};
}

struct table_link *table_find(const struct table *table, uint64_t key)
{
    struct table_link *link = *bucket(table, key);

    while (link && link->key != key)
        link = link->next;
    return link;
}

struct table_link *table_next(const struct table_link *link)
{
    uint64_t key = link->key;

    do
        link = link->next;
    while (link && link->key != key);
    return (struct table_link *)link;
}

void table_insert(struct table *table, uint64_t key, struct table_link *link)
{
    struct table_link **head = bucket(table, key);

    link->key = key;
    link->next = *head;
    *head = link;
    table->n_members++;
}

void table_remove(struct table *table, struct table_link *link)
{
    struct table_link **slot = bucket(table, link->key);

    while (*slot && *slot != link)
        slot = &(*slot)->next;
    assert(*slot);
    *slot = link->next;
    link->next = NULL;
    table->n_members--;
}
