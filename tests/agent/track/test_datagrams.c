/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams: messages of their own, that may come twice, broken, or never; shown with made-up DNS. */
#include "world.h"

#include "base/macro.h"

/* id, flags, one question, no records; then the name "a", type A, class IN. */
#define ASK(id) "\0" id "\1\0\0\1\0\0\0\0\0\0\1" "a\0\0\1\0\1"
#define ANSWER(id) "\0" id "\x81\x80\0\1\0\0\0\0\0\0\1" "a\0\0\1\0\1"
#define MISSING(id) "\0" id "\x81\x83\0\1\0\0\0\0\0\0\1" "a\0\0\1\0\1"
#define BYTES(text) BYTES_LITERAL(text)

static void send_part(struct world *world, enum direction dir, struct bytes bytes, uint32_t length)
{
    static const struct connection_facts facts = {
        .local = {.port = 53}, .remote = {.port = 40000}, .transport = TRANSPORT_UDP};
    struct event event = {
        .kind = EVENT_DATA,
        .dir = dir,
        .time_ns = world->now_ns += 10,
        .connection = 1,
        .exec = {.tgid = 1, .tid = 1},
        .length = length,
        .data = bytes,
        .connection_facts = &facts,
    };

    track_set_time(world->track, world->now_ns);
    track_event(world->track, &event);
}

static void send(struct world *world, enum direction dir, struct bytes bytes)
{
    send_part(world, dir, bytes, (uint32_t)bytes.len);
}

static void answers_find_their_questions_in_any_order(void **state)
{
    struct world *world = *state;

    send(world, DIR_IN, BYTES(ASK("\1")));
    send(world, DIR_IN, BYTES(ASK("\2")));
    send(world, DIR_OUT, BYTES(MISSING("\2")));
    send(world, DIR_OUT, BYTES(ANSWER("\1")));
    assert_int_equal(world->n_ended, 2);
    assert_int_equal(world->ended[0].code, 3);
    assert_int_equal(world->ended[0].end_ns - world->ended[0].start_ns, 10);
    assert_int_equal(world->ended[1].code, 0);
    assert_int_equal(world->ended[1].end_ns - world->ended[1].start_ns, 30);
}

static void a_datagram_that_asks_again_is_the_same_exchange(void **state)
{
    struct world *world = *state;

    send(world, DIR_IN, BYTES(ASK("\1")));
    send(world, DIR_IN, BYTES(ASK("\1")));
    assert_int_equal(world->n_begun, 1);
    assert_int_equal(counted(world, COUNTER_requests_repeated), 1);
    send(world, DIR_OUT, BYTES(ANSWER("\1")));
    send(world, DIR_OUT, BYTES(ANSWER("\1"))); /* to each of them */
    assert_int_equal(world->n_ended, 1);
    assert_int_equal(world->ended[0].end_ns - world->ended[0].start_ns, 20);
    assert_int_equal(counted(world, COUNTER_responses_unpaired), 1);
    send(world, DIR_IN, BYTES(ASK("\1"))); /* answered: it is another */
    assert_int_equal(world->n_begun, 2);
}

static void what_nobody_answers_is_a_timeout(void **state)
{
    struct world *world = *state;

    send(world, DIR_IN, BYTES(ASK("\1")));
    track_advance(world->track, world->now_ns + UINT64_C(3600000000000));
    assert_int_equal(world->n_ended, 1);
    assert_int_equal(world->ended[0].end, EXCHANGE_TIMED_OUT);
}

static void a_broken_datagram_leaves_the_others_alone(void **state)
{
    static const struct bytes broken[] = {
        BYTES_LITERAL("\xff"), BYTES_LITERAL("\0\1\1\0\0\1"),
        BYTES_LITERAL("\0\1\1\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1"), BYTES_LITERAL("no DNS at all, but text"),
    };
    struct world *world = *state;

    send(world, DIR_IN, BYTES(ASK("\1")));
    for (size_t i = 0; i < ELEMENTSOF(broken); i++) {
        send(world, DIR_IN, broken[i]);
        send(world, DIR_OUT, broken[i]);
    }
    assert_int_equal(counted(world, COUNTER_operations_unparsed), 2 * ELEMENTSOF(broken));
    send(world, DIR_OUT, BYTES(ANSWER("\1")));
    assert_int_equal(world->n_ended, 1);
    assert_int_equal(world->ended[0].end, EXCHANGE_ANSWERED);
}

static void what_was_not_captured_of_a_datagram_is_missing_in_it_alone(void **state)
{
    struct world *world = *state;

    send(world, DIR_IN, BYTES(ASK("\1")));
    send(world, DIR_IN, BYTES(ASK("\2")));
    /* With an answer of which nothing is there. */
    send_part(world, DIR_OUT,
              BYTES("\0\1\x81\x80\0\1\0\1\0\0\0\0\1" "a\0\0\1\0\1"), 5000);
    send(world, DIR_OUT, BYTES(ANSWER("\2")));
    assert_int_equal(world->n_ended, 2);
    assert_int_equal(world->ended[0].end, EXCHANGE_INCOMPLETE);
    assert_int_equal(world->ended[1].end, EXCHANGE_ANSWERED);
}

static void an_answer_before_its_question_is_none(void **state)
{
    struct world *world = *state;

    send(world, DIR_OUT, BYTES(ANSWER("\1")));
    assert_int_equal(counted(world, COUNTER_responses_unpaired), 1);
    send(world, DIR_IN, BYTES(ASK("\2")));
    send(world, DIR_OUT, BYTES(ANSWER("\2")));
    assert_int_equal(world->n_ended, 1);
    assert_int_equal(world->ended[0].kind, SPAN_KIND_SERVER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_find_their_questions_in_any_order),
        TEST(a_datagram_that_asks_again_is_the_same_exchange),
        TEST(what_nobody_answers_is_a_timeout),
        TEST(a_broken_datagram_leaves_the_others_alone),
        TEST(what_was_not_captured_of_a_datagram_is_missing_in_it_alone),
        TEST(an_answer_before_its_question_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
