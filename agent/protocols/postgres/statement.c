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

static struct statement *find(const struct statements *statements, uint64_t name)
{
    for (size_t i = 0; i < STATEMENTS_MAX; i++)
        if (statements->statements[i].name == name)
            return (struct statement *)&statements->statements[i];
    return NULL;
}

const struct statement *statements_find(const struct statements *statements, uint64_t name)
{
    return name ? find(statements, name) : NULL;
}

void statements_add(struct statements *statements, uint64_t name, struct bytes text, bool cut)
{
    struct statement *statement = find(statements, name);

    if (!statement) {
        statement = &statements->statements[statements->next_statement];
        statements->next_statement = (statements->next_statement + 1) % STATEMENTS_MAX;
    }
    statement->name = name;
    statement->len = (uint8_t)MIN(text.len, (size_t)STATEMENT_TEXT_MAX);
    statement->cut = cut || text.len > STATEMENT_TEXT_MAX;
    if (statement->len)
        memcpy(statement->text, text.ptr, statement->len);
}

void statements_remove(struct statements *statements, uint64_t name)
{
    struct statement *statement = find(statements, name);

    if (statement)
        statement->name = 0;
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
