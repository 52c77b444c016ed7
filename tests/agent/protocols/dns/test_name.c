/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/dns/name.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define BYTES(text) {(const uint8_t *)("" text), sizeof(text) - 1}
#define LABEL_31 "\x1f" "0123456789012345678901234567890"
#define LABEL_29 "\x1d" "01234567890123456789012345678"
#define LABEL_63 "\x3f" "012345678901234567890123456789012345678901234567890123456789012"

static uint8_t memory[2 * DNS_NAME_TEXT];

static void names_are_read_as_in_zone_files(void **state)
{
    static const struct {
        struct bytes message;
        size_t at, end;
        const char *text;
    } cases[] = {
        {BYTES("\x03www\x07" "example\x03" "com\x00"), 0, 17, "www.example.com"},
        {BYTES("\x00"), 0, 1, "."},
        {BYTES("\x03" "com\x00\x03www\xc0\x00"), 5, 11, "www.com"},
        {BYTES("\x01" "a\x00\x01" "b\xc0\x00\x01" "c\xc0\x03"), 7, 11, "c.b.a"},
        {BYTES("\x03" "a.b\x02\\\"\x04 \x07\xff\x00\x00"), 0, 13, "a\\.b.\\\\\".\\032\\007\\255\\000"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct arena arena = arena_over(memory, sizeof(memory));
        struct bytes text = dns_name_text(cases[i].message, cases[i].at, &arena);

        assert_int_equal(dns_name_end(cases[i].message, cases[i].at), cases[i].end);
        assert_true(bytes_equal(text, bytes_from_string(cases[i].text)));
    }
}

static void pointers_lead_to_earlier_places_only(void **state)
{
    static const struct bytes loops[] = {
        BYTES("\xc0\x00"), BYTES("\x01" "a\xc0\x00"), BYTES("\xc0\x02\x00"),
        BYTES("\x01" "a\xc0\x04\xc0\x00"),
    };

    for (size_t i = 0; i < ELEMENTSOF(loops); i++) {
        struct arena arena = arena_over(memory, sizeof(memory));

        assert_int_equal(dns_name_end(loops[i], 0), 0);
        assert_int_equal(dns_name_text(loops[i], 0, &arena).len, 0);
    }
}

static void two_names_that_lead_to_each_other_are_none(void **state)
{
    static const struct bytes message = BYTES("\x01" "a\xc0\x04\x01" "b\xc0\x00");
    struct arena arena = arena_over(memory, sizeof(memory));

    assert_int_equal(dns_name_text(message, 4, &arena).len, 0);
}

static void a_name_has_255_bytes_at_most(void **state)
{
    static const struct bytes longest = BYTES(LABEL_63 LABEL_63 LABEL_63 LABEL_31 LABEL_29 "\x00");
    static const struct bytes longer = BYTES(LABEL_63 LABEL_63 LABEL_63 LABEL_63 "\x00");
    static const struct bytes label = BYTES("\x40" "0123456789");
    struct arena arena = arena_over(memory, sizeof(memory));

    assert_int_not_equal(dns_name_end(longest, 0), 0);
    assert_int_equal(dns_name_end(longer, 0), 0);
    assert_int_equal(dns_name_text(longer, 0, &arena).len, 0);
    assert_int_equal(dns_name_end(label, 0), 0);
}

static void a_name_that_goes_on_is_cut(void **state)
{
    static const struct bytes name = BYTES("\x03www\x07" "example\xc0\x00");
    struct arena arena = arena_over(memory, sizeof(memory));

    for (size_t len = 0; len < name.len; len++) {
        assert_int_equal(dns_name_end(bytes_slice(name, 0, len), 0), DNS_CUT);
        assert_int_equal(dns_name_text(bytes_slice(name, 0, len), 0, &arena).len, 0);
    }
}

static void a_full_arena_gives_no_name(void **state)
{
    static const struct bytes name = BYTES("\x03www\x00");
    struct arena arena = arena_over(memory, DNS_NAME_TEXT - 1);

    assert_int_equal(dns_name_text(name, 0, &arena).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read_as_in_zone_files),
        cmocka_unit_test(pointers_lead_to_earlier_places_only),
        cmocka_unit_test(two_names_that_lead_to_each_other_are_none),
        cmocka_unit_test(a_name_has_255_bytes_at_most),
        cmocka_unit_test(a_name_that_goes_on_is_cut),
        cmocka_unit_test(a_full_arena_gives_no_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
