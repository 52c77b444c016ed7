/* SPDX-License-Identifier: Apache-2.0 */
#include "carrier.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ROOT "Root=1-5759e988-bd862e3fe1be46a994272793"
#define TRACE "5759e988bd862e3fe1be46a994272793"
#define SPAN "53995c3f42cd8ad8"

static void the_parts_are_read_in_any_order(void **state)
{
    assert_gives("X-Amzn-Trace-Id", ROOT ";Parent=" SPAN ";Sampled=1", TRACE, SPAN, 1);
    assert_gives("x-amzn-trace-id", "Sampled=0; Parent=" SPAN "; " ROOT, TRACE, SPAN, 0);
    assert_gives("x-amzn-trace-id", "Self=1-67891234-12456789abcdef012345678;" ROOT ";Parent=" SPAN
                 ";Sampled=?;Lineage=a:b", TRACE, SPAN, 1);
    assert_gives("x-amzn-trace-id", ROOT ";Parent=" SPAN, TRACE, SPAN, 1);
}

static void a_root_without_a_parent_is_no_context(void **state)
{
    assert_silent("x-amzn-trace-id", ROOT);
    assert_silent("x-amzn-trace-id", ROOT ";Sampled=1");
}

static void what_is_not_of_this_form_is_refused(void **state)
{
    static const char *const bad[] = {
        "", ";", "Root", "Root=", "Parent=" SPAN, "Root=2-5759e988-bd862e3fe1be46a994272793;Parent="
        SPAN, "Root=1-5759e98-bd862e3fe1be46a994272793;Parent=" SPAN,
        "Root=1-5759e988-bd862e3fe1be46a99427279;Parent=" SPAN, ROOT ";Parent=53995c3f",
        ROOT ";Parent=0000000000000000", ROOT ";Parent=xyz95c3f42cd8ad8",
        "Root=1-00000000-000000000000000000000000;Parent=" SPAN,
    };

    for (size_t i = 0; i < ELEMENTSOF(bad); i++)
        assert_invalid("x-amzn-trace-id", bad[i]);
}

static bool denies(const char *xray, const char *b3)
{
    struct context_carrier carrier = {0};

    context_carrier_add(&carrier, CONTEXT_XRAY, bytes_from_string(xray));
    if (b3)
        context_carrier_add(&carrier, CONTEXT_B3, bytes_from_string(b3));
    return context_denies(&carrier);
}

/* What API gateways and load balancers send on. */
static void a_decision_without_a_parent_counts_all_the_same(void **state)
{
    assert_true(denies(ROOT ";Sampled=0", NULL));
    assert_true(denies("sampled=0 ; " ROOT, NULL));
    assert_false(denies(ROOT ";Sampled=1", NULL));
    assert_false(denies(ROOT ";Sampled=?", NULL));
    assert_false(denies(ROOT, NULL));
    assert_false(denies("Sampled=0", NULL));
    assert_false(denies(ROOT ";Parent=" SPAN ";Sampled=0", NULL));
    assert_false(denies(ROOT ";Sampled=0", "1"));
    assert_true(denies(ROOT ";Sampled=1", "0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_are_read_in_any_order),
        cmocka_unit_test(a_root_without_a_parent_is_no_context),
        cmocka_unit_test(what_is_not_of_this_form_is_refused),
        cmocka_unit_test(a_decision_without_a_parent_counts_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
