/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/told.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct told));
    return told_init(*state);
}

static int teardown(void **state)
{
    told_done(*state);
    free(*state);
    return 0;
}

static void learn(struct told *told, const char *name, const char *address)
{
    struct bytes answer = bytes_from_string(address);
    struct span span;

    span_reset(&span, NULL);
    span.told_name = bytes_from_string(name);
    span.told_addresses = &answer;
    span.n_told_addresses = 1;
    told_learn(told, &span);
}

static bool is(struct told *told, const uint8_t address[16], const char *name)
{
    return bytes_equal(told_name(told, address), bytes_from_string(name));
}

static const uint8_t v4[16] = {[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = 1};
static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

static void an_address_has_the_name_that_was_asked_for(void **state)
{
    learn(*state, "web.shop.test", "192.0.2.1");
    learn(*state, "six.shop.test", "2001:db8::1");
    learn(*state, "bad.shop.test", "no address");
    assert_true(is(*state, v4, "web.shop.test"));
    assert_true(is(*state, v6, "six.shop.test"));
}

static void the_later_name_is_the_addresss(void **state)
{
    learn(*state, "old.shop.test", "192.0.2.1");
    learn(*state, "new.shop.test", "192.0.2.1");
    assert_true(is(*state, v4, "new.shop.test"));
    assert_int_equal(told_name(*state, v6).len, 0);
}

static void the_one_that_was_not_asked_for_longest_gives_way(void **state)
{
    char address[32];

    learn(*state, "first", "192.0.2.1");
    learn(*state, "second", "2001:db8::1");
    assert_true(is(*state, v4, "first"));
    for (int i = 0; i < TOLD_MAX - 1; i++) {
        snprintf(address, sizeof(address), "10.0.%d.%d", i / 256, i % 256);
        learn(*state, "other", address);
    }
    assert_true(is(*state, v4, "first"));
    assert_int_equal(told_name(*state, v6).len, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_address_has_the_name_that_was_asked_for),
        TEST(the_later_name_is_the_addresss),
        TEST(the_one_that_was_not_asked_for_longest_gives_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
