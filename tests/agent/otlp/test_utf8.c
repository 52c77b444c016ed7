/* SPDX-License-Identifier: Apache-2.0 */
/* The table of repairs: well-formed text stays, each maximal ill-formed part becomes U+FFFD. */
#include "otlp/utf8.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define R "\xef\xbf\xbd" /* U+FFFD */
#define TEXT(s) {(const uint8_t *)(s), sizeof(s) - 1}

static const struct bytes well_formed[] = {
    TEXT(""),
    TEXT("a"),
    TEXT("twelve bytes"),
    TEXT("a\0b"),
    TEXT("\x7f"),
    TEXT("\xc2\x80"),         /* the first and the last of each length */
    TEXT("\xdf\xbf"),
    TEXT("\xe0\xa0\x80"),
    TEXT("\xed\x9f\xbf"),
    TEXT("\xee\x80\x80"),
    TEXT("\xef\xbf\xbf"),
    TEXT("\xf0\x90\x80\x80"),
    TEXT("\xf4\x8f\xbf\xbf"),
    TEXT("eight by\xc3\xa9 eight by\xe2\x82\xac eight by\xf0\x9f\x98\x80."),
};

static const struct repair_case {
    struct bytes text;
    struct bytes repaired;
} ill_formed[] = {
    {TEXT("\x80"), TEXT(R)},
    {TEXT("a\xff"), TEXT("a" R)},
    {TEXT("\xfe\xff"), TEXT(R R)},
    {TEXT("twelve bytes\xbftwelve bytes"), TEXT("twelve bytes" R "twelve bytes")},
    {TEXT("\xc0\xaf"), TEXT(R R)},                 /* overlong */
    {TEXT("\xc1\x81"), TEXT(R R)},
    {TEXT("\xe0\x80\xaf"), TEXT(R R R)},
    {TEXT("\xf0\x80\x80\xaf"), TEXT(R R R R)},
    {TEXT("\xed\xa0\x80"), TEXT(R R R)},           /* a surrogate */
    {TEXT("\xf4\x90\x80\x80"), TEXT(R R R R)},     /* above U+10FFFF */
    {TEXT("\xf5\x80\x80\x80"), TEXT(R R R R)},
    {TEXT("\xc3"), TEXT(R)},                       /* cut at the end */
    {TEXT("\xe2\x82"), TEXT(R)},
    {TEXT("\xf0\x9f\x98"), TEXT(R)},               /* three bytes for three */
    {TEXT("\xe2\x82!"), TEXT(R "!")},              /* cut by what follows */
    {TEXT("\xf0\x9f\xc3\xa9"), TEXT(R "\xc3\xa9")},
    {TEXT("\xc3\xc3\xa9"), TEXT(R "\xc3\xa9")},
    /* Unicode 15, table 3-11. */
    {TEXT("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41"), TEXT(R R R R "A")},
};

static void well_formed_text_is_valid_and_keeps_its_size(void **state)
{
    for (size_t i = 0; i < ELEMENTSOF(well_formed); i++) {
        assert_true(utf8_valid(well_formed[i]));
        assert_int_equal(utf8_repaired_size(well_formed[i]), well_formed[i].len);
    }
}

static void each_maximal_ill_formed_part_becomes_one_replacement(void **state)
{
    for (size_t i = 0; i < ELEMENTSOF(ill_formed); i++) {
        const struct repair_case *c = &ill_formed[i];
        uint8_t out[64];

        assert_false(utf8_valid(c->text));
        assert_int_equal(utf8_repaired_size(c->text), c->repaired.len);
        utf8_repair(c->text, out);
        assert_memory_equal(out, c->repaired.ptr, c->repaired.len);
    }
}

static void a_cut_counts_characters_as_they_are_when_repaired(void **state)
{
    struct bytes text = BYTES_LITERAL("a\xc3\xb6\xf0\x9f\x98\x80\x80z");
    static const size_t lens[] = {0, 1, 3, 7, 8, 9, 9};

    for (size_t n = 0; n < ELEMENTSOF(lens); n++)
        assert_int_equal(utf8_cut(text, n), lens[n]);
    assert_int_equal(utf8_cut(BYTES_LITERAL("\xf0\x9f\x98"), 1), 3);
}

/* Heap copies of exact size: a read past the end is found by the address sanitizer. */
static void all_strings_of_two_bytes_are_repaired_to_valid_text(void **state)
{
    uint8_t *two = malloc(2);

    for (unsigned pair = 0; pair < 0x10000; pair++) {
        struct bytes text = {two, 2};
        uint8_t out[6];
        size_t size;

        two[0] = (uint8_t)(pair >> 8);
        two[1] = (uint8_t)pair;
        size = utf8_repaired_size(text);
        assert_true(size <= sizeof(out));
        utf8_repair(text, out);
        assert_true(utf8_valid(bytes_make(out, size)));
    }
    free(two);
}

static void a_broken_byte_is_found_wherever_it_stands(void **state)
{
    char text[] = "0123456789abcdefghijklmnopqrstuvw";

    for (size_t len = 1; len < sizeof(text); len++) {
        for (size_t at = 0; at < len; at++) {
            char kept = text[at];

            text[at] = (char)0xff;
            assert_false(utf8_valid(bytes_make(text, len)));
            assert_int_equal(utf8_repaired_size(bytes_make(text, len)), len + 2);
            text[at] = kept;
        }
        assert_true(utf8_valid(bytes_make(text, len)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_text_is_valid_and_keeps_its_size),
        cmocka_unit_test(each_maximal_ill_formed_part_becomes_one_replacement),
        cmocka_unit_test(all_strings_of_two_bytes_are_repaired_to_valid_text),
        cmocka_unit_test(a_cut_counts_characters_as_they_are_when_repaired),
        cmocka_unit_test(a_broken_byte_is_found_wherever_it_stands),
    };

    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
