/* SPDX-License-Identifier: Apache-2.0 */
#include "carrier.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define LOW "0000000000000000112210f47de98115"
#define SPAN "0000000000000002"

/* The two ids, with a priority and tags where they are given. */
static void assert_datadog(const char *priority, const char *tags, const char *trace_id,
                           unsigned flags)
{
    struct header headers[5] = {{"x-datadog-trace-id", "1234567890123456789"},
                                {"x-datadog-parent-id", "2"}};
    unsigned n = 2;

    if (priority)
        headers[n++] = (struct header){"X-Datadog-Sampling-Priority", priority};
    if (tags)
        headers[n++] = (struct header){"x-datadog-tags", tags};
    assert_all_give(headers, trace_id, SPAN, flags);
}

static void decimal_ids_and_the_priority_are_read(void **state)
{
    assert_datadog(NULL, NULL, LOW, 1);
    assert_datadog("1", NULL, LOW, 1);
    assert_datadog("2", NULL, LOW, 1);
    assert_datadog("0", NULL, LOW, 0);
    assert_datadog("-1", NULL, LOW, 0);
}

static void the_high_half_of_the_trace_id_is_in_the_tags(void **state)
{
    assert_datadog("1", "_dd.p.tid=640cfd8d00000000", "640cfd8d00000000112210f47de98115", 1);
    assert_datadog("1", "_dd.p.dm=-1,_dd.p.tid=640cfd8d00000000,x=y",
                   "640cfd8d00000000112210f47de98115", 1);
    assert_datadog("1", "_dd.p.tid=640cfd8d", LOW, 1);
    assert_datadog("1", "_dd.p.tid=nonsense00000000", LOW, 1);
    assert_datadog("1", "", LOW, 1);
}

static void what_is_no_number_or_no_id_is_refused(void **state)
{
    static const struct header bad[][4] = {
        {{"x-datadog-trace-id", "1"}},
        {{"x-datadog-trace-id", "1"}, {"x-datadog-parent-id", "0"}},
        {{"x-datadog-trace-id", "0"}, {"x-datadog-parent-id", "2"}},
        {{"x-datadog-trace-id", "0x1f"}, {"x-datadog-parent-id", "2"}},
        {{"x-datadog-trace-id", "18446744073709551616"}, {"x-datadog-parent-id", "2"}},
        {{"x-datadog-trace-id", "1"}, {"x-datadog-parent-id", "2"},
         {"x-datadog-sampling-priority", "high"}},
    };
    struct trace_context context;
    unsigned invalid;

    for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
        assert_false(read_headers(bad[i], &context, &invalid));
        assert_int_equal(invalid, 1);
    }
    assert_silent("x-datadog-parent-id", "2");
    assert_silent("x-datadog-sampling-priority", "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimal_ids_and_the_priority_are_read),
        cmocka_unit_test(the_high_half_of_the_trace_id_is_in_the_tags),
        cmocka_unit_test(what_is_no_number_or_no_id_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
