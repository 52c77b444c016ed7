/* SPDX-License-Identifier: Apache-2.0 */
/* Spans to batches: all of them are given on, and counted. */
#include "source/receiver/collect.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct given {
    size_t batches, spans, groups;
};

static void take_batch(void *arg, struct batch *batch)
{
    struct given *given = arg;

    given->batches++;
    given->spans += batch->n_spans;
    given->groups += batch->n_groups;
}

struct fixture {
    struct given given;
    struct counters counters;
    struct settings settings;
    struct receiver_options options;
    struct collect collect;
    struct peers *peers;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    fixture->settings.batch_spans = 4;
    fixture->settings.batch_bytes = 4096;
    fixture->settings.batch_age = UINT64_C(3600000000000);
    fixture->options = (struct receiver_options){.settings = &fixture->settings,
                                                 .counters = &fixture->counters,
                                                 .take_batch = take_batch,
                                                 .arg = &fixture->given};
    assert_int_equal(collect_init(&fixture->collect, &fixture->options), 0);
    assert_int_equal(peers_new(NULL, NULL, &fixture->peers), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    collect_done(&fixture->collect);
    peers_free(fixture->peers);
    free(fixture);
    return 0;
}

static bool add(struct fixture *fixture, uint64_t key, struct bytes span)
{
    struct batch_origin origin = {.scope = BYTES_LITERAL("\x0a\x01s")};

    return collect_span(&fixture->collect, peers_nobody(fixture->peers), key, &origin, span);
}

static void a_full_batch_is_given_on_and_the_rest_at_the_end(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 6; i++)
        assert_true(add(fixture, 1, BYTES_LITERAL("span")));
    assert_int_equal(fixture->given.spans, 4);
    assert_true(collect_advance(&fixture->collect) > 0);
    collect_done(&fixture->collect);
    assert_int_equal(fixture->given.spans, 6);
    assert_int_equal(counters_get(&fixture->counters, COUNTER_received_spans), 6);
}

static void an_old_batch_is_given_on(void **state)
{
    struct fixture *fixture = *state;

    fixture->settings.batch_age = 0;
    assert_true(add(fixture, 1, BYTES_LITERAL("span")));
    assert_int_equal(collect_advance(&fixture->collect), -1);
    assert_int_equal(fixture->given.spans, 1);
}

static void origins_are_kept_apart_and_a_span_too_large_is_rejected(void **state)
{
    static uint8_t large[8192];
    struct fixture *fixture = *state;

    assert_true(add(fixture, 1, BYTES_LITERAL("span")));
    assert_false(add(fixture, 1, bytes_make(large, sizeof(large))));
    assert_true(add(fixture, 2, BYTES_LITERAL("span")));
    collect_done(&fixture->collect);
    assert_int_equal(fixture->given.spans, 2);
    assert_int_equal(fixture->given.groups, 2);
    assert_int_equal(counters_get(&fixture->counters, COUNTER_received_spans), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_full_batch_is_given_on_and_the_rest_at_the_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_old_batch_is_given_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            origins_are_kept_apart_and_a_span_too_large_is_rejected, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
