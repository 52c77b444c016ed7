/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/keep.h"

#include "base/clock.h"
#include "sample.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void *new_keep(uint64_t max_bytes)
{
    void *keep = NULL;

    assert_int_equal(keep_memory_new(max_bytes, &keep), 0);
    return keep;
}

static void batches_come_out_in_their_order(void **state)
{
    _cleanup_(batch_unrefp) struct batch *a = sample_batch_of(1);
    _cleanup_(batch_unrefp) struct batch *b = sample_batch_of(2);
    void *keep = new_keep(1 << 20);

    assert_int_equal(keep_memory.put(keep, a), 0);
    assert_int_equal(keep_memory.put(keep, b), 0);
    assert_ptr_equal(keep_memory.first(keep, 0), a);
    assert_ptr_equal(keep_memory.first(keep, 0), a);
    keep_memory.drop_first(keep);
    assert_ptr_equal(keep_memory.first(keep, 0), b);
    keep_memory.drop_first(keep);
    assert_null(keep_memory.first(keep, 0));
    assert_int_equal(keep_memory.put(keep, a), 0);
    assert_ptr_equal(keep_memory.first(keep, 0), a);
    keep_memory.close(keep);
}

static void a_kept_batch_outlives_its_maker(void **state)
{
    struct batch *batch = sample_batch_of(3);
    void *keep = new_keep(1 << 20);

    assert_int_equal(keep_memory.put(keep, batch), 0);
    batch_unref(batch);
    assert_int_equal(keep_memory.first(keep, 0)->n_spans, 3);
    keep_memory.close(keep);
}

static void a_full_keep_refuses_until_there_is_room(void **state)
{
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(10);
    void *keep = new_keep(batch->n_bytes * 4);
    unsigned n = 0;

    while (keep_memory.put(keep, batch) == 0)
        n++;
    assert_in_range(n, 1, 4);
    assert_int_equal(keep_memory.put(keep, batch), -ENOSPC);
    assert_int_equal(atomic_load(&batch->references), n + 1);
    keep_memory.drop_first(keep);
    assert_int_equal(keep_memory.put(keep, batch), 0);
    keep_memory.close(keep);
    assert_int_equal(atomic_load(&batch->references), 1);
}

static void there_is_always_room_for_one_batch(void **state)
{
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(10);
    void *keep = new_keep(1);

    assert_int_equal(keep_memory.put(keep, batch), 0);
    assert_int_equal(keep_memory.put(keep, batch), -ENOSPC);
    keep_memory.close(keep);
}

static void an_empty_keep_answers_after_the_timeout(void **state)
{
    void *keep = new_keep(1 << 20);
    uint64_t begun = clock_ns(CLOCK_MONOTONIC);

    assert_null(keep_memory.first(keep, 30 * NS_PER_MS));
    assert_true(clock_ns(CLOCK_MONOTONIC) - begun >= 30 * NS_PER_MS);
    keep_memory.close(keep);
}

static void *wait_long(void *keep)
{
    return keep_memory.first(keep, UINT64_MAX);
}

static void a_put_ends_the_wait(void **state)
{
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(1);
    void *found, *keep = new_keep(1 << 20);
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, wait_long, keep), 0);
    assert_int_equal(keep_memory.put(keep, batch), 0);
    assert_int_equal(pthread_join(thread, &found), 0);
    assert_ptr_equal(found, batch);
    keep_memory.close(keep);
}

static void a_wake_ends_this_wait_and_all_later_ones(void **state)
{
    void *found, *keep = new_keep(1 << 20);
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, wait_long, keep), 0);
    keep_memory.wake(keep);
    assert_int_equal(pthread_join(thread, &found), 0);
    assert_null(found);
    assert_null(keep_memory.first(keep, UINT64_MAX));
    keep_memory.close(keep);
}

static void closing_nothing_is_fine(void **state)
{
    keep_memory.close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_come_out_in_their_order),
        cmocka_unit_test(a_kept_batch_outlives_its_maker),
        cmocka_unit_test(a_full_keep_refuses_until_there_is_room),
        cmocka_unit_test(there_is_always_room_for_one_batch),
        cmocka_unit_test(an_empty_keep_answers_after_the_timeout),
        cmocka_unit_test(a_put_ends_the_wait),
        cmocka_unit_test(a_wake_ends_this_wait_and_all_later_ones),
        cmocka_unit_test(closing_nothing_is_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
