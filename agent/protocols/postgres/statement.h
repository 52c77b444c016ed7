/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The prepared statements and portals of a connection, as far as there is room: what was forgotten,
 * or prepared before the connection was seen, is unknown, and said to be.
 */
#pragma once

#include "base/bytes.h"

#define STATEMENTS_MAX 16
#define STATEMENT_TEXT_MAX 190 /* bytes of a statement's text that are kept */
#define PORTALS_MAX 4

struct statement {
    uint64_t hash; /* of the text, as far as it was seen */
    uint8_t len;
    uint8_t cut; /* the text was longer */
    uint8_t text[STATEMENT_TEXT_MAX];
};

struct portal {
    uint64_t name;
    uint64_t statement;
};

struct statements {
    uint64_t names[STATEMENTS_MAX]; /* hashes; 0: an empty slot */
    struct statement statements[STATEMENTS_MAX];
    struct portal portals[PORTALS_MAX];
    uint8_t next_statement;
    uint8_t next_portal;
};

/* Never 0. */
uint64_t statement_name(struct bytes name);

/* The name's text is now this; an older one is forgotten. The result lives as long as the name. */
const struct statement *statements_add(struct statements *statements, uint64_t name,
                                       struct bytes text, bool cut);
void statements_remove(struct statements *statements, uint64_t name);
const struct statement *statements_find(const struct statements *statements, uint64_t name);

/* The portal runs the statement; 0: it is not known. */
void portals_add(struct statements *statements, uint64_t name, uint64_t statement);
uint64_t portals_find(const struct statements *statements, uint64_t name);
