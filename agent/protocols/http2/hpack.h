/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HPACK (RFC 7541) for an observer, who may join a connection midway:
 *
 *   index   1 .. 61   62 ..              .. 61+n    61+n+1 ..
 *           static    entries seen, newest first    inserted before: unknown, never guessed
 *
 * What was inserted unseen lies behind all that was seen since, so known entries always have their
 * right index. Behind a block that was lost nothing is certain: hpack_forget.
 *
 * Of the entries only the values of interest are kept (names.h), in a ring of bytes; the others are
 * a name and two lengths. Where either ring is full the oldest entry becomes unknown, too.
 */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"

#define HPACK_ENTRIES 128 /* a table of the default size, 4,096, has at most so many */
#define HPACK_VALUES 2048
#define HPACK_DEFAULT_LIMIT 4096

struct hpack_entry {
    uint16_t name_len; /* lengths saturate */
    uint16_t value_len;
    uint16_t value_at; /* in the ring, where has_value */
    uint8_t name;
    bool has_value;
};

/* Zeroed: nothing is known, not even the limit. */
struct hpack_table {
    uint32_t limit; /* of `size`, where has_limit */
    uint32_t size;  /* of the known entries, by section 4.1 */
    bool has_limit;
    uint8_t first; /* the newest entry's place, */
    uint8_t n;     /* and their number */
    uint16_t values_end;
    uint16_t values_used;
    struct hpack_entry entries[HPACK_ENTRIES];
    uint8_t values[HPACK_VALUES];
};

struct hpack_field {
    uint8_t name;       /* names.h */
    bool value_known;   /* else `value` is empty: of no interest, inserted unseen, or too long */
    struct bytes value; /* in the block or the scratch */
};

enum hpack_result { HPACK_FIELD, HPACK_END, HPACK_BAD };

/* All entries become unknown. */
void hpack_forget(struct hpack_table *table);

/* The table is empty and of the default size: a connection's beginning. */
void hpack_begin(struct hpack_table *table);

/*
 * The next field of a block. END is its regular end, BAD breaks the RFC. `first` allows changes of
 * the table's size, which must precede all fields. Strings are decoded into the scratch.
 */
enum hpack_result hpack_next(struct hpack_table *table, struct reader *block, bool first,
                             struct arena *scratch, struct hpack_field *ret_field);
