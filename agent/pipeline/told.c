/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and their names; the contract stands in told.h. */
#include "pipeline/told.h"

#include "base/hash.h"
#include "base/macro.h"

#include <arpa/inet.h>

struct entry {
    struct table_link link;
    struct list lru;
    uint8_t address[16];
    uint8_t len;
    uint8_t name[TOLD_NAME_MAX];
};

int told_init(struct told *told)
{
    int r = table_init(&told->table, TOLD_MAX);

    list_init(&told->lru);
    return r < 0 ? r : pool_init(&told->pool, sizeof(struct entry), TOLD_MAX);
}

void told_done(struct told *told)
{
    table_done(&told->table);
    pool_done(&told->pool);
}

static uint64_t key_of(const uint8_t address[16])
{
    return hash_bytes(bytes_make(address, 16));
}

static struct entry *find(struct told *told, const uint8_t address[16])
{
    struct table_link *link = table_find(&told->table, key_of(address));

    for (; link; link = table_next(link)) {
        struct entry *entry = container_of(link, struct entry, link);

        if (memcmp(entry->address, address, sizeof(entry->address)) == 0)
            return entry;
    }
    return NULL;
}

static struct entry *make(struct told *told, const uint8_t address[16])
{
    struct entry *entry = pool_take(&told->pool);

    if (!entry) {
        entry = container_of(told->lru.next, struct entry, lru);
        table_remove(&told->table, &entry->link);
        list_remove(&entry->lru);
    }
    memcpy(entry->address, address, sizeof(entry->address));
    list_init(&entry->lru);
    list_append(&told->lru, &entry->lru);
    table_insert(&told->table, key_of(address), &entry->link);
    return entry;
}

/* False: it is no address. */
static bool parse_address(struct bytes text, uint8_t ret_address[16])
{
    static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};
    char copy[INET6_ADDRSTRLEN];

    if (text.len >= sizeof(copy))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    memcpy(ret_address, v4_prefix, sizeof(v4_prefix));
    return inet_pton(AF_INET, copy, ret_address + 12) == 1 ||
           inet_pton(AF_INET6, copy, ret_address) == 1;
}

void told_learn(struct told *told, const struct span *span)
{
    struct bytes name = span->told_name;
    uint8_t address[16];

    if (name.len == 0 || name.len > TOLD_NAME_MAX)
        return;
    for (size_t i = 0; i < span->n_told_addresses; i++) {
        struct entry *entry;

        if (!parse_address(span->told_addresses[i], address))
            continue;
        entry = find(told, address) ?: make(told, address);
        list_move_to_end(&told->lru, &entry->lru);
        entry->len = (uint8_t)name.len;
        memcpy(entry->name, name.ptr, name.len);
    }
}

struct bytes told_name(struct told *told, const uint8_t address[16])
{
    struct entry *entry = find(told, address);

    if (!entry)
        return BYTES_NULL;
    list_move_to_end(&told->lru, &entry->lru);
    return bytes_make(entry->name, entry->len);
}
