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

/* ---- more open requests at once than there are places ---------------------------------------- */

#define PLACES 64
#define CROWD 200

static void make_room(struct world *world)
{
    struct track_options options = {
        .max_connections = PLACES, .max_exchanges = PLACES, .max_windows = 4,
        .exchange_timeout_ns = 1000000, .linger_ns = 1000, .counters = &world->counters,
        .sink = world_sink(world)};

    track_free(world->track);
    assert_int_equal(track_new(&options, &world->track), 0);
}

/* Connection `id` says its first or second message in this direction. */
static void say_on(struct world *world, uint64_t id, enum direction dir, unsigned nth)
{
    const char *text = dir == DIR_IN ? REQUEST : RESPONSE;

    world->positions[dir] = (dir == DIR_IN ? START_IN : START_OUT) + nth * strlen(text);
    operation(world, id, dir, text, strlen(text), (uint32_t)strlen(text));
}

static void shuffle(uint64_t *ids, size_t n)
{
    for (size_t i = n; i-- > 1;) {
        size_t j = (size_t)rand() % (i + 1);
        uint64_t id = ids[i];

        ids[i] = ids[j];
        ids[j] = id;
    }
}

static void of_more_open_requests_than_places_as_many_are_answered_in_any_order(void **state)
{
    struct world *world = *state;
    uint64_t ids[CROWD];

    for (unsigned seed = 0; seed < 50; seed++) {
        size_t lost = counted(world, COUNTER_exchanges_evicted);

        srand(seed);
        make_room(world);
        world->n_ended = 0;
        for (unsigned i = 0; i < CROWD; i++)
            ids[i] = i + 1;
        if (seed > 0)
            shuffle(ids, CROWD);
        for (unsigned i = 0; i < CROWD; i++)
            say_on(world, ids[i], DIR_IN, 0);
        if (seed > 1)
            shuffle(ids, CROWD);
        for (unsigned i = 0; i < CROWD; i++)
            say_on(world, ids[i], DIR_OUT, 0);
        for (size_t i = 0; i < world->n_ended; i++)
            assert_int_equal(world->ended[i].end, EXCHANGE_ANSWERED);
        assert_true(world->n_ended >= PLACES - PLACES / 16);
        lost = counted(world, COUNTER_exchanges_evicted) - lost;
        assert_int_equal(world->n_ended + lost + track_open_exchanges(world->track), CROWD);
    }
    world->n_ended = (size_t)(counted(world, COUNTER_exchanges) -
                              counted(world, COUNTER_exchanges_evicted) -
                              track_open_exchanges(world->track));
}

static void while_all_places_are_stuck_short_exchanges_come_and_go(void **state)
{
    struct world *world = *state;

    make_room(world);
    for (uint64_t id = 1; id <= CROWD; id++)
        say_on(world, id, DIR_IN, 0);
    for (uint64_t id = 1000; id < 1000 + CROWD; id++) {
        say_on(world, id, DIR_IN, 0);
        say_on(world, id, DIR_OUT, 0);
    }
    assert_int_equal(world->n_ended, CROWD);
    for (size_t i = 0; i < CROWD; i++)
        assert_int_equal(world->ended[i].end, EXCHANGE_ANSWERED);
    assert_int_equal(counted(world, COUNTER_exchanges_evicted),
                     CROWD - track_open_exchanges(world->track));
}

static void an_idle_connection_gives_way_before_one_with_an_open_request(void **state)
{
    struct world *world = *state;

    make_room(world);
    say_on(world, 1, DIR_IN, 0);
    for (uint64_t id = 2; id <= CROWD; id++) {
        say_on(world, id, DIR_IN, 0);
        say_on(world, id, DIR_OUT, 0);
    }
    say_on(world, 1, DIR_OUT, 0);
    assert_int_equal(world->n_ended, CROWD);
    assert_int_equal(counted(world, COUNTER_exchanges_evicted), 0);
    assert_int_equal(counted(world, COUNTER_connections_evicted), CROWD - PLACES);
}

/* The answer to the first goes on while the second one has to give way. */
static void a_pipelined_request_that_gives_way_takes_its_own_answer_with_it(void **state)
{
    struct world *world = *state;

    make_room(world);
    for (uint64_t id = 2; id < PLACES - 2; id++)
        say_on(world, id, DIR_IN, 0);
    say_on(world, 1, DIR_IN, 0);
    say_on(world, 1, DIR_IN, 1);
    for (uint64_t id = PLACES - 2; id <= PLACES - 1; id++)
        say_on(world, id, DIR_IN, 0);
    world->positions[DIR_IN] = START_IN + 2 * strlen(REQUEST);
    world->positions[DIR_OUT] = START_OUT;
    say(world, DIR_OUT, RESPONSE_100);
    say(world, DIR_IN, REQUEST);
    pass(world, DIR_OUT, 100);
    say(world, DIR_OUT, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    say(world, DIR_OUT, "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(counted(world, COUNTER_exchanges_evicted), 1);
    assert_int_equal(world->n_ended, 2);
    assert_int_equal(world->ended[0].code, 200);
    assert_int_equal(world->ended[1].code, 410);
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

static void of_as_many_idle_connections_as_can_be_remembered_none_is_forgotten(void **state)
{
    struct world *world = *state;

    make_room(world);
    for (unsigned round = 0; round < 3; round++)
        for (uint64_t id = 1; id <= 3 * PLACES; id++) {
            world->n_ended = 0;
            say_on(world, id, DIR_IN, round);
            say_on(world, id, DIR_OUT, round);
            assert_int_equal(world->n_ended, 1);
            assert_int_equal(world->ended[0].end, EXCHANGE_ANSWERED);
        }
    assert_int_equal(counted(world, COUNTER_connections_recalled), 2 * 3 * PLACES);
    world->n_ended = 3 * 3 * PLACES;
}

static void what_closes_while_it_is_remembered_takes_no_place(void **state)
{
    struct world *world = *state;

    make_room(world);
    for (uint64_t id = 1; id <= 20000; id++) {
        struct event closed = {
            .kind = EVENT_CLOSE, .connection = id - PLACES, .time_ns = world->now_ns};

        world->n_ended = 0;
        say_on(world, id, DIR_IN, 0);
        say_on(world, id, DIR_OUT, 0);
        if (id > PLACES + 100)
            track_event(world->track, &closed);
    }
    for (uint64_t id = 1; id <= 100; id++)
        say_on(world, id, DIR_IN, 1);
    assert_int_equal(counted(world, COUNTER_connections_recalled), 100);
    world->n_ended = 20000;
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
        TEST(of_more_open_requests_than_places_as_many_are_answered_in_any_order),
        TEST(while_all_places_are_stuck_short_exchanges_come_and_go),
        TEST(an_idle_connection_gives_way_before_one_with_an_open_request),
        TEST(a_pipelined_request_that_gives_way_takes_its_own_answer_with_it),
        TEST(messages_that_are_begun_and_never_ended_cost_only_each_other),
        TEST(requests_that_nobody_answers_are_given_up_with_their_connection),
        TEST(a_million_requests_on_one_connection_for_days_are_a_million_exchanges),
        TEST(a_connection_evicted_at_rest_goes_on_where_it_was),
        TEST(of_as_many_idle_connections_as_can_be_remembered_none_is_forgotten),
        TEST(what_closes_while_it_is_remembered_takes_no_place),
        TEST(a_connection_evicted_at_rest_is_not_trusted_behind_a_hole),
        TEST(a_hundred_thousand_connections_go_through_a_small_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
