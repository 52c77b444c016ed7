/* SPDX-License-Identifier: Apache-2.0 */
#include "carrier.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define TRACE "80f198ee56343ba864fe8b2a57d3eff7"
#define LOW "0000000000000000a3ce929d0e0e4736"
#define SPAN "e457b5a2e4d86bd1"

static void one_header_gives_ids_and_decision(void **state)
{
    assert_gives("b3", TRACE "-" SPAN "-1-05e3ac9a4f6e3b90", TRACE, SPAN, 1);
    assert_gives("b3", TRACE "-" SPAN "-1", TRACE, SPAN, 1);
    assert_gives("B3", TRACE "-" SPAN "-0", TRACE, SPAN, 0);
    assert_gives("b3", TRACE "-" SPAN "-d", TRACE, SPAN, 1);
    assert_gives("b3", TRACE "-" SPAN, TRACE, SPAN, 1);
    assert_gives("b3", "a3ce929d0e0e4736-" SPAN "-1", LOW, SPAN, 1);
    assert_gives("b3", "A3CE929D0E0E4736-" SPAN "-1", LOW, SPAN, 1);
}

static void a_decision_without_ids_is_no_context(void **state)
{
    assert_silent("b3", "0");
    assert_silent("b3", "1");
    assert_silent("b3", "d");
    assert_silent("x-b3-sampled", "0");
    assert_silent("x-b3-flags", "1");
}

static void assert_denies(const struct header *headers, bool expected)
{
    struct context_carrier carrier = {0};

    for (; headers->name; headers++)
        context_carrier_add(&carrier, context_name_of(bytes_from_string(headers->name)),
                            bytes_from_string(headers->value));
    assert_int_equal(context_denies(&carrier), expected);
}

static void a_decision_without_ids_counts_all_the_same(void **state)
{
    static const struct {
        struct header headers[4];
        bool denies;
    } cases[] = {
        {{{"b3", "0"}}, true},
        {{{"b3", " 0 "}}, true},
        {{{"b3", "1"}}, false},
        {{{"b3", "d"}}, false},
        {{{"b3", ""}}, false},
        {{{"b3", "00"}}, false},
        {{{"b3", "0"}, {"b3", "1"}}, false},
        {{{"X-B3-Sampled", "0"}}, true},
        {{{"X-B3-Sampled", "false"}}, true},
        {{{"X-B3-Sampled", "1"}}, false},
        {{{"X-B3-Sampled", "0"}, {"X-B3-Flags", "1"}}, false},
        {{{"X-B3-Sampled", "0"}, {"X-B3-Flags", "0"}}, true},
        {{{"X-B3-Sampled", "0"}, {"X-B3-TraceId", "x"}}, false},
        {{{"b3", "1"}, {"X-B3-Sampled", "0"}}, false},
        {{{"traceparent", "0"}}, false},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        assert_denies(cases[i].headers, cases[i].denies);
}

static void what_is_not_b3_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "2", "-", TRACE, TRACE "-", TRACE "-" SPAN "-2", TRACE "-" SPAN "-1-", TRACE "-" SPAN
        "-1-xyz", "80f198ee56343ba864fe8b2a57d3eff-" SPAN "-1", TRACE "-e457b5a2e4d86bd-1",
        "00000000000000000000000000000000-" SPAN "-1", TRACE "-0000000000000000-1",
        "g0f198ee56343ba864fe8b2a57d3eff7-" SPAN "-1",
    };

    for (size_t i = 0; i < ELEMENTSOF(bad); i++)
        assert_invalid("b3", bad[i]);
}

static void several_headers_are_gathered(void **state)
{
    const struct header sampled[] = {{"X-B3-TraceId", TRACE}, {"X-B3-ParentSpanId", SPAN},
                                     {"X-B3-SpanId", SPAN}, {"X-B3-Sampled", "1"}, {0}};
    const struct header not_sampled[] = {{"X-B3-Sampled", "false"}, {"x-b3-spanid", SPAN},
                                         {"x-b3-traceid", "a3ce929d0e0e4736"}, {0}};
    const struct header debug[] = {{"x-b3-traceid", TRACE}, {"x-b3-spanid", SPAN},
                                   {"x-b3-flags", "1"}, {"x-b3-sampled", "0"}, {0}};

    assert_all_give(sampled, TRACE, SPAN, 1);
    assert_all_give(not_sampled, LOW, SPAN, 0);
    assert_all_give(debug, TRACE, SPAN, 1);
}

static void half_of_the_ids_are_none(void **state)
{
    assert_invalid("x-b3-traceid", TRACE);
    assert_invalid("x-b3-spanid", SPAN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_header_gives_ids_and_decision),
        cmocka_unit_test(a_decision_without_ids_is_no_context),
        cmocka_unit_test(a_decision_without_ids_counts_all_the_same),
        cmocka_unit_test(what_is_not_b3_is_refused),
        cmocka_unit_test(several_headers_are_gathered),
        cmocka_unit_test(half_of_the_ids_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
