/* SPDX-License-Identifier: Apache-2.0 */
/* Prepared statements; their contract stands in statement.h. */
#include "protocols/postgres/statement.h"

#include "base/hash.h"
#include "base/macro.h"

#include <assert.h>

static_assert(STATEMENT_TEXT_MAX <= UINT8_MAX, "a length is one byte");

uint64_t statement_name(struct bytes name)
{
    uint64_t hash = hash_bytes(name);

    return hash ? hash : 1;
}

/* The name's slot, or STATEMENTS_MAX. */
static size_t find(const struct statements *statements, uint64_t name)
{
    size_t slot = 0;

    while (slot < STATEMENTS_MAX && statements->names[slot] != name)
        slot++;
    return slot;
}

const struct statement *statements_find(const struct statements *statements, uint64_t name)
{
    size_t slot = name ? find(statements, name) : STATEMENTS_MAX;

    return slot < STATEMENTS_MAX ? &statements->statements[slot] : NULL;
}

const struct statement *statements_add(struct statements *statements, uint64_t name,
                                       struct bytes text, bool cut)
{
    size_t slot = find(statements, name);
    struct statement *statement;

    if (slot == STATEMENTS_MAX) {
        slot = statements->next_statement;
        statements->next_statement = (statements->next_statement + 1) % STATEMENTS_MAX;
    }
    statement = &statements->statements[slot];
    statements->names[slot] = name;
    statement->cut = cut || text.len > STATEMENT_TEXT_MAX;
    statement->hash = hash_bytes(text);
    text = bytes_slice(text, 0, STATEMENT_TEXT_MAX);
    statement->len = (uint8_t)text.len;
    if (text.len)
        memcpy(statement->text, text.ptr, text.len);
    return statement;
}

void statements_remove(struct statements *statements, uint64_t name)
{
    size_t slot = find(statements, name);

    if (slot < STATEMENTS_MAX)
        statements->names[slot] = 0;
}

static struct portal *find_portal(const struct statements *statements, uint64_t name)
{
    for (size_t i = 0; i < PORTALS_MAX; i++)
        if (statements->portals[i].name == name)
            return (struct portal *)&statements->portals[i];
    return NULL;
}

void portals_add(struct statements *statements, uint64_t name, uint64_t statement)
{
    struct portal *portal = find_portal(statements, name);

    if (!portal) {
        portal = &statements->portals[statements->next_portal];
        statements->next_portal = (statements->next_portal + 1) % PORTALS_MAX;
    }
    *portal = (struct portal){name, statement};
}

uint64_t portals_find(const struct statements *statements, uint64_t name)
{
    const struct portal *portal = find_portal(statements, name);

    return portal ? portal->statement : 0;
}
