/* SPDX-License-Identifier: Apache-2.0 */
#include "carrier.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"

static void the_header_gives_ids_and_the_sampled_bit(void **state)
{
    assert_gives("uber-trace-id", TRACE ":" SPAN ":0:1", TRACE, SPAN, 1);
    assert_gives("Uber-Trace-Id", TRACE ":" SPAN ":0:0", TRACE, SPAN, 0);
    assert_gives("uber-trace-id", TRACE ":f067aa0ba902b7:05e3ac9a4f6e3b90:3", TRACE, SPAN, 1);
    assert_gives("uber-trace-id", TRACE ":" SPAN "::2", TRACE, SPAN, 0);
    assert_gives("uber-trace-id", "1:2:0:01", "00000000000000000000000000000001",
                 "0000000000000002", 1);
    assert_gives("uber-trace-id", TRACE "%3A" SPAN "%3a0%3A1", TRACE, SPAN, 1);
}

static void what_is_not_of_this_form_is_refused(void **state)
{
    static const char *const bad[] = {
        "", ":", ":::", TRACE, TRACE ":" SPAN, TRACE ":" SPAN ":0", TRACE ":" SPAN ":0:",
        TRACE ":" SPAN ":0:xyz", TRACE ":" SPAN ":0:1:2", "0:" SPAN ":0:1", TRACE ":0:0:1",
        "1" TRACE ":" SPAN ":0:1", TRACE ":1" SPAN ":0:1", TRACE ":x:0:1", TRACE ":" SPAN ":x:1",
        TRACE "%3B" SPAN ":0:1",
    };

    for (size_t i = 0; i < ELEMENTSOF(bad); i++)
        assert_invalid("uber-trace-id", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_gives_ids_and_the_sampled_bit),
        cmocka_unit_test(what_is_not_of_this_form_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
