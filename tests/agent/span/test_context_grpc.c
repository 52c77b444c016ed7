/* SPDX-License-Identifier: Apache-2.0 */
#include "carrier.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define TRACE "0aaf0105980123456789abcdef123456"
#define SPAN "0123456789abcdef"

static void the_binary_form_is_read_with_and_without_padding(void **state)
{
    assert_gives("grpc-trace-bin", "AAAKrwEFmAEjRWeJq83vEjRWAQEjRWeJq83vAgE=", TRACE, SPAN, 1);
    assert_gives("Grpc-Trace-Bin", "AAAKrwEFmAEjRWeJq83vEjRWAQEjRWeJq83vAgE", TRACE, SPAN, 1);
    assert_gives("grpc-trace-bin", "AAAKrwEFmAEjRWeJq83vEjRWAQEjRWeJq83vAgA=", TRACE, SPAN, 0);
}

static void options_may_be_missing_and_then_nothing_is_sampled(void **state)
{
    assert_gives("grpc-trace-bin", "AAAKrwEFmAEjRWeJq83vEjRWAQEjRWeJq83v", TRACE, SPAN, 0);
}

static void what_is_not_of_this_form_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "AA", "AAAK", "!AAKrwEFmAEjRWeJq83vEjRWAQEjRWeJq83vAgE=", "A",
        "AQAKrwEFmAEjRWeJq83vEjRWAQEjRWeJq83vAgE=", /* version 1 */
        "AAEKrwEFmAEjRWeJq83vEjRWAQEjRWeJq83vAgE=", /* not the trace id first */
        "AAAKrwEFmAEjRWeJq83vEjRWAQAAAAAAAAAAAgE=", /* span id 0 */
        "AAAKrwEFmAEjRWeJq83vEjRWAQEjRWeJq83vAg==", /* options cut */
        "A===", "====",
    };

    for (size_t i = 0; i < ELEMENTSOF(bad); i++)
        assert_invalid("grpc-trace-bin", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_binary_form_is_read_with_and_without_padding),
        cmocka_unit_test(options_may_be_missing_and_then_nothing_is_sampled),
        cmocka_unit_test(what_is_not_of_this_form_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
