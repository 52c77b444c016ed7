/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HPACK against nghttp2: what it deflates we must read, what it inflates we must read alike, and of
 * what was inserted before a join nothing may be invented.
 */
#include "protocols/http2/hpack.h"
#include "protocols/http2/names.h"
#include "protocols/http2/static_table.h"

#include "base/hash.h"
#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <nghttp2/nghttp2.h>

#define FIELDS_MAX 16
#define BLOCKS 400
#define BLOCK_SIZE 8192

static uint8_t scratch_memory[32768];

struct known {
    uint8_t name;
    bool known;
    char value[512];
};

/* The fields of a block, without the values that are of no interest. */
struct found {
    unsigned n;
    struct known fields[64];
    bool unknown;
    enum hpack_result end;
};

static struct found read_block(struct hpack_table *table, struct bytes block)
{
    struct reader reader = reader_make(block);
    struct found found = {0};
    struct hpack_field field;
    bool first = true;

    for (;;) {
        struct arena scratch = arena_over(scratch_memory, sizeof(scratch_memory));

        found.end = hpack_next(table, &reader, first, &scratch, &field);
        if (found.end != HPACK_FIELD)
            return found;
        first = false;
        found.unknown |= field.name == HTTP2_NAME_UNKNOWN;
        if (found.n == ELEMENTSOF(found.fields))
            continue;
        struct known *known = &found.fields[found.n++];

        known->name = field.name;
        known->known = field.value_known;
        snprintf(known->value, sizeof(known->value), "%.*s", BYTES_PRINTF(field.value));
    }
}

/* ---- lists of fields as programs send them --------------------------------------------------- */

struct text_field {
    char name[64];
    char value[300];
};

static uint64_t random_number(uint64_t *seed, uint64_t n)
{
    return hash_mix((*seed)++) % n;
}

/* Names of interest and others, values from few and from many. */
static struct text_field random_field(uint64_t *seed)
{
    static const char *const names[] = {
        ":path",      ":authority",  ":method",    "user-agent", "content-length", "cookie",
        "grpc-status", "traceparent", "x-b3-traceid", "accept",   "authorization",  "x-request-id",
    };
    struct text_field field;
    uint64_t n = random_number(seed, ELEMENTSOF(names));
    unsigned variety = random_number(seed, 2) ? 4 : 100000;
    size_t len;

    snprintf(field.name, sizeof(field.name), "%s", names[n]);
    snprintf(field.value, sizeof(field.value), "/v/%u/", (unsigned)random_number(seed, variety));
    len = strlen(field.value);
    for (uint64_t more = random_number(seed, 4) == 0 ? random_number(seed, 200) : 0; more; more--)
        field.value[len++] = (char)('!' + random_number(seed, 94));
    field.value[len] = '\0';
    return field;
}

static struct bytes deflate(nghttp2_hd_deflater *deflater, const struct text_field *fields,
                            unsigned n, uint8_t out[BLOCK_SIZE])
{
    nghttp2_nv pairs[FIELDS_MAX];
    ssize_t len;

    for (unsigned i = 0; i < n; i++)
        pairs[i] = (nghttp2_nv){(uint8_t *)fields[i].name, (uint8_t *)fields[i].value,
                                strlen(fields[i].name), strlen(fields[i].value), 0};
    len = nghttp2_hd_deflate_hd(deflater, out, BLOCK_SIZE, pairs, n);
    assert_true(len >= 0);
    return bytes_make(out, (size_t)len);
}

/* What was found is what was sent, in order; where `lenient`, some may be unknown. */
static unsigned compare(const struct found *found, const struct text_field *fields, unsigned n,
                        bool lenient)
{
    unsigned known = 0;

    assert_int_equal(found->end, HPACK_END);
    assert_int_equal(found->n, n);
    for (unsigned i = 0; i < n; i++) {
        const struct known *field = &found->fields[i];

        if (field->name == HTTP2_NAME_UNKNOWN) {
            assert_true(lenient);
            continue;
        }
        assert_int_equal(field->name, http2_name_of(bytes_from_string(fields[i].name)));
        if (field->name == HTTP2_NAME_OTHER)
            continue;
        assert_true(field->known);
        assert_string_equal(field->value, fields[i].value);
        known++;
    }
    return known;
}

static void what_another_implementation_deflates_is_read(void **state)
{
    static const size_t limits[] = {4096, 256, 0, 1000, 4096};
    struct hpack_table table = {0};
    nghttp2_hd_deflater *deflater;
    uint8_t memory[BLOCK_SIZE];
    uint64_t seed = 1;

    hpack_begin(&table);
    assert_int_equal(nghttp2_hd_deflate_new(&deflater, 4096), 0);
    for (unsigned block = 0; block < BLOCKS; block++) {
        struct text_field fields[FIELDS_MAX];
        unsigned n = 1 + (unsigned)random_number(&seed, FIELDS_MAX);

        if (block % 80 == 79)
            nghttp2_hd_deflate_change_table_size(deflater, limits[block / 80]);
        for (unsigned i = 0; i < n; i++)
            fields[i] = random_field(&seed);
        struct found found = read_block(&table, deflate(deflater, fields, n, memory));

        assert_false(found.unknown);
        compare(&found, fields, n, false);
        assert_int_equal(table.size, nghttp2_hd_deflate_get_dynamic_table_size(deflater));
    }
    nghttp2_hd_deflate_del(deflater);
}

/* Joined before each of the blocks: never anything else than what was sent. */
static void what_was_inserted_before_a_join_is_unknown_and_nothing_else_is_wrong(void **state)
{
    unsigned n_known = 0, n_unknown = 0;

    for (unsigned join = 1; join < 60; join++) {
        struct hpack_table table = {0};
        nghttp2_hd_deflater *deflater;
        uint8_t memory[BLOCK_SIZE];
        uint64_t seed = 1;

        assert_int_equal(nghttp2_hd_deflate_new(&deflater, 4096), 0);
        for (unsigned block = 0; block < 120; block++) {
            struct text_field fields[FIELDS_MAX];
            unsigned n = 1 + (unsigned)random_number(&seed, FIELDS_MAX);
            struct bytes bytes;

            for (unsigned i = 0; i < n; i++)
                fields[i] = random_field(&seed);
            bytes = deflate(deflater, fields, n, memory);
            if (block < join)
                continue;
            struct found found = read_block(&table, bytes);

            n_known += compare(&found, fields, n, true);
            n_unknown += found.unknown;
        }
        nghttp2_hd_deflate_del(deflater);
    }
    assert_true(n_known > 10000);
    assert_true(n_unknown > 100);
}

/* ---- arbitrary blocks ------------------------------------------------------------------------ */

/* Inflates with nghttp2; false where it refuses the block. */
static bool inflate(nghttp2_hd_inflater *inflater, struct bytes block, struct text_field *fields,
                    unsigned *ret_n)
{
    *ret_n = 0;
    for (;;) {
        nghttp2_nv pair;
        int flags = 0;
        ssize_t used = nghttp2_hd_inflate_hd2(inflater, &pair, &flags, block.ptr, block.len, 1);

        if (used < 0)
            return false;
        block = bytes_skip(block, (size_t)used);
        if (flags & NGHTTP2_HD_INFLATE_EMIT && *ret_n < FIELDS_MAX) {
            struct text_field *field = &fields[(*ret_n)++];

            snprintf(field->name, sizeof(field->name), "%.*s", (int)pair.namelen, pair.name);
            snprintf(field->value, sizeof(field->value), "%.*s", (int)pair.valuelen, pair.value);
        }
        if (flags & NGHTTP2_HD_INFLATE_FINAL) {
            nghttp2_hd_inflate_end_headers(inflater);
            return true;
        }
        if (used == 0 && !(flags & NGHTTP2_HD_INFLATE_EMIT))
            return false;
    }
}

static void put(uint8_t *out, size_t *len, uint64_t byte)
{
    out[(*len)++] = (uint8_t)byte;
}

/* A few fields of every form, sometimes with one byte damaged. */
static struct bytes random_block(uint64_t *seed, uint8_t out[128])
{
    size_t len = 0;

    if (random_number(seed, 4) == 0)
        put(out, &len, 0x20 + random_number(seed, 31));
    for (uint64_t n = 1 + random_number(seed, 6); n; n--) {
        uint64_t form = random_number(seed, 4);
        uint64_t value_len = random_number(seed, 6);

        if (form == 0) {
            put(out, &len, 0x80 + 1 + random_number(seed, 66));
            continue;
        }
        put(out, &len, form == 1 ? 0x40 + random_number(seed, 63)
                                 : (form == 2 ? 0x10 : 0) + random_number(seed, 15));
        if ((out[len - 1] & (form == 1 ? 0x3f : 0xf)) == 0) {
            put(out, &len, 1);
            put(out, &len, 'a' + random_number(seed, 26));
        }
        put(out, &len, value_len);
        while (value_len--)
            put(out, &len, '0' + random_number(seed, 40));
    }
    if (random_number(seed, 4) == 0)
        out[random_number(seed, len)] = (uint8_t)random_number(seed, 256);
    return bytes_make(out, len);
}

static void a_block_that_another_implementation_accepts_means_the_same_to_us(void **state)
{
    unsigned accepted = 0;
    uint64_t seed = 7;

    for (unsigned run = 0; run < 20000; run++) {
        struct hpack_table table = {0};
        nghttp2_hd_inflater *inflater;

        hpack_begin(&table);
        assert_int_equal(nghttp2_hd_inflate_new(&inflater), 0);
        for (unsigned i = 0; i < 8; i++) {
            struct text_field fields[FIELDS_MAX];
            uint8_t memory[128];
            struct bytes block = random_block(&seed, memory);
            unsigned n;

            if (!inflate(inflater, block, fields, &n) || n == FIELDS_MAX)
                break;
            struct found found = read_block(&table, block);

            assert_false(found.unknown);
            compare(&found, fields, n, false);
            accepted++;
        }
        nghttp2_hd_inflate_del(inflater);
    }
    assert_true(accepted > 50000);
}

static void the_static_table_is_that_of_another_implementation(void **state)
{
    nghttp2_hd_inflater *inflater;

    assert_int_equal(nghttp2_hd_inflate_new(&inflater), 0);
    for (size_t i = 0; i < STATIC_TABLE_LEN; i++) {
        const nghttp2_nv *pair = nghttp2_hd_inflate_get_table_entry(inflater, i + 1);

        assert_non_null(pair);
        assert_int_equal(static_table[i].name_len, pair->namelen);
        assert_int_equal(static_table[i].name,
                         http2_name_of(bytes_make(pair->name, pair->namelen)));
        assert_true(bytes_equal(static_table[i].value, bytes_make(pair->value, pair->valuelen)));
    }
    nghttp2_hd_inflate_del(inflater);
}

/* ---- what is special ------------------------------------------------------------------------- */

static void a_field_that_was_never_inserted_is_unknown(void **state)
{
    struct hpack_table table = {0};
    struct found found = read_block(&table, BYTES_LITERAL("\x82\xbe\xff\x80\x80\x01"));

    assert_int_equal(found.end, HPACK_END);
    assert_int_equal(found.n, 3);
    assert_string_equal(found.fields[0].value, "GET");
    assert_int_equal(found.fields[1].name, HTTP2_NAME_UNKNOWN);
    assert_int_equal(found.fields[2].name, HTTP2_NAME_UNKNOWN);
}

/* Index 62 by name, a new value, inserted: unknown, but what follows has its right place. */
static void an_insertion_with_an_unknown_name_keeps_the_count(void **state)
{
    struct hpack_table table = {0};
    struct found found =
        read_block(&table, BYTES_LITERAL("\x44\x02/a\x7e\x01z\xbe\xbf\xc0"));

    assert_int_equal(found.end, HPACK_END);
    assert_int_equal(found.n, 5);
    assert_string_equal(found.fields[0].value, "/a");
    assert_string_equal(found.fields[1].value, "z"); /* 62 was :path then */
    assert_int_equal(found.fields[1].name, HTTP1_FIELD_TARGET);
    assert_string_equal(found.fields[2].value, "z");
    assert_string_equal(found.fields[3].value, "/a");
    assert_int_equal(found.fields[4].name, HTTP2_NAME_UNKNOWN);
}

static void secrets_are_stored_nowhere(void **state)
{
    struct hpack_table table = {0};

    read_block(&table, BYTES_LITERAL("\x60\x08s3cr3t-1\x77\x08s3cr3t-2\x40\x06x-auth\x08s3cr3t-3"));
    assert_int_equal(table.n, 3);
    assert_null(memmem(&table, sizeof(table), "s3cr3t", 6));
}

/* A value of 2,000 bytes, and then its index over and over. */
static void a_bomb_costs_no_more_than_its_bytes(void **state)
{
    struct hpack_table table = {0};
    uint8_t block[BLOCK_SIZE] = {0x44, 0x7f, 0xd1, 0x0e};
    struct found found;

    memset(block + 4, 'a', 2000);
    memset(block + 2004, 0xbe, sizeof(block) - 2004);
    hpack_begin(&table);
    found = read_block(&table, bytes_make(block, sizeof(block)));
    assert_int_equal(found.end, HPACK_END);
    assert_int_equal(table.n, 1);
}

static void numbers_without_end_are_refused(void **state)
{
    static const struct bytes blocks[] = {
        {(const uint8_t *)"\x80", 1},
        {(const uint8_t *)"\xff", 1},
        {(const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\x01", 8},
        {(const uint8_t *)"\x44\x7f\xff\xff\xff\xff\x0f", 7},
        {(const uint8_t *)"\x44\x05/a", 4},
        {(const uint8_t *)"\x82\x20", 2}, /* the table's size behind a field */
    };

    for (size_t i = 0; i < ELEMENTSOF(blocks); i++) {
        struct hpack_table table = {0};

        assert_int_equal(read_block(&table, blocks[i]).end, HPACK_BAD);
    }
}

/* More entries than there are places: the oldest is unknown then, not another. */
static void a_table_with_more_entries_than_places_forgets_the_oldest(void **state)
{
    struct hpack_table table = {0};
    uint8_t block[] = {0x44, 0x01, 0};
    struct found found;

    read_block(&table, BYTES_LITERAL("\x3f\xe1\xff\x03")); /* 65,536 bytes */
    for (unsigned i = 0; i < HPACK_ENTRIES + 10; i++) {
        block[2] = (uint8_t)(' ' + i % 90);
        assert_int_equal(read_block(&table, bytes_make(block, 3)).end, HPACK_END);
    }
    found = read_block(&table, BYTES_LITERAL("\xbe\xff\x3e\xff\x3f")); /* 62, 189, 190 */
    assert_int_equal(found.n, 3);
    assert_int_equal(found.fields[0].value[0], ' ' + (HPACK_ENTRIES + 9) % 90);
    assert_int_equal(found.fields[1].value[0], ' ' + 10);
    assert_int_equal(found.fields[2].name, HTTP2_NAME_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_another_implementation_deflates_is_read),
        cmocka_unit_test(what_was_inserted_before_a_join_is_unknown_and_nothing_else_is_wrong),
        cmocka_unit_test(a_block_that_another_implementation_accepts_means_the_same_to_us),
        cmocka_unit_test(the_static_table_is_that_of_another_implementation),
        cmocka_unit_test(a_field_that_was_never_inserted_is_unknown),
        cmocka_unit_test(an_insertion_with_an_unknown_name_keeps_the_count),
        cmocka_unit_test(secrets_are_stored_nowhere),
        cmocka_unit_test(a_bomb_costs_no_more_than_its_bytes),
        cmocka_unit_test(numbers_without_end_are_refused),
        cmocka_unit_test(a_table_with_more_entries_than_places_forgets_the_oldest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
