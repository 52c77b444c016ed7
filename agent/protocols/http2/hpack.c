/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading fields (RFC 7541, sections 5 and 6); the table's idea stands in hpack.h.
 *
 *   1xxxxxxx  indexed                      01xxxxxx  literal, to be inserted
 *   001xxxxx  new size of the table        000xxxxx  literal, not to be (or never)
 */
#include "protocols/http2/hpack.h"

#include "protocols/http2/huffman.h"
#include "protocols/http2/names.h"
#include "protocols/http2/static_table.h"

#include "base/macro.h"

#define ENTRY_OVERHEAD 32 /* section 4.1 */
#define INTEGER_MAX (UINT32_C(1) << 28)
#define NAME_MAX_LEN 32 /* longer names are of no interest */

static struct hpack_entry *entry_at(struct hpack_table *table, unsigned i)
{
    return &table->entries[(table->first + i) % HPACK_ENTRIES];
}

static uint32_t entry_size(const struct hpack_entry *entry)
{
    return ENTRY_OVERHEAD + entry->name_len + entry->value_len;
}

static void drop_oldest(struct hpack_table *table)
{
    const struct hpack_entry *entry = entry_at(table, --table->n);

    table->size -= entry_size(entry);
    table->values_used -= entry->has_value ? entry->value_len : 0;
}

void hpack_forget(struct hpack_table *table)
{
    while (table->n)
        drop_oldest(table);
}

static void set_limit(struct hpack_table *table, uint32_t limit)
{
    table->limit = limit;
    table->has_limit = true;
    while (table->size > limit)
        drop_oldest(table);
}

void hpack_begin(struct hpack_table *table)
{
    hpack_forget(table);
    set_limit(table, HPACK_DEFAULT_LIMIT);
}

/* `value` fits the ring: what is in its way is dropped. */
static void store_value(struct hpack_table *table, struct bytes value, struct hpack_entry *entry)
{
    size_t n = MIN(value.len, (size_t)(HPACK_VALUES - table->values_end));

    while (table->values_used + value.len > HPACK_VALUES)
        drop_oldest(table);
    memcpy(table->values + table->values_end, value.ptr, n);
    memcpy(table->values, value.ptr + n, value.len - n);
    entry->value_at = table->values_end;
    entry->has_value = true;
    table->values_end = (uint16_t)((table->values_end + value.len) % HPACK_VALUES);
    table->values_used += (uint16_t)value.len;
}

static struct bytes load_value(const struct hpack_table *table, const struct hpack_entry *entry,
                               struct arena *scratch)
{
    size_t n = MIN(entry->value_len, HPACK_VALUES - entry->value_at);
    uint8_t *out = arena_alloc(scratch, entry->value_len);

    if (!out)
        return BYTES_NULL;
    memcpy(out, table->values + entry->value_at, n);
    memcpy(out + n, table->values, entry->value_len - n);
    return bytes_make(out, entry->value_len);
}

/* Section 4.4: what is larger than the table empties it. */
static void insert(struct hpack_table *table, struct hpack_entry entry, struct bytes value)
{
    if (table->has_limit && entry_size(&entry) > table->limit) {
        hpack_forget(table);
        return;
    }
    while (table->has_limit && table->size + entry_size(&entry) > table->limit)
        drop_oldest(table);
    if (table->n == HPACK_ENTRIES)
        drop_oldest(table);
    if (value.ptr && value.len <= HPACK_VALUES)
        store_value(table, value, &entry);
    table->first = (table->first + HPACK_ENTRIES - 1) % HPACK_ENTRIES;
    table->n++;
    table->size += entry_size(&entry);
    *entry_at(table, 0) = entry;
}

/* Section 5.1; `first` has the prefix of so many bits. False where the number is absurd or cut. */
static bool read_integer(struct reader *block, uint8_t first, unsigned bits, uint32_t *ret_value)
{
    uint32_t mask = (1U << bits) - 1, value = first & mask;
    unsigned shift = 0;
    uint8_t byte = 0x80;

    if (value < mask) {
        *ret_value = value;
        return true;
    }
    while (byte & 0x80) {
        byte = reader_u8(block);
        if (block->failed || shift > 21)
            return false;
        value += (uint32_t)(byte & 0x7f) << shift;
        shift += 7;
    }
    *ret_value = value;
    return value < INTEGER_MAX;
}

struct text {
    struct bytes bytes;
    bool huffman;
};

static bool read_text(struct reader *block, struct text *ret_text)
{
    uint8_t first = reader_u8(block);
    uint32_t len;

    if (block->failed || !read_integer(block, first, 7, &len))
        return false;
    ret_text->huffman = first & 0x80;
    ret_text->bytes = reader_take(block, len);
    return !block->failed;
}

static uint16_t saturate(size_t len)
{
    return (uint16_t)MIN(len, (size_t)UINT16_MAX);
}

static bool read_name(struct reader *block, struct hpack_entry *ret_entry)
{
    uint8_t buffer[NAME_MAX_LEN];
    struct text text;
    size_t len;

    if (!read_text(block, &text))
        return false;
    if (text.huffman) {
        if (!huffman_decode(text.bytes, buffer, sizeof(buffer), &len))
            return false;
        text.bytes = bytes_make(buffer, len);
    }
    ret_entry->name = text.bytes.len <= sizeof(buffer) ? http2_name_of(text.bytes)
                                                       : HTTP2_NAME_OTHER;
    ret_entry->name_len = saturate(text.bytes.len);
    return true;
}

static bool is_wanted(uint8_t name)
{
    return name != HTTP2_NAME_OTHER && name != HTTP2_NAME_UNKNOWN;
}

/* The value is decoded only where it is of interest; its length is needed always. */
static bool read_value(struct reader *block, struct arena *scratch, struct hpack_entry *entry,
                       struct bytes *ret_value)
{
    struct text text;
    uint8_t *out = NULL;
    size_t bound, len;

    if (!read_text(block, &text))
        return false;
    *ret_value = text.bytes;
    if (text.huffman) {
        bound = HUFFMAN_BOUND(text.bytes.len);
        out = is_wanted(entry->name) ? arena_alloc(scratch, bound) : NULL;
        if (!huffman_decode(text.bytes, out, out ? bound : 0, &len))
            return false;
        if (out)
            scratch->used = (size_t)(out - scratch->base) + len;
        *ret_value = bytes_make(out, len);
    }
    entry->value_len = saturate(ret_value->len);
    if (!is_wanted(entry->name))
        ret_value->ptr = NULL;
    return true;
}

/* The entry of an index, by value; its name is unknown where it was inserted unseen. */
static struct hpack_entry look_up(struct hpack_table *table, uint32_t index)
{
    if (index <= STATIC_TABLE_LEN) {
        const struct static_row *row = &static_table[index - 1];

        return (struct hpack_entry){.name = row->name, .name_len = row->name_len};
    }
    index -= STATIC_TABLE_LEN + 1;
    return index < table->n ? *entry_at(table, index)
                            : (struct hpack_entry){.name = HTTP2_NAME_UNKNOWN};
}

static enum hpack_result read_indexed(struct hpack_table *table, uint32_t index,
                                      struct arena *scratch, struct hpack_field *ret_field)
{
    struct hpack_entry entry;
    struct bytes value = BYTES_NULL;

    if (index == 0)
        return HPACK_BAD;
    entry = look_up(table, index);
    if (is_wanted(entry.name) && index <= STATIC_TABLE_LEN)
        value = arena_copy(scratch, static_table[index - 1].value);
    else if (is_wanted(entry.name) && entry.has_value)
        value = load_value(table, &entry, scratch);
    *ret_field = (struct hpack_field){entry.name, value.ptr != NULL, value};
    return HPACK_FIELD;
}

static enum hpack_result read_literal(struct hpack_table *table, struct reader *block,
                                      uint32_t index, bool inserts, struct arena *scratch,
                                      struct hpack_field *ret_field)
{
    struct hpack_entry entry = {0};
    struct bytes value;

    if (index) {
        entry = look_up(table, index);
        entry.has_value = false;
    } else if (!read_name(block, &entry)) {
        return HPACK_BAD;
    }
    if (!read_value(block, scratch, &entry, &value))
        return HPACK_BAD;
    if (inserts)
        insert(table, entry, value);
    *ret_field = (struct hpack_field){entry.name, value.ptr != NULL, value};
    return HPACK_FIELD;
}

enum hpack_result hpack_next(struct hpack_table *table, struct reader *block, bool first,
                             struct arena *scratch, struct hpack_field *ret_field)
{
    uint8_t byte;
    uint32_t number;

    while (reader_left(block)) {
        byte = reader_u8(block);
        if (byte & 0x80)
            return read_integer(block, byte, 7, &number)
                       ? read_indexed(table, number, scratch, ret_field)
                       : HPACK_BAD;
        if ((byte & 0xe0) != 0x20)
            return read_integer(block, byte, byte & 0x40 ? 6 : 4, &number)
                       ? read_literal(table, block, number, byte & 0x40, scratch, ret_field)
                       : HPACK_BAD;
        if (!first || !read_integer(block, byte, 5, &number))
            return HPACK_BAD;
        set_limit(table, number);
    }
    return block->failed ? HPACK_BAD : HPACK_END;
}
