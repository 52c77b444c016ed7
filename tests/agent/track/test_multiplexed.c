/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections whose messages have stream ids, and such as change their protocol, on made-up streams
 * of the second protocol of the build: [length:24][type][flags][stream:32][payload].
 */
#include "world.h"

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define GET(id) "\0\0\3\1\5\0\0\0" id "\x82\x86\x84"
#define OK_HEAD(id) "\0\0\1\1\4\0\0\0" id "\x88"
#define OK_WHOLE(id) "\0\0\1\1\5\0\0\0" id "\x88"
#define BODY_END(id) "\0\0\2\0\1\0\0\0" id "ok"
#define CALL(id) "\0\0\x15\1\5\0\0\0" id "\x83\x86\x84\x5f\x10" "application/grpc"
#define CALL_HEAD(id) "\0\0\x13\1\4\0\0\0" id "\x88\x5f\x10" "application/grpc"
#define RESET(id) "\0\0\4\3\0\0\0\0" id "\0\0\0\x08"
#define UPGRADE "GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
#define SWITCH "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"

#define SAY(world, dir, text)                                                                      \
    operation(world, 1, dir, text, sizeof(text) - 1, (uint32_t)sizeof(text) - 1)

static void assert_ended(const struct world *world, size_t i, enum exchange_end end,
                         uint64_t stream, int64_t code)
{
    assert_true(i < world->n_ended);
    assert_int_equal(world->ended[i].end, end);
    assert_int_equal(world->ended[i].stream, stream);
    assert_int_equal(world->ended[i].code, code);
}

static void answers_find_their_requests_in_any_order(void **state)
{
    struct world *world = *state;

    SAY(world, DIR_IN, PREFACE GET("\1") GET("\3") GET("\5"));
    SAY(world, DIR_OUT, OK_HEAD("\5") OK_WHOLE("\3") BODY_END("\5"));
    SAY(world, DIR_OUT, OK_WHOLE("\1"));
    assert_int_equal(world->n_ended, 3);
    assert_ended(world, 0, EXCHANGE_ANSWERED, 3, 200);
    assert_ended(world, 1, EXCHANGE_ANSWERED, 5, 200);
    assert_ended(world, 2, EXCHANGE_ANSWERED, 1, 200);
}

static void either_side_may_end_an_exchange_early(void **state)
{
    struct world *world = *state;

    SAY(world, DIR_IN, PREFACE GET("\1") GET("\3") RESET("\1"));
    assert_int_equal(world->n_ended, 1);
    assert_ended(world, 0, EXCHANGE_ANSWERED, 1, 0);
    assert_false(world->ended[0].has_response);
    SAY(world, DIR_OUT, OK_HEAD("\3") RESET("\3"));
    assert_int_equal(world->n_ended, 2);
    assert_ended(world, 1, EXCHANGE_ANSWERED, 3, 200);
    assert_true(world->ended[1].has_response);
}

/* The end of 1 may have gone by in the gap, that of 3 is seen, 5 came later. */
static void an_end_that_a_gap_may_have_hidden_is_not_claimed(void **state)
{
    struct world *world = *state;

    SAY(world, DIR_IN, PREFACE GET("\1") GET("\3"));
    SAY(world, DIR_OUT, OK_HEAD("\1") OK_HEAD("\3"));
    pass(world, DIR_OUT, 500);
    SAY(world, DIR_OUT, BODY_END("\3"));
    SAY(world, DIR_IN, GET("\5"));
    assert_int_equal(world->n_ended, 1);
    assert_ended(world, 0, EXCHANGE_ANSWERED, 3, 200);
    close_connection(world);
    assert_int_equal(world->n_ended, 3);
    assert_ended(world, 1, EXCHANGE_INCOMPLETE, 1, 200);
    assert_ended(world, 2, EXCHANGE_CLOSED, 5, 0);
}

/* Unseen behind the captured bytes, or in lost records; the parser waited for a message's length. */
static void a_hole_in_a_body_whose_rest_is_known_costs_no_stream(void **state)
{
    struct world *world = *state;
    static const char body[] = "\0\3\355\0\1\0\0\0\1";

    SAY(world, DIR_IN, PREFACE CALL("\1") GET("\3") CALL("\5"));
    SAY(world, DIR_OUT, CALL_HEAD("\1"));
    operation(world, 1, DIR_OUT, body, sizeof(body) - 1, sizeof(body) - 1 + 1005);
    SAY(world, DIR_OUT, OK_WHOLE("\3") CALL_HEAD("\5") "\0\3\355\0\1\0\0\0\5");
    world->positions[DIR_OUT] += 1005;
    SAY(world, DIR_IN, GET("\7"));
    SAY(world, DIR_OUT, OK_WHOLE("\7"));
    assert_int_equal(world->n_ended, 4);
    assert_ended(world, 0, EXCHANGE_ANSWERED, 1, 200);
    assert_ended(world, 1, EXCHANGE_ANSWERED, 3, 200);
    assert_ended(world, 2, EXCHANGE_ANSWERED, 5, 200);
    assert_ended(world, 3, EXCHANGE_ANSWERED, 7, 200);
    assert_int_equal(counters_get(&world->counters, COUNTER_streams_gaps), 0);
}

/* Otherwise each gap of a long connection could leave exchanges behind. */
static void what_a_gap_left_open_does_not_stay_for_ever(void **state)
{
    struct world *world = *state;

    SAY(world, DIR_IN, PREFACE GET("\1"));
    SAY(world, DIR_OUT, OK_HEAD("\1"));
    pass(world, DIR_OUT, 500);
    track_advance(world->track, world->now_ns += 2000000);
    assert_int_equal(world->n_ended, 1);
    assert_ended(world, 0, EXCHANGE_INCOMPLETE, 1, 200);
}

/* The switch, and in the same operation the beginning of the answer, as its first stream. */
static void an_upgraded_request_is_answered_by_the_successor(void **state)
{
    struct world *world = *state;

    SAY(world, DIR_IN, UPGRADE);
    SAY(world, DIR_OUT, SWITCH "\0\0\0\4\0\0\0\0\0" OK_HEAD("\1"));
    assert_int_equal(world->n_ended, 0);
    SAY(world, DIR_IN, PREFACE GET("\3"));
    SAY(world, DIR_OUT, BODY_END("\1") OK_WHOLE("\3"));
    assert_int_equal(world->n_ended, 2);
    assert_ended(world, 0, EXCHANGE_ANSWERED, 1, 200);
    assert_ended(world, 1, EXCHANGE_ANSWERED, 3, 200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_find_their_requests_in_any_order),
        TEST(either_side_may_end_an_exchange_early),
        TEST(an_end_that_a_gap_may_have_hidden_is_not_claimed),
        TEST(a_hole_in_a_body_whose_rest_is_known_costs_no_stream),
        TEST(what_a_gap_left_open_does_not_stay_for_ever),
        TEST(an_upgraded_request_is_answered_by_the_successor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
