/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row of a table of settings: the agent's own (settings.c), or the section of a room that this
 * one does not know, as each exporter's (struct setting_section). The type says how the value is
 * written and what stands at `offset` in the struct of the table:
 *
 *   BOOLEAN   true, false                          bool
 *   INTEGER   65536                                uint64_t
 *   SIZE      512, 4KiB, 1M (powers of 1024)       uint64_t, bytes
 *   DURATION  200ms, 10s (ns us ms s m h)          uint64_t, nanoseconds
 *   TEXT      any text without control characters  char *
 *   LIST      of such texts                        struct string_list
 */
#pragma once

#include "config/settings.h"

enum setting_type {
    SETTING_BOOLEAN,
    SETTING_INTEGER,
    SETTING_SIZE,
    SETTING_DURATION,
    SETTING_TEXT,
    SETTING_LIST,
    SETTING_TYPE_COUNT,
};

/* What a text, or each item of a list, must be beyond its type. */
struct setting_form {
    bool (*valid)(const char *text);
    const char *expected; /* "a port or a range of ports, such as 80 or 8000-8099" */
};

struct setting {
    const char *key; /* section.name, or a name alone; in a section the name within it */
    enum setting_type type;
    const char *default_text; /* as after the = of an assignment */
    uint64_t min, max;        /* of INTEGER, SIZE and DURATION */
    bool power_of_two;
    const struct setting_form *form; /* TEXT and LIST, or NULL: anything */
    /* What nobody sets is not there: a TEXT is NULL, a LIST has no items and no array, a number is
     * SETTING_NOT_SET; default_text is "". For rows behind which something else stands, so that
     * an explicit empty value is told from none. */
    bool optional;
    const char *variables[2]; /* of an INTEGER: of the environment, the first that is valid counts */
    bool secret; /* may hold a password or a token: never printed, nor quoted in an error */
    size_t offset;
    const char *description;
};

/* A table of its own under one name: NAME.KEY for each of its rows. */
struct setting_section {
    const char *name;
    const struct setting *rows;
    size_t n_rows;
    size_t size; /* of the struct that the rows' offsets are in; all zero is empty */
};

#define SETTING_KEY_MAX 128
#define SETTING_NOT_SET UINT64_MAX

/* A row with the values that it is about. */
struct setting_place {
    const struct setting *row;
    void *values; /* NULL: settings without values, for the reference */
    char key[SETTING_KEY_MAX];
};

extern const struct setting setting_rows[];
extern const size_t setting_count;

/* The i-th row of all: the agent's own, then those of each section. False behind the last. */
bool setting_at(const struct settings *settings, size_t i, struct setting_place *ret_place);

/* The one with this key. */
bool setting_find(const struct settings *settings, const char *key,
                  struct setting_place *ret_place);

/* The name of the type for people: "size", "list". */
const char *setting_type_name(enum setting_type type);

/*
 * Puts the value written as items[0], or as the n items of a LIST, in its place. Returns 0, -EINVAL
 * (not of the type or form), -ERANGE (outside the bounds) or -ENOMEM; a failure changes nothing.
 */
int setting_assign(const struct setting *row, void *values, const char *const *items, size_t n);

/* The same from one text, in which the items of a LIST are separated by commas. */
int setting_assign_text(const struct setting *row, void *values, const char *text);

/* One more item of a LIST; commas are part of it. Also -EINVAL where the row is none. */
int setting_append(const struct setting *row, void *values, const char *item);

/* Of an optional row: whether somebody has set it. True for all others. */
bool setting_is_set(const struct setting *row, const void *values);

/* The default; `values` is zeroed, or has a value of this row. Returns 0 or -ENOMEM. */
int setting_assign_default(const struct setting *row, void *values);

/* Copies one value from a struct to another of its kind. Returns 0 or -ENOMEM. */
int setting_copy(const struct setting *row, const void *from, void *to);

/* Frees what is in the place of a TEXT or LIST. */
void setting_done(const struct setting *row, void *values);

/* What setting_assign takes, as a phrase: "a size from 64 to 16KiB". Cut where `out` ends. */
void setting_describe(const struct setting *row, char *out, size_t size);

/* A value of a numeric type as it is written, in the largest unit without remainder. */
void setting_format_number(enum setting_type type, uint64_t value, char *out, size_t size);

/* Reads a YAML file into `settings`. Errors are logged with file and line. 0 or negative errno. */
int settings_read_yaml(const char *file, struct settings *settings);

/* The keys that could stand where `key` was written, for an error message. */
void setting_describe_keys(const struct settings *settings, const char *key, char *out,
                           size_t size);
