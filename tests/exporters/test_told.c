/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/told.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_loss_is_told_when_it_begins_and_then_once_a_minute(void **state)
{
    const uint64_t begin = 5 * NS_PER_S, minute = 60 * NS_PER_S;
    struct told told = {0};
    uint64_t news = 0;
    unsigned n = 0;

    /* Ten spans a second, for ten minutes. */
    for (uint64_t s = 0; s < 600; s++)
        n += told_due(&told, begin + s * NS_PER_S, 10 * (s + 1), &news);
    assert_int_equal(n, 10);
    assert_int_equal(news, 600);
    assert_true(told.at_ns == begin + 9 * minute);
}

static void what_is_told_is_what_came_since(void **state)
{
    struct told told = {0};
    uint64_t news = 0;

    assert_true(told_due(&told, NS_PER_S, 7, &news));
    assert_int_equal(news, 7);
    assert_false(told_due(&told, 60 * NS_PER_S, 9, &news));
    assert_int_equal(news, 7);
    assert_true(told_due(&told, 61 * NS_PER_S, 12, &news));
    assert_int_equal(news, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loss_is_told_when_it_begins_and_then_once_a_minute),
        cmocka_unit_test(what_is_told_is_what_came_since),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
