/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"
#include "base/macro.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_slice_never_leaves_its_bytes(void **state)
{
    struct bytes b = BYTES_LITERAL("abcdef");

    assert_true(bytes_equal(bytes_slice(b, 2, 3), BYTES_LITERAL("cde")));
    assert_true(bytes_equal(bytes_slice(b, 4, SIZE_MAX), BYTES_LITERAL("ef")));
    assert_int_equal(bytes_slice(b, 6, 1).len, 0);
    assert_int_equal(bytes_slice(b, SIZE_MAX, 1).len, 0);
    assert_true(bytes_equal(bytes_skip(b, 5), BYTES_LITERAL("f")));
    assert_int_equal(bytes_slice(BYTES_NULL, 0, 1).len, 0);
}

static void comparing_and_finding_take_empty_bytes(void **state)
{
    assert_true(bytes_equal(BYTES_NULL, BYTES_LITERAL("")));
    assert_false(bytes_equal(BYTES_LITERAL("a"), BYTES_LITERAL("b")));
    assert_true(bytes_starts_with(BYTES_LITERAL("abc"), BYTES_LITERAL("ab")));
    assert_true(bytes_starts_with(BYTES_LITERAL("abc"), BYTES_LITERAL("")));
    assert_false(bytes_starts_with(BYTES_LITERAL("a"), BYTES_LITERAL("ab")));
    assert_true(bytes_ends_with(BYTES_LITERAL("abc"), BYTES_LITERAL("bc")));
    assert_false(bytes_ends_with(BYTES_LITERAL("c"), BYTES_LITERAL("bc")));
    assert_int_equal(bytes_find(BYTES_LITERAL("abcb"), 'b'), 1);
    assert_int_equal(bytes_find(BYTES_LITERAL("abc"), 'd'), SIZE_MAX);
    assert_int_equal(bytes_find(BYTES_NULL, 'a'), SIZE_MAX);
    assert_int_equal(bytes_from_string(NULL).len, 0);
}

static void letter_case_is_ignored_for_ascii_letters_only(void **state)
{
    assert_true(bytes_equal_nocase(BYTES_LITERAL("aZ-9"), BYTES_LITERAL("Az-9")));
    assert_false(bytes_equal_nocase(BYTES_LITERAL("["), BYTES_LITERAL("{")));
    assert_false(bytes_equal_nocase(BYTES_LITERAL("\xc4"), BYTES_LITERAL("\xe4")));
    assert_false(bytes_equal_nocase(BYTES_LITERAL("a"), BYTES_LITERAL("ab")));
}

/* Each pair of bytes at each place of texts of each length up to two words and a half. */
static void only_the_case_of_ascii_letters_is_passed_over(void **state)
{
    for (size_t len = 1; len <= 20; len++)
        for (size_t at = 0; at < len; at++)
            for (unsigned pair = 0; pair < 0x10000; pair++) {
                uint8_t a[20] = "a-Quite-Long-Name-xy", b[20] = "A-qUITE-lONG-nAME-XY";
                uint8_t x = (uint8_t)pair, y = (uint8_t)(pair >> 8);
                bool letters = (x ^ y) == 0x20 && (x | 0x20) >= 'a' && (x | 0x20) <= 'z';

                a[at] = x;
                b[at] = y;
                assert_int_equal(bytes_equal_nocase(bytes_make(a, len), bytes_make(b, len)),
                                 x == y || letters);
            }
}

static void trimming_takes_blanks_and_tabs_from_both_ends(void **state)
{
    assert_true(bytes_equal(bytes_trim(BYTES_LITERAL(" \ta b\t ")), BYTES_LITERAL("a b")));
    assert_int_equal(bytes_trim(BYTES_LITERAL(" \t ")).len, 0);
    assert_int_equal(bytes_trim(BYTES_NULL).len, 0);
}

static void decimal_numbers_fill_their_text_and_sixty_four_bits(void **state)
{
    static const struct {
        const char *text;
        int result;
        uint64_t value;
    } cases[] = {
        {"0", 0, 0},
        {"007", 0, 7},
        {"18446744073709551615", 0, UINT64_MAX},
        {"18446744073709551616", -ERANGE, 42},
        {"99999999999999999999", -ERANGE, 42},
        {"", -EINVAL, 42},
        {"-1", -EINVAL, 42},
        {"+1", -EINVAL, 42},
        {" 1", -EINVAL, 42},
        {"1a", -EINVAL, 42},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        uint64_t value = 42;

        assert_int_equal(bytes_parse_u64(bytes_from_string(cases[i].text), &value),
                         cases[i].result);
        assert_true(value == cases[i].value);
    }
}

static void hex_goes_both_ways(void **state)
{
    char text[9];
    uint8_t raw[4] = {0};

    bytes_to_hex(BYTES_LITERAL("\x00\x0f\xa5\xff"), text);
    assert_string_equal(text, "000fa5ff");
    assert_int_equal(bytes_from_hex(BYTES_LITERAL("000FA5ff"), raw, 4), 0);
    assert_memory_equal(raw, "\x00\x0f\xa5\xff", 4);
    assert_int_equal(bytes_from_hex(BYTES_LITERAL("11111g"), raw, 3), -EINVAL);
    assert_int_equal(bytes_from_hex(BYTES_LITERAL("111"), raw, 2), -EINVAL);
    assert_memory_equal(raw, "\x00\x0f\xa5\xff", 4);
}

static void numbers_are_read_in_both_orders(void **state)
{
    struct reader reader = reader_make(BYTES_LITERAL(
        "\x01\x01\x02\x01\x02\x03\x04\x01\x02\x03\x04\x05\x06\x07\x08"
        "\x01\x02\x01\x02\x03\x04\x01\x02\x03\x04\x05\x06\x07\x08"));

    assert_int_equal(reader_u8(&reader), 0x01);
    assert_int_equal(reader_be16(&reader), 0x0102);
    assert_int_equal(reader_be32(&reader), 0x01020304);
    assert_true(reader_be64(&reader) == 0x0102030405060708);
    assert_int_equal(reader_le16(&reader), 0x0201);
    assert_int_equal(reader_le32(&reader), 0x04030201);
    assert_true(reader_le64(&reader) == 0x0807060504030201);
    assert_int_equal(reader_left(&reader), 0);
    assert_false(reader.failed);
}

static void a_failed_reader_stays_failed(void **state)
{
    struct reader reader = reader_make(BYTES_LITERAL("abc"));

    assert_int_equal(reader_be32(&reader), 0);
    assert_true(reader.failed);
    assert_int_equal(reader_u8(&reader), 0);
    assert_int_equal(reader_left(&reader), 0);
    assert_null(reader_take(&reader, 1).ptr);
    assert_int_equal(reader_rest(&reader).len, 0);
    assert_int_equal(reader_until(&reader, 'a').len, 0);
}

static void reading_until_a_byte_passes_over_it(void **state)
{
    struct reader reader = reader_make(BYTES_LITERAL("ab,,c"));

    assert_true(bytes_equal(reader_until(&reader, ','), BYTES_LITERAL("ab")));
    assert_int_equal(reader_until(&reader, ',').len, 0);
    assert_false(reader.failed);
    assert_int_equal(reader_until(&reader, ',').len, 0);
    assert_true(reader.failed);

    reader = reader_make(BYTES_LITERAL("xyz"));
    assert_true(bytes_equal(reader_take(&reader, 1), BYTES_LITERAL("x")));
    assert_true(bytes_equal(reader_rest(&reader), BYTES_LITERAL("yz")));
}

static void each_character_of_base64_has_its_digit_and_no_other_has_one(void **state)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (int c = 0; c < 256; c++) {
        const char *at = c ? strchr(alphabet, c) : NULL;

        assert_int_equal(bytes_base64_digit((uint8_t)c), at ? at - alphabet : -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slice_never_leaves_its_bytes),
        cmocka_unit_test(comparing_and_finding_take_empty_bytes),
        cmocka_unit_test(letter_case_is_ignored_for_ascii_letters_only),
        cmocka_unit_test(only_the_case_of_ascii_letters_is_passed_over),
        cmocka_unit_test(trimming_takes_blanks_and_tabs_from_both_ends),
        cmocka_unit_test(decimal_numbers_fill_their_text_and_sixty_four_bits),
        cmocka_unit_test(hex_goes_both_ways),
        cmocka_unit_test(numbers_are_read_in_both_orders),
        cmocka_unit_test(a_failed_reader_stays_failed),
        cmocka_unit_test(reading_until_a_byte_passes_over_it),
        cmocka_unit_test(each_character_of_base64_has_its_digit_and_no_other_has_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
