/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static bool admit(struct names *names, uint64_t service, unsigned n)
{
    char name[32];

    snprintf(name, sizeof(name), "GET /%u", n);
    return names_admit(names, service, bytes_from_string(name));
}

static void a_service_has_so_many_names_and_keeps_those_it_has(void **state)
{
    struct names names;

    assert_int_equal(names_init(&names, 16, 3), 0);
    for (unsigned i = 0; i < 3; i++)
        assert_true(admit(&names, 7, i));
    assert_false(admit(&names, 7, 3));
    for (unsigned i = 0; i < 3; i++)
        assert_true(admit(&names, 7, i));
    assert_true(admit(&names, 8, 3));
    names_done(&names);
}

static void no_names_at_all_are_admitted_where_none_are_wanted(void **state)
{
    struct names names;

    assert_int_equal(names_init(&names, 16, 0), 0);
    assert_false(admit(&names, 7, 0));
    names_done(&names);
}

static void full_tables_admit_nothing_new_and_keep_what_they_have(void **state)
{
    struct names names;

    assert_int_equal(names_init(&names, 2, 1000000), 0);
    assert_true(admit(&names, 1, 0));
    assert_true(admit(&names, 2, 0));
    assert_false(admit(&names, 3, 0));
    for (unsigned i = 0; i < 70000; i++)
        admit(&names, 1, i);
    assert_false(admit(&names, 1, 70001));
    assert_true(admit(&names, 1, 0));
    assert_true(admit(&names, 2, 0));
    names_done(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_has_so_many_names_and_keeps_those_it_has),
        cmocka_unit_test(no_names_at_all_are_admitted_where_none_are_wanted),
        cmocka_unit_test(full_tables_admit_nothing_new_and_keep_what_they_have),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
