/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/http1/chunk.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_size_is_hex_digits_and_what_may_follow_them_is_odd_or_not(void **state)
{
    static const struct {
        const char *line;
        uint64_t size;
        enum http1_ambiguity odd;
    } cases[] = {
        {"0\r", 0, HTTP1_CLEAR},
        {"aBcDeF09\r", 0xabcdef09, HTTP1_CLEAR},
        {"00000000000000000000000000000001\r", 1, HTTP1_CLEAR},
        {"7fffffffffffffff\r", INT64_MAX, HTTP1_CLEAR},
        {"5;\r", 5, HTTP1_CLEAR},
        {"5;a= b\r", 5, HTTP1_CLEAR},
        {"5", 5, HTTP1_BARE_LF_CHUNK},
        {"5 ", 5, HTTP1_BARE_LF_CHUNK},
        {"5\t;a\r", 5, HTTP1_BLANK_IN_CHUNK},
        {"5;\r\r", 5, HTTP1_BARE_CR},
        {"5\r ;a", 5, HTTP1_BARE_CR},
    };
    static const char *const bad[] = {"", "\r", ";a\r", " 5\r", "+5\r", "-0\r", "0x5\r", "5 5\r",
                                      "5,5\r", "8000000000000000\r", "ffffffffffffffffff\r"};
    enum http1_ambiguity odd;
    uint64_t size;

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        assert_true(chunk_line_read(bytes_from_string(cases[i].line), &size, &odd));
        assert_true(size == cases[i].size);
        assert_int_equal(odd, cases[i].odd);
    }
    for (size_t i = 0; i < ELEMENTSOF(bad); i++)
        assert_false(chunk_line_read(bytes_from_string(bad[i]), &size, &odd));
}

static void an_end_is_judged_as_far_as_it_is_there(void **state)
{
    static const struct {
        const char *rest;
        unsigned len;
    } cases[] = {
        {"", 2}, {"ab", 2}, {"abc", 2}, {"abc\r", 2}, {"abc\r\n", 2}, {"abc\r\n0", 2},
        {"abc\n", 1}, {"abc\n0", 1}, {"abcX", 0}, {"abc\rX", 0}, {"abc\r\r", 0}, {"abc0", 0},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        assert_int_equal(chunk_end_len(bytes_from_string(cases[i].rest), 3), cases[i].len);
    assert_int_equal(chunk_end_len(BYTES_LITERAL("abc"), INT64_MAX), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_size_is_hex_digits_and_what_may_follow_them_is_odd_or_not),
        cmocka_unit_test(an_end_is_judged_as_far_as_it_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
