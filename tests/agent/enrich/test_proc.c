/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/proc.h"

#include "base/macro.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define FIELDS_4_TO_21 " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18"

static void assert_text(struct bytes text, const char *expected)
{
    if (!bytes_equal(text, bytes_from_string(expected)))
        fail_msg("%.*s is not %s", BYTES_PRINTF(text), expected);
}

static void the_start_is_field_22_whatever_the_command_is_called(void **state)
{
    static const char *const stats[] = {
        "1 (init) S" FIELDS_4_TO_21 " 4711 23 24\n",
        "1 (a b) S) S" FIELDS_4_TO_21 " 4711 23 24\n",
        "1 (()) R" FIELDS_4_TO_21 " 4711 23 24\n",
    };
    uint64_t ticks;

    for (size_t i = 0; i < ELEMENTSOF(stats); i++) {
        ticks = 0;
        assert_int_equal(proc_parse_start(bytes_from_string(stats[i]), &ticks), 0);
        assert_int_equal(ticks, 4711);
    }
}

static void a_cut_or_strange_stat_is_refused(void **state)
{
    static const char *const stats[] = {
        "", "1 (init)", "1 (init) S 1 2 3", "1 (init S" FIELDS_4_TO_21 " 4711 23",
        "1 (init) S" FIELDS_4_TO_21 " x 23", "1 (init) S" FIELDS_4_TO_21 " 4711",
    };
    uint64_t ticks = 5;

    for (size_t i = 0; i < ELEMENTSOF(stats); i++)
        assert_int_equal(proc_parse_start(bytes_from_string(stats[i]), &ticks), -EINVAL);
    assert_int_equal(ticks, 5);
}

static void the_unified_cgroup_comes_first_unless_it_is_the_root(void **state)
{
    static const char *const cases[][2] = {
        {"0::/system.slice/a.service\n", "/system.slice/a.service"},
        {"0::/\n", "/"},
        {"2:cpu:/\n1:name=systemd:/x\n0::/\n", "/x"},
        {"2:cpu,cpuacct:/docker/1\n1:name=systemd:/x\n0::/y\n", "/y"},
        {"2:cpu:/a:b\n", "/a:b"},
        {"2:cpu:/\n", ""},
        {"", ""},
        {"garbage", ""},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        assert_text(proc_cgroup_path(bytes_from_string(cases[i][0])), cases[i][1]);
}

static void an_environment_is_searched_by_whole_names(void **state)
{
    struct bytes environment = BYTES_LITERAL("XHOME=1\0HOMER=2\0HOME\0HOME=/root\0HOME=/x\0E=\0");

    assert_text(proc_environment(environment, BYTES_LITERAL("HOME")), "/root");
    assert_text(proc_environment(environment, BYTES_LITERAL("E")), "");
    assert_text(proc_environment(environment, BYTES_LITERAL("OTHER")), "");
}

static void a_file_name_stands_behind_the_last_slash(void **state)
{
    assert_text(proc_file_name(BYTES_LITERAL("/usr/bin/curl")), "curl");
    assert_text(proc_file_name(BYTES_LITERAL("curl")), "curl");
    assert_text(proc_file_name(BYTES_LITERAL("/usr/bin/")), "");
    assert_text(proc_file_name(BYTES_NULL), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_start_is_field_22_whatever_the_command_is_called),
        cmocka_unit_test(a_cut_or_strange_stat_is_refused),
        cmocka_unit_test(the_unified_cgroup_comes_first_unless_it_is_the_root),
        cmocka_unit_test(an_environment_is_searched_by_whole_names),
        cmocka_unit_test(a_file_name_stands_behind_the_last_slash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
