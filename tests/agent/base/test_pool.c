/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void an_exhausted_pool_says_null_until_something_comes_back(void **state)
{
    struct pool pool;
    void *objects[3];

    assert_int_equal(pool_init(&pool, 100, 3), 0);
    for (unsigned i = 0; i < 3; i++) {
        objects[i] = pool_take(&pool);
        assert_non_null(objects[i]);
        memset(objects[i], (int)i, 100);
    }
    assert_null(pool_take(&pool));
    assert_int_equal(pool.in_use, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(*(uint8_t *)objects[i], i);
    pool_give(&pool, objects[1]);
    assert_ptr_equal(pool_take(&pool), objects[1]);
    assert_null(pool_take(&pool));
    pool_done(&pool);
}

static void what_came_back_last_is_handed_out_first(void **state)
{
    struct pool pool;
    void *a, *b;

    assert_int_equal(pool_init(&pool, 1, 1000), 0);
    a = pool_take(&pool);
    b = pool_take(&pool);
    pool_give(&pool, a);
    pool_give(&pool, b);
    assert_ptr_equal(pool_take(&pool), b);
    assert_ptr_equal(pool_take(&pool), a);
    assert_int_equal(pool.touched, 2);
    pool_done(&pool);
}

static void objects_are_aligned_to_sixteen_bytes(void **state)
{
    struct pool pool;

    assert_int_equal(pool_init(&pool, 17, 4), 0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal((uintptr_t)pool_take(&pool) % 16, 0);
    pool_done(&pool);
}

static void giving_back_nothing_is_fine(void **state)
{
    struct pool pool;

    assert_int_equal(pool_init(&pool, 8, 1), 0);
    pool_give(&pool, NULL);
    assert_int_equal(pool.in_use, 0);
    pool_done(&pool);
    pool_done(&pool);
}

static void impossible_sizes_are_refused(void **state)
{
    struct pool pool;

    assert_int_equal(pool_init(&pool, SIZE_MAX / 4, 8), -ENOMEM);
    assert_int_equal(pool_init(&pool, 8, 0), -ENOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exhausted_pool_says_null_until_something_comes_back),
        cmocka_unit_test(what_came_back_last_is_handed_out_first),
        cmocka_unit_test(objects_are_aligned_to_sixteen_bytes),
        cmocka_unit_test(giving_back_nothing_is_fine),
        cmocka_unit_test(impossible_sizes_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
