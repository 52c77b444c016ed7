/* SPDX-License-Identifier: Apache-2.0 */
/* How values of each type are read and written; the contracts stand in setting.h. */
#include "config/setting.h"

#include "base/bytes.h"
#include "base/macro.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *suffix;
    uint64_t factor;
};

/* Largest first, the preferred suffix of a factor before its other names. */
static const struct unit size_units[] = {
    {"GiB", 1 << 30}, {"G", 1 << 30}, {"MiB", 1 << 20}, {"M", 1 << 20},
    {"KiB", 1 << 10}, {"K", 1 << 10}, {"", 1},          {"B", 1},
};

static const struct unit duration_units[] = {
    {"h", UINT64_C(3600000000000)}, {"m", UINT64_C(60000000000)}, {"s", 1000000000},
    {"ms", 1000000},                {"us", 1000},                 {"ns", 1},
};

static const struct unit integer_units[] = {{"", 1}};

struct unit_set {
    const struct unit *units;
    size_t n;
};

static const struct unit_set unit_sets[SETTING_TYPE_COUNT] = {
    [SETTING_INTEGER] = {integer_units, ELEMENTSOF(integer_units)},
    [SETTING_SIZE] = {size_units, ELEMENTSOF(size_units)},
    [SETTING_DURATION] = {duration_units, ELEMENTSOF(duration_units)},
};

static const char *const type_names[SETTING_TYPE_COUNT] = {
    [SETTING_BOOLEAN] = "boolean", [SETTING_INTEGER] = "integer", [SETTING_SIZE] = "size",
    [SETTING_DURATION] = "duration", [SETTING_TEXT] = "text",     [SETTING_LIST] = "list",
};

const char *setting_type_name(enum setting_type type)
{
    return type_names[type];
}

static int parse_number(enum setting_type type, const char *text, uint64_t *ret_value)
{
    struct bytes digits = {(const uint8_t *)text, strspn(text, "0123456789")};
    const char *suffix = text + digits.len;
    const struct unit_set *set = &unit_sets[type];
    uint64_t value;
    int r;

    r = bytes_parse_u64(digits, &value);
    if (r < 0)
        return r;
    for (size_t i = 0; i < set->n; i++)
        if (strcmp(suffix, set->units[i].suffix) == 0)
            return __builtin_mul_overflow(value, set->units[i].factor, ret_value) ? -ERANGE : 0;
    return -EINVAL;
}

static int assign_number(const struct setting *row, uint64_t *slot, const char *text)
{
    uint64_t value;
    int r;

    r = parse_number(row->type, text, &value);
    if (r < 0)
        return r;
    if (value < row->min || value > row->max)
        return -ERANGE;
    if (row->power_of_two && (value & (value - 1)))
        return -ERANGE;
    *slot = value;
    return 0;
}

static int assign_boolean(bool *slot, const char *text)
{
    bool yes = strcmp(text, "true") == 0;

    if (!yes && strcmp(text, "false") != 0)
        return -EINVAL;
    *slot = yes;
    return 0;
}

static int check_text(const struct setting *row, const char *text)
{
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return -EINVAL;
    return row->form && !row->form->valid(text) ? -EINVAL : 0;
}

static int assign_text(const struct setting *row, char **slot, const char *text)
{
    char *copy;
    int r;

    r = check_text(row, text);
    if (r < 0)
        return r;
    copy = strdup(text);
    if (!copy)
        return -ENOMEM;
    free(*slot);
    *slot = copy;
    return 0;
}

void string_list_done(struct string_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct string_list){0};
}

static int assign_list(const struct setting *row, struct string_list *slot,
                       const char *const *items, size_t n)
{
    _cleanup_(string_list_done) struct string_list list = {0};
    struct string_list old = *slot;
    int r;

    list.items = calloc(n ? n : 1, sizeof(*list.items));
    if (!list.items)
        return -ENOMEM;
    for (; list.n < n; list.n++) {
        r = assign_text(row, &list.items[list.n], items[list.n]);
        if (r < 0)
            return r;
    }
    *slot = list;
    list = old;
    return 0;
}

int setting_assign(const struct setting *row, void *values, const char *const *items, size_t n)
{
    void *slot = (char *)values + row->offset;

    assert(n == 1 || row->type == SETTING_LIST);
    switch (row->type) {
    case SETTING_BOOLEAN:
        return assign_boolean(slot, items[0]);
    case SETTING_INTEGER:
    case SETTING_SIZE:
    case SETTING_DURATION:
        return assign_number(row, slot, items[0]);
    case SETTING_TEXT:
        return assign_text(row, slot, items[0]);
    case SETTING_LIST:
        return assign_list(row, slot, items, n);
    case SETTING_TYPE_COUNT:
        break;
    }
    assert(!"a row of the table has no type");
    return -EINVAL;
}

int setting_assign_text(const struct setting *row, void *values, const char *text)
{
    _cleanup_(freep) const char **items = NULL;
    _cleanup_(freep) char *copy = strdup(text);
    size_t n = 1;

    if (!copy)
        return -ENOMEM;
    for (const char *c = text; row->type == SETTING_LIST && *c; c++)
        n += *c == ',';
    items = calloc(n, sizeof(*items));
    if (!items)
        return -ENOMEM;
    items[0] = copy;
    if (row->type == SETTING_LIST) {
        char *rest = copy;

        n = 0;
        while (*text && rest)
            items[n++] = strsep(&rest, ",");
    }
    return setting_assign(row, values, items, n);
}

int setting_append(const struct setting *row, void *values, const char *item)
{
    const struct string_list *list = (void *)((char *)values + row->offset);
    _cleanup_(freep) const char **items = NULL;

    if (row->type != SETTING_LIST)
        return -EINVAL;
    items = calloc(list->n + 1, sizeof(*items));
    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < list->n; i++)
        items[i] = list->items[i];
    items[list->n] = item;
    return setting_assign(row, values, items, list->n + 1);
}

static bool is_number(const struct setting *row)
{
    return unit_sets[row->type].n > 0;
}

bool setting_is_set(const struct setting *row, const void *values)
{
    const void *slot = (const char *)values + row->offset;

    if (!row->optional)
        return true;
    if (is_number(row))
        return *(const uint64_t *)slot != SETTING_NOT_SET;
    return row->type == SETTING_LIST ? ((const struct string_list *)slot)->items != NULL
                                     : *(char *const *)slot != NULL;
}

int setting_assign_default(const struct setting *row, void *values)
{
    if (!row->optional)
        return setting_assign_text(row, values, row->default_text);
    setting_done(row, values);
    if (is_number(row))
        *(uint64_t *)((char *)values + row->offset) = SETTING_NOT_SET;
    else if (row->type == SETTING_TEXT)
        *(char **)((char *)values + row->offset) = NULL;
    return 0;
}

int setting_copy(const struct setting *row, const void *from, void *to)
{
    const void *source = (const char *)from + row->offset;
    const struct string_list *list = source;
    void *slot = (char *)to + row->offset;

    if (!setting_is_set(row, from))
        return setting_assign_default(row, to);
    switch (row->type) {
    case SETTING_BOOLEAN:
        memcpy(slot, source, sizeof(bool));
        return 0;
    case SETTING_TEXT:
        return setting_assign(row, to, source, 1);
    case SETTING_LIST:
        return setting_assign(row, to, (const char *const *)list->items, list->n);
    default:
        memcpy(slot, source, sizeof(uint64_t));
        return 0;
    }
}

void setting_done(const struct setting *row, void *values)
{
    void *slot = (char *)values + row->offset;

    if (row->type == SETTING_TEXT)
        freep(slot);
    else if (row->type == SETTING_LIST)
        string_list_done(slot);
}

void setting_format_number(enum setting_type type, uint64_t value, char *out, size_t size)
{
    const struct unit_set *set = &unit_sets[type];
    const struct unit *unit = &set->units[set->n - 1];

    for (size_t i = 0; i < set->n; i++)
        if (value && value % set->units[i].factor == 0) {
            unit = &set->units[i];
            break;
        }
    snprintf(out, size, "%" PRIu64 "%s", value / unit->factor, unit->suffix);
}

static void describe_number(const struct setting *row, char *out, size_t size)
{
    static const char *const articles[SETTING_TYPE_COUNT] = {
        [SETTING_INTEGER] = "a number",
        [SETTING_SIZE] = "a size (bytes, KiB, MiB, GiB)",
        [SETTING_DURATION] = "a duration (ns, us, ms, s, m, h)",
    };
    char min[32], max[32];

    setting_format_number(row->type, row->min, min, sizeof(min));
    setting_format_number(row->type, row->max, max, sizeof(max));
    snprintf(out, size, "%s from %s to %s%s", articles[row->type], min, max,
             row->power_of_two ? ", a power of two" : "");
}

void setting_describe(const struct setting *row, char *out, size_t size)
{
    const char *form = row->form ? row->form->expected : "text without control characters";

    switch (row->type) {
    case SETTING_BOOLEAN:
        snprintf(out, size, "true or false");
        break;
    case SETTING_TEXT:
        snprintf(out, size, "%s", form);
        break;
    case SETTING_LIST:
        snprintf(out, size, "a list, each item %s", form);
        break;
    default:
        describe_number(row, out, size);
    }
}
