/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/redis/command.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static enum command_kind kind_of(const char *name)
{
    const struct command *command = command_find(bytes_from_string(name));

    assert_non_null(command);
    return command->kind;
}

static bool is_telling(const char *name)
{
    return command_is_telling(bytes_from_string(name));
}

static bool is_known(const char *name)
{
    return command_is_known(bytes_from_string(name));
}

static void commands_are_found_in_any_case(void **state)
{
    assert_int_equal(kind_of("GET"), COMMAND_PLAIN);
    assert_int_equal(kind_of("get"), COMMAND_PLAIN);
    assert_int_equal(kind_of("Select"), COMMAND_SELECT);
    assert_int_equal(kind_of("APPEND"), COMMAND_PLAIN);
    assert_int_equal(kind_of("ZUNIONSTORE"), COMMAND_PLAIN);
    assert_int_equal(kind_of("psync"), COMMAND_STREAM);
    assert_int_equal(kind_of("spublish"), COMMAND_PUBLISH);
}

static void other_words_are_not(void **state)
{
    assert_false(is_known(""));
    assert_false(is_known("GE"));
    assert_false(is_known("GETS"));
    assert_false(is_known("HELLOWORLD"));
    assert_false(is_known("\xff\xfe"));
    assert_false(command_is_known(bytes_make("GET\0", 4)));
    assert_false(is_known("JSON."));
}

static void commands_of_modules_are_known_by_their_prefix(void **state)
{
    assert_true(is_known("JSON.GET"));
    assert_true(is_known("ft.search"));
    assert_false(is_known("www.example"));
}

static void words_of_everyday_data_tell_nothing_in_lower_case(void **state)
{
    assert_true(is_telling("TYPE"));
    assert_false(is_telling("type"));
    assert_false(is_telling("subscribe"));
    assert_true(is_telling("get"));
    assert_true(is_telling("hello"));
    assert_false(is_telling("message"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_found_in_any_case),
        cmocka_unit_test(other_words_are_not),
        cmocka_unit_test(commands_of_modules_are_known_by_their_prefix),
        cmocka_unit_test(words_of_everyday_data_tell_nothing_in_lower_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
