/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/said.h"

#include "base/macro.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static int parse(const char *text, struct said *said)
{
    static uint8_t memory[SAID_TEXT_MAX];
    struct arena arena = arena_over(memory, sizeof(memory));

    return said_parse(bytes_from_string(text), &arena, said);
}

static void assert_said(const struct said *said, const char *key, const char *expected)
{
    struct bytes text = said_text(said, bytes_from_string(key));

    if (!bytes_equal(text, bytes_from_string(expected)))
        fail_msg("%s is %.*s, not %s", key, BYTES_PRINTF(text), expected);
}

static void a_list_is_pairs_whose_keys_and_values_are_percent_encoded(void **state)
{
    struct said said;

    assert_int_equal(parse("team=shop, city = K%C3%B6ln ,a%2Cb%3Dc=d%2C%20e%25,eq=x=y,empty=,",
                           &said), 0);
    assert_int_equal(said.n, 5);
    assert_said(&said, "team", "shop");
    assert_said(&said, "city", "K\xc3\xb6ln");
    assert_said(&said, "a,b=c", "d, e%");
    assert_said(&said, "eq", "x=y");
    assert_said(&said, "empty", "");
    assert_int_equal(parse("", &said), 0);
    assert_int_equal(said.n, 0);
}

static void of_a_key_that_comes_twice_the_last_counts(void **state)
{
    struct said said;

    assert_int_equal(parse("a=1,b=2,a=3", &said), 0);
    assert_int_equal(said.n, 2);
    assert_said(&said, "a", "3");
}

static void one_error_discards_the_whole_list(void **state)
{
    static const char *const bad[] = {"a=1,b",   "a=1,=2",  "a=1,b=%",   "a=1,b=%4",
                                      "a=%zz,b=1", "%4=1,b=1", "%=1",     "a"};
    struct said said = {.n = 7};

    for (size_t i = 0; i < ELEMENTSOF(bad); i++)
        assert_int_equal(parse(bad[i], &said), -EINVAL);
    assert_int_equal(said.n, 7);
}

static void more_than_there_is_room_for_is_too_much(void **state)
{
    char text[16 * (SAID_MAX + 1)] = "";
    uint8_t memory[4];
    struct arena small = arena_over(memory, sizeof(memory));
    struct said said;
    size_t len = 0;

    for (int i = 0; i < SAID_MAX; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "key%d=%d,", i, i);
    assert_int_equal(parse(text, &said), 0);
    assert_int_equal(said.n, SAID_MAX);
    snprintf(text + len, sizeof(text) - len, "more=1");
    assert_int_equal(parse(text, &said), -E2BIG);
    assert_int_equal(said_parse(BYTES_LITERAL("key=value"), &small, &said), -E2BIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_pairs_whose_keys_and_values_are_percent_encoded),
        cmocka_unit_test(of_a_key_that_comes_twice_the_last_counts),
        cmocka_unit_test(one_error_discards_the_whole_list),
        cmocka_unit_test(more_than_there_is_room_for_is_too_much),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
