/* SPDX-License-Identifier: Apache-2.0 */
/* Full tables and pools, very many connections, very long ones: who gives way, and who does not. */
#include "world.h"

static void a_full_table_evicts_the_connection_used_longest_ago(void **state)
{
    struct world *world = *state;

    for (uint64_t id = 1; id <= 5; id++) {
        world->positions[DIR_IN] = START_IN;
        operation(world, id, DIR_IN, REQUEST, sizeof(REQUEST) - 1, sizeof(REQUEST) - 1);
    }
    assert_int_equal(counted(world, COUNTER_connections_evicted), 1);
    assert_int_equal(counted(world, COUNTER_exchanges_evicted), 1);
    assert_int_equal(world->n_dropped, 1);
}

static void in_a_full_pool_the_request_that_waited_longest_gives_way(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 20; i++)
        say(world, DIR_IN, REQUEST);
    assert_int_equal(world->n_begun, 20);
    assert_int_equal(counted(world, COUNTER_exchanges_evicted), 4);
    /* The responses of those that gave way are nobody else's. */
    for (int i = 0; i < 20; i++)
        say(world, DIR_OUT,
            i == 4 ? "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" : RESPONSE);
    assert_int_equal(world->n_ended, 16);
    assert_int_equal(world->ended[0].code, 404);
}

static void messages_that_are_begun_and_never_ended_cost_only_each_other(void **state)
{
    struct world *world = *state;
    const char *begun = "GET /slow HTTP/1.1\r\nHost";

    for (uint64_t id = 2; id <= 4; id++)
        for (enum direction dir = DIR_IN; dir <= DIR_OUT; dir++) {
            const char *text = dir == DIR_IN ? begun : "HTTP/1.1 200";

            world->positions[dir] = dir == DIR_IN ? START_IN : START_OUT;
            operation(world, id, dir, text, strlen(text), (uint32_t)strlen(text));
        }
    assert_int_equal(counted(world, COUNTER_windows_evicted), 2);
    world->positions[DIR_IN] = START_IN;
    world->positions[DIR_OUT] = START_OUT;
    say(world, DIR_IN, "GET /a HT");
    say(world, DIR_IN, "TP/1.1\r\n\r\n");
    say(world, DIR_OUT, "HTTP/1.1 20");
    say(world, DIR_OUT, "4 No Content\r\n\r\n");
    assert_int_equal(world->n_ended, 1);
    assert_int_equal(world->ended[0].code, 204);
}

static void requests_that_nobody_answers_are_given_up_with_their_connection(void **state)
{
    struct track_options options = {
        .max_connections = 4, .max_exchanges = 4096, .max_windows = 4, .exchange_timeout_ns = 1000,
        .sink = world_sink(*state)};
    struct world *world = *state;

    track_free(world->track);
    options.counters = &world->counters;
    assert_int_equal(track_new(&options, &world->track), 0);
    for (int i = 0; i < 1100; i++)
        say(world, DIR_IN, REQUEST);
    assert_int_equal(counted(world, COUNTER_connections_desynchronized), 1);
    assert_int_equal(counted(world, COUNTER_exchanges_desynchronized), 1024);
    assert_int_equal(world->n_blind, 1);
}

static void a_million_requests_on_one_connection_for_days_are_a_million_exchanges(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 1000000; i++) {
        world->n_ended = 0;
        exchange_rounds(world, 1);
        assert_int_equal(world->n_ended, 1);
        assert_int_equal(world->ended[0].end, EXCHANGE_ANSWERED);
        world->now_ns += 500000000;
        track_advance(world->track, world->now_ns);
    }
    assert_int_equal(counted(world, COUNTER_exchanges), 1000000);
    world->n_ended = 1000000; /* for the sum at the end */
}

static void a_connection_evicted_at_rest_goes_on_where_it_was(void **state)
{
    struct world *world = *state;

    for (int round = 0; round < 3; round++)
        for (uint64_t id = 1; id <= 5; id++) {
            world->positions[DIR_IN] = START_IN + (uint64_t)round * strlen(REQUEST);
            world->positions[DIR_OUT] = START_OUT + (uint64_t)round * strlen(RESPONSE);
            operation(world, id, DIR_IN, REQUEST, strlen(REQUEST), (uint32_t)strlen(REQUEST));
            operation(world, id, DIR_OUT, RESPONSE, strlen(RESPONSE), (uint32_t)strlen(RESPONSE));
        }
    assert_int_equal(world->n_ended, 15);
    for (int i = 0; i < 15; i++)
        assert_int_equal(world->ended[i].end, EXCHANGE_ANSWERED);
    assert_true(counted(world, COUNTER_connections_recalled) >= 4);
}

static void a_connection_evicted_at_rest_is_not_trusted_behind_a_hole(void **state)
{
    struct world *world = *state;

    exchange_rounds(world, 1);
    for (uint64_t id = 2; id <= 6; id++) {
        uint64_t positions[2] = {world->positions[0], world->positions[1]};

        world->positions[DIR_IN] = START_IN;
        operation(world, id, DIR_IN, REQUEST, strlen(REQUEST), (uint32_t)strlen(REQUEST));
        memcpy(world->positions, positions, sizeof(positions));
    }
    lose(world, DIR_IN, strlen(REQUEST));
    say(world, DIR_OUT, RESPONSE);
    exchange_rounds(world, 1);
    assert_int_equal(world->n_ended, 1);
    assert_int_equal(counted(world, COUNTER_connections_recalled), 1);
}

static void a_hundred_thousand_connections_go_through_a_small_table(void **state)
{
    struct world *world = *state;

    for (uint64_t id = 1; id <= 100000; id++) {
        world->n_ended = 0;
        world->positions[DIR_IN] = START_IN;
        world->positions[DIR_OUT] = START_OUT;
        operation(world, id, DIR_IN, REQUEST, sizeof(REQUEST) - 1, sizeof(REQUEST) - 1);
        operation(world, id, DIR_OUT, RESPONSE, sizeof(RESPONSE) - 1, sizeof(RESPONSE) - 1);
        assert_int_equal(world->n_ended, 1);
    }
    assert_int_equal(counted(world, COUNTER_connections_evicted), 100000 - 4);
    assert_int_equal(counted(world, COUNTER_exchanges_evicted), 0);
    world->n_ended = 100000;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_full_table_evicts_the_connection_used_longest_ago),
        TEST(in_a_full_pool_the_request_that_waited_longest_gives_way),
        TEST(messages_that_are_begun_and_never_ended_cost_only_each_other),
        TEST(requests_that_nobody_answers_are_given_up_with_their_connection),
        TEST(a_million_requests_on_one_connection_for_days_are_a_million_exchanges),
        TEST(a_connection_evicted_at_rest_goes_on_where_it_was),
        TEST(a_connection_evicted_at_rest_is_not_trusted_behind_a_hole),
        TEST(a_hundred_thousand_connections_go_through_a_small_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
