/* SPDX-License-Identifier: Apache-2.0 */
#include "base/macro.h"
#include "base/table.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define N_MEMBERS 1000

static void members_are_found_until_they_are_removed(void **state)
{
    static struct table_link links[N_MEMBERS];
    struct table table;

    /* Far more members than were expected: the table has no limit of its own. */
    assert_int_equal(table_init(&table, 10), 0);
    for (uint64_t i = 0; i < N_MEMBERS; i++)
        table_insert(&table, i << 32, &links[i]);
    assert_int_equal(table.n_members, N_MEMBERS);
    for (uint64_t i = 0; i < N_MEMBERS; i += 2)
        table_remove(&table, &links[i]);
    for (uint64_t i = 0; i < N_MEMBERS; i++)
        assert_ptr_equal(table_find(&table, i << 32), i % 2 ? &links[i] : NULL);
    assert_int_equal(table.n_members, N_MEMBERS / 2);
    assert_null(table_find(&table, 1));
    table_done(&table);
}

static void members_with_one_key_come_newest_first(void **state)
{
    struct table_link links[3], others[100];
    struct table table;

    assert_int_equal(table_init(&table, 1), 0);
    for (uint64_t i = 0; i < ELEMENTSOF(links); i++) {
        table_insert(&table, 7, &links[i]);
        for (uint64_t j = 0; j < 30; j++)
            table_insert(&table, 100 + 30 * i + j, &others[30 * i + j]);
    }
    assert_ptr_equal(table_find(&table, 7), &links[2]);
    assert_ptr_equal(table_next(&links[2]), &links[1]);
    assert_ptr_equal(table_next(&links[1]), &links[0]);
    assert_null(table_next(&links[0]));
    table_remove(&table, &links[1]);
    assert_ptr_equal(table_next(&links[2]), &links[0]);
    table_done(&table);
}

static void a_removed_member_can_come_back_under_another_key(void **state)
{
    struct table_link link;
    struct table table;

    assert_int_equal(table_init(&table, 0), 0);
    table_insert(&table, 1, &link);
    table_remove(&table, &link);
    table_insert(&table, 2, &link);
    assert_null(table_find(&table, 1));
    assert_ptr_equal(table_find(&table, 2), &link);
    table_done(&table);
    assert_null(table.buckets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_found_until_they_are_removed),
        cmocka_unit_test(members_with_one_key_come_newest_first),
        cmocka_unit_test(a_removed_member_can_come_back_under_another_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
