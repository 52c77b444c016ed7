/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

DEFINE_CLEANUP(struct settings, settings_free)
DEFINE_CLEANUP(struct policy, policy_free)

static struct policy *policy_of(const char *const *assignments, size_t n)
{
    _cleanup_(settings_freep) struct settings *settings = NULL;
    struct policy *policy;

    assert_int_equal(settings_load(NULL, (char *const *)assignments, n, NULL, &settings), 0);
    assert_int_equal(policy_new(settings, &policy), 0);
    return policy;
}

static const struct policy_subject python = {
    .comm = BYTES_LITERAL("orders"),
    .executable = BYTES_LITERAL("/usr/bin/python3.11"),
    .cgroup = BYTES_LITERAL("/system.slice/orders.service"),
    .facts_known = true,
    .local_port = 8080,
    .remote_port = 40000,
    .netns = 7,
};

static enum selection selected(const char *assignment, const struct policy_subject *subject)
{
    _cleanup_(policy_freep) struct policy *policy = policy_of(&assignment, 1);

    return policy_select(policy, subject);
}

static void without_selection_everything_is_traced(void **state)
{
    _cleanup_(policy_freep) struct policy *policy = policy_of(NULL, 0);
    struct policy_subject nobody = {0};

    assert_int_equal(policy_select(policy, &python), SELECTION_YES);
    assert_int_equal(policy_select(policy, &nobody), SELECTION_YES);
}

static void each_list_selects_by_what_it_names(void **state)
{
    static const struct {
        const char *assignment;
        enum selection selection;
    } cases[] = {
        {"select.executables=python3*", SELECTION_YES},
        {"select.executables=nginx,orders", SELECTION_YES},
        {"select.executables=/usr/bin/python3.11", SELECTION_NO},
        {"select.executables=nginx", SELECTION_NO},
        {"select.cgroups=*/orders.service", SELECTION_YES},
        {"select.cgroups=orders.service", SELECTION_NO},
        {"select.ports=80,8000-8099", SELECTION_YES},
        {"select.ports=40000", SELECTION_YES},
        {"select.ports=8081-39999", SELECTION_NO},
        {"select.netns=7", SELECTION_YES},
        {"select.netns=8,9", SELECTION_NO},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        if (selected(cases[i].assignment, &python) != cases[i].selection)
            fail_msg("%s", cases[i].assignment);
}

static void what_is_not_known_yet_is_decided_later(void **state)
{
    struct policy_subject subject = {.comm = BYTES_LITERAL("python3"), .local_port = 8080};

    assert_int_equal(selected("select.executables=orders", &subject), SELECTION_LATER);
    assert_int_equal(selected("select.executables=python3", &subject), SELECTION_YES);
    assert_int_equal(selected("select.cgroups=*", &subject), SELECTION_LATER);
    subject.facts_known = true;
    assert_int_equal(selected("select.executables=orders", &subject), SELECTION_NO);
    assert_int_equal(selected("select.cgroups=*", &subject), SELECTION_NO);
}

static void every_list_must_match_and_a_no_comes_before_a_later(void **state)
{
    const char *const both[] = {"select.ports=8080", "select.executables=nginx"};
    const char *const no_and_later[] = {"select.executables=nginx", "select.ports=1"};
    _cleanup_(policy_freep) struct policy *policy = policy_of(both, ELEMENTSOF(both));
    _cleanup_(policy_freep) struct policy *never =
        policy_of(no_and_later, ELEMENTSOF(no_and_later));
    struct policy_subject unknown = {.local_port = 8080};

    assert_int_equal(policy_select(policy, &python), SELECTION_NO);
    assert_int_equal(policy_select(policy, &unknown), SELECTION_LATER);
    assert_int_equal(policy_select(never, &unknown), SELECTION_NO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_selection_everything_is_traced),
        cmocka_unit_test(each_list_selects_by_what_it_names),
        cmocka_unit_test(what_is_not_known_yet_is_decided_later),
        cmocka_unit_test(every_list_must_match_and_a_no_comes_before_a_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
