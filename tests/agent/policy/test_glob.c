/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/glob.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void patterns_match_as_a_shell_has_them(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool matches;
    } cases[] = {
        {"nginx", "nginx", true},      {"nginx", "nginx2", false}, {"python*", "python3.11", true},
        {"*", "", true},               {"?", "", false},           {"[a-c]x", "bx", true},
        {"/a/*", "/a/b/c", true},      {"\\*", "*", true},         {"\\*", "x", false},
        {"Python*", "python3", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (glob_matches(cases[i].pattern, bytes_from_string(cases[i].text)) != cases[i].matches)
            fail_msg("%s on %s", cases[i].pattern, cases[i].text);
}

static void the_text_ends_where_its_length_says(void **state)
{
    assert_true(glob_matches("ab", bytes_make("abc", 2)));
    assert_false(glob_matches("abc", bytes_make("abc", 2)));
    assert_true(glob_matches("*", BYTES_NULL));
}

static void text_that_is_no_path_matches_nothing(void **state)
{
    static const char long_text[PATH_MAX];
    char filled[PATH_MAX];

    memset(filled, 'a', sizeof(filled));
    assert_false(glob_matches("*", bytes_make(filled, sizeof(filled))));
    assert_true(glob_matches("a*", bytes_make(filled, sizeof(filled) - 1)));
    assert_false(glob_matches("*", bytes_make(long_text, 3)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_as_a_shell_has_them),
        cmocka_unit_test(the_text_ends_where_its_length_says),
        cmocka_unit_test(text_that_is_no_path_matches_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
