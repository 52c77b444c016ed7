/* SPDX-License-Identifier: Apache-2.0 */
/* The expected seconds are those of `date -u +%s -d TEXT`. */
#include "events/flow_event.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void assert_time(const char *text, uint64_t expected)
{
    uint64_t ns = 0;

    assert_int_equal(rfc3339_parse(bytes_from_string(text), &ns), 0);
    assert_int_equal(ns, expected);
}

static void times_of_the_rfc_are_read(void **state)
{
    assert_time("1985-04-12T23:20:50.52Z", UINT64_C(482196050520000000));
    assert_time("1996-12-19T16:39:57-08:00", UINT64_C(851042397000000000));
    assert_time("1990-12-31T23:59:60Z", UINT64_C(662688000000000000));
    assert_time("2018-04-05T17:31:00z", UINT64_C(1522949460000000000));
    assert_time("2026-11-24T16:01:47.1234567891+01:00", UINT64_C(1795532507123456789));
}

static void what_is_no_such_time_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "2018-04-05", "2018-04-05T17:31:00", "2018-04-05 17:31:00Z", "2018-13-05T17:31:00Z",
        "2018-04-05T24:31:00Z", "2018-04-05T17:31:00Zx", "2018-04-05T17:31:00+1:00",
        "2018-4-05T17:31:00Z", "x018-04-05T17:31:00Z", "1960-04-05T17:31:00Z",
        "9999-04-05T17:31:00Z",
    };
    uint64_t ns;

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(rfc3339_parse(bytes_from_string(bad[i]), &ns), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_of_the_rfc_are_read),
        cmocka_unit_test(what_is_no_such_time_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
