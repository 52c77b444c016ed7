/* SPDX-License-Identifier: Apache-2.0 */
/* Responses that may be another request's: behind gaps, cut bodies, and before their requests. */
#include "world.h"

#include <string.h>

/* The answer to a request in the hole may be anybody's. */
static void what_goes_by_behind_a_cut_request_may_be_another(void **state)
{
    struct world *world = *state;
    const char *head = "GET /a HTTP/1.1\r\nHost: x\r\nA: ";

    operation(world, 1, DIR_IN, head, strlen(head), 50);
    say(world, DIR_IN, REQUEST);
    say(world, DIR_OUT, RESPONSE);
    exchange_rounds(world, 3);
    close_connection(world);
    assert_true(world->ended[0].has_response);
    for (size_t i = 1; i < world->n_ended; i++)
        assert_false(world->ended[i].has_response);
}

/* Both requests end there; the answer to the second one is not the third one's. */
static void a_cut_body_behind_an_open_request_leaves_none_in_trust(void **state)
{
    struct world *world = *state;

    say(world, DIR_IN, REQUEST);
    say(world, DIR_OUT, RESPONSE_100); /* of which the end is late */
    operation(world, 1, DIR_IN, "POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 48, 90);
    pass(world, DIR_OUT, 100);
    say(world, DIR_IN, REQUEST);
    say(world, DIR_OUT, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    close_connection(world);
    assert_int_equal(world->n_ended, 3);
    assert_false(world->ended[2].has_response);
}

/* What looks like one may be the end of a body. */
static void a_gap_before_the_protocol_is_known_hides_where_requests_begin(void **state)
{
    struct world *world = *state;

    lose(world, DIR_IN, 50);
    say(world, DIR_IN, "the end of a body");
    say(world, DIR_OUT, RESPONSE);
    lose(world, DIR_IN, 50);
    say(world, DIR_IN, REQUEST);
    assert_int_equal(world->n_begun, 0);
    say(world, DIR_OUT, RESPONSE);
    exchange_rounds(world, 1);
    assert_int_equal(world->n_begun, 1);
}

static void behind_a_gap_a_response_that_no_turn_proves_is_left_out(void **state)
{
    struct world *world = *state;

    exchange_rounds(world, 1);
    lose(world, DIR_IN, sizeof(REQUEST) - 1);
    exchange_rounds(world, 3);
    close_connection(world);
    assert_int_equal(world->n_ended, 3);
    for (int i = 1; i < 3; i++) {
        assert_int_equal(world->ended[i].end, EXCHANGE_INCOMPLETE);
        assert_false(world->ended[i].has_response);
    }
}

static void behind_a_gap_an_unproven_response_is_held_no_longer_than_a_timeout(void **state)
{
    struct world *world = *state;

    exchange_rounds(world, 1);
    lose(world, DIR_IN, sizeof(REQUEST) - 1);
    exchange_rounds(world, 2);
    assert_int_equal(world->n_ended, 1);
    track_advance(world->track, world->now_ns + 2000000);
    assert_int_equal(world->n_ended, 2);
    assert_int_equal(world->ended[1].end, EXCHANGE_INCOMPLETE);
}

static void a_response_behind_one_too_many_proves_the_held_ones_wrong(void **state)
{
    struct world *world = *state;

    exchange_rounds(world, 1);
    lose(world, DIR_IN, sizeof(REQUEST) - 1);
    exchange_rounds(world, 2);
    say(world, DIR_OUT, RESPONSE);
    assert_int_equal(world->n_ended, 2);
    assert_int_equal(world->ended[1].end, EXCHANGE_INCOMPLETE);
}

static void a_response_whose_record_comes_before_its_requests_is_still_its_own(void **state)
{
    struct world *world = *state;

    exchange_rounds(world, 1);
    say(world, DIR_OUT, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(track_open_exchanges(world->track), 0);
    say(world, DIR_IN, REQUEST);
    exchange_rounds(world, 1);
    assert_int_equal(world->n_ended, 3);
    assert_int_equal(world->ended[1].code, 201);
    assert_int_equal(world->ended[2].code, 200);
}

static void an_early_response_that_nobody_saw_leaves_its_request_without(void **state)
{
    struct world *world = *state;

    exchange_rounds(world, 1);
    pass(world, DIR_OUT, sizeof(RESPONSE) - 1);
    say(world, DIR_IN, REQUEST);
    exchange_rounds(world, 2);
    close_connection(world);
    assert_int_equal(world->n_ended, 4);
    for (size_t i = 1; i < world->n_ended; i++)
        assert_false(world->ended[i].has_response);
}

static void an_early_response_whose_request_is_lost_gets_none(void **state)
{
    struct world *world = *state;

    exchange_rounds(world, 1);
    say(world, DIR_OUT, RESPONSE);
    lose(world, DIR_IN, sizeof(REQUEST) - 1);
    exchange_rounds(world, 1);
    assert_int_equal(world->n_ended, 1);
    close_connection(world);
    assert_int_equal(counted(world, COUNTER_responses_unpaired), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_goes_by_behind_a_cut_request_may_be_another),
        TEST(a_cut_body_behind_an_open_request_leaves_none_in_trust),
        TEST(a_gap_before_the_protocol_is_known_hides_where_requests_begin),
        TEST(behind_a_gap_a_response_that_no_turn_proves_is_left_out),
        TEST(behind_a_gap_an_unproven_response_is_held_no_longer_than_a_timeout),
        TEST(a_response_behind_one_too_many_proves_the_held_ones_wrong),
        TEST(a_response_whose_record_comes_before_its_requests_is_still_its_own),
        TEST(an_early_response_that_nobody_saw_leaves_its_request_without),
        TEST(an_early_response_whose_request_is_lost_gets_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
