/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static bool bounded(const char *json)
{
    return json_is_bounded(bytes_from_string(json), 3, 5);
}

static void depth_and_values_have_bounds(void **state)
{
    assert_true(bounded("[[[1]]]"));
    assert_false(bounded("[[[[1]]]]"));
    assert_true(bounded("[1,2,3,4,5]"));
    assert_false(bounded("[1,2,3,4,5,6]"));
    assert_false(bounded("{\"a\":{},\"b\":{},\"c\":{},\"d\":{}}"));
}

static void what_a_string_holds_is_not_looked_at(void **state)
{
    assert_true(bounded("\"[[[[,,,,,,,\""));
    assert_true(bounded("\"\\\"[[[[,,,,,,\""));
    assert_false(bounded("\"\\\\\"[[[["));
}

static void torn_text_is_not_read_past_its_end(void **state)
{
    assert_true(bounded(""));
    assert_true(bounded("\""));
    assert_true(bounded("\"\\"));
    assert_true(bounded("]]]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depth_and_values_have_bounds),
        cmocka_unit_test(what_a_string_holds_is_not_looked_at),
        cmocka_unit_test(torn_text_is_not_read_past_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
