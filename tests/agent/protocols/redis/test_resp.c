/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/redis/resp.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static enum resp_match match(const char *text, struct resp_line *ret_line)
{
    return resp_line_match(bytes_from_string(text), ret_line);
}

static void lengths_and_counts_are_read(void **state)
{
    static const struct {
        const char *text;
        uint32_t value;
        size_t len;
        bool null;
    } cases[] = {
        {"$0\r\n", 0, 4, false},          {"$5\r\nhello\r\n", 5, 4, false},
        {"$-1\r\n", 0, 5, true},          {"*-1\r\n", 0, 5, true},
        {"*3\r\n$3\r\n", 3, 4, false},    {"%2\r\n", 4, 4, false},
        {"|1\r\n", 2, 4, false},          {"~7\r\n", 7, 4, false},
        {">4\r\n", 4, 4, false},          {"$1073741824\r\n", 1u << 30, 13, false},
        {"%1073741824\r\n", 1u << 31, 13, false},
    };
    struct resp_line line;

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        assert_int_equal(match(cases[i].text, &line), RESP_FITS);
        assert_int_equal(line.value, cases[i].value);
        assert_int_equal(line.len, cases[i].len);
        assert_int_equal(line.null, cases[i].null);
    }
}

static void scalars_are_read(void **state)
{
    static const char *const cases[] = {"+OK\r\n",    "-ERR no such key\r\n", ":-12\r\n",
                                        "_\r\n",      "#t\r\n",               ",-inf\r\n",
                                        ",1.5e10\r\n", "(123456789012\r\n",    "+\r\n"};
    struct resp_line line;

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        assert_int_equal(match(cases[i], &line), RESP_FITS);
        assert_int_equal(line.class, RESP_SCALAR);
        assert_int_equal(line.len, strlen(cases[i]));
        assert_int_equal(line.text.len, strlen(cases[i]) - 3);
    }
}

static void every_beginning_of_a_line_wants_more(void **state)
{
    static const char *const cases[] = {"*12\r\n", "$-1\r\n", "+PONG\r\n", "-ERR x\r\n", ":1\r\n"};
    struct resp_line line;

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        for (size_t len = 0; len < strlen(cases[i]); len++)
            assert_int_equal(resp_line_match(bytes_make(cases[i], len), &line), RESP_MORE);
}

static void what_is_no_line_fits_at_no_length(void **state)
{
    static const char *const cases[] = {
        "OK\r\n",      "$\r\n",        "$01\r\n",       "$5\n",     "$-2\r\n",  "$-1x\r\n",
        "$5x\r\n",     "*+1\r\n",      "*?\r\n",        "$?\r\n",   ":12a\r\n", "#x\r\n",
        "+a\nb\r\n",   "+a\rb\r\n",    "$1073741825\r\n", "*99999999999\r\n", "_x\r\n", "\x16\x03",
    };
    struct resp_line line;

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        assert_int_equal(match(cases[i], &line), RESP_NO);
}

static void a_line_has_a_limit(void **state)
{
    static char text[RESP_LINE_MAX + 8];
    struct resp_line line;

    memset(text, 'x', sizeof(text));
    text[0] = '+';
    assert_int_equal(resp_line_match(bytes_make(text, RESP_LINE_MAX), &line), RESP_MORE);
    assert_int_equal(resp_line_match(bytes_make(text, sizeof(text)), &line), RESP_NO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_and_counts_are_read),
        cmocka_unit_test(scalars_are_read),
        cmocka_unit_test(every_beginning_of_a_line_wants_more),
        cmocka_unit_test(what_is_no_line_fits_at_no_length),
        cmocka_unit_test(a_line_has_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
