/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The first outputs of SplitMix64 as published: the generator's state is a multiple of this. */
#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

static void mixing_gives_the_published_splitmix64_numbers(void **state)
{
    assert_true(hash_mix(0) == UINT64_C(0xe220a8397b1dcdaf));
    assert_true(hash_mix(GOLDEN) == UINT64_C(0x6e789e6aa1b965f4));
    assert_true(hash_mix(2 * GOLDEN) == UINT64_C(0x06c45d188009454f));
}

static void the_results_that_go_over_the_wire_never_change(void **state)
{
    assert_true(hash_pair(1, 2) == UINT64_C(0xbcd9dbb49673066b));
    assert_true(hash_bytes(BYTES_LITERAL("")) == UINT64_C(0xc3817c016ba4ff30));
    assert_true(hash_bytes(BYTES_LITERAL("a")) == UINT64_C(0x5f29c2aadd9b8527));
    assert_true(hash_bytes(BYTES_LITERAL("flowtrace")) == UINT64_C(0x136c249e2fd9c8ea));
}

static void the_order_of_a_pair_matters(void **state)
{
    assert_true(hash_pair(1, 2) != hash_pair(2, 1));
}

static void every_byte_counts(void **state)
{
    assert_true(hash_bytes(BYTES_LITERAL("a\0")) != hash_bytes(BYTES_LITERAL("a")));
    assert_true(hash_bytes(BYTES_LITERAL("\0a")) != hash_bytes(BYTES_LITERAL("a\0")));
    assert_true(hash_bytes(BYTES_NULL) == hash_bytes(BYTES_LITERAL("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mixing_gives_the_published_splitmix64_numbers),
        cmocka_unit_test(the_results_that_go_over_the_wire_never_change),
        cmocka_unit_test(the_order_of_a_pair_matters),
        cmocka_unit_test(every_byte_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
