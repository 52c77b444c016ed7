/* SPDX-License-Identifier: Apache-2.0 */
#include "source/tls_join.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SESSION(n) (FT_SESSION_ID | (n))
#define HELLO "\x16\x03\x01\x02\x00\x01"
#define CIPHER "\x17\x03\x03\x00\x40"
#define CLIENT_START 1000
#define SERVER_START 5000

struct verdict_seen {
    uint64_t id;
    enum ft_verdict_kind kind;
    uint32_t head;
};

struct bench {
    struct tls_join *join;
    struct counters counters;
    struct verdict_seen verdicts[16];
    size_t n_verdicts;
    unsigned n_untraceable;
    unsigned n_cipher_texts;
    struct event event; /* the last one, as it came out */
};

static void set_verdict(void *arg, uint64_t id, enum ft_verdict_kind kind, uint32_t head)
{
    struct bench *bench = arg;

    assert_true(bench->n_verdicts < ELEMENTSOF(bench->verdicts));
    bench->verdicts[bench->n_verdicts++] = (struct verdict_seen){id, kind, head};
}

static void cipher_text(void *arg, const struct event *event)
{
    struct bench *bench = arg;

    bench->n_cipher_texts++;
}

static void untraceable(void *arg, uint32_t tgid, const char *comm)
{
    struct bench *bench = arg;

    assert_string_equal(comm, "node");
    bench->n_untraceable++;
}

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    struct tls_join_options options = {
        .max_connections = 4, .max_sessions = 4, .counters = &bench->counters,
        .set_verdict = set_verdict, .untraceable = untraceable,
        .cipher_text = cipher_text, .arg = bench};

    *state = bench;
    return tls_join_new(&options, &bench->join);
}

static int teardown(void **state)
{
    struct bench *bench = *state;

    tls_join_free(bench->join);
    free(bench);
    return 0;
}

static bool take(struct bench *bench, enum ft_kind kind, struct event event)
{
    event.exec = (struct exec_context){.tgid = 7, .tid = event.exec.tid ?: 7};
    bench->event = event;
    return tls_join_take(bench->join, kind, &bench->event);
}

/* A connection's first operation, seen by the end that opened it. */
static bool open_connection(struct bench *bench, uint64_t id, uint32_t tid)
{
    static const struct connection_facts facts = {
        .starts = {[DIR_OUT] = CLIENT_START - 1, [DIR_IN] = SERVER_START}, .has_starts = true,
        .comm = "node"};

    return take(bench, FT_KIND_DATA,
                (struct event){.dir = DIR_OUT, .connection = id, .position = CLIENT_START,
                               .length = 517, .data = BYTES_LITERAL(HELLO),
                               .exec = {.tid = tid}, .connection_facts = &facts});
}

static bool move(struct bench *bench, uint64_t id, enum direction dir, uint32_t length)
{
    return take(bench, FT_KIND_DATA,
                (struct event){.dir = dir, .connection = id, .length = length,
                               .position = (dir == DIR_OUT ? CLIENT_START : SERVER_START) + 600,
                               .data = BYTES_LITERAL(CIPHER)});
}

static bool call(struct bench *bench, uint64_t session)
{
    return take(bench, FT_KIND_CALL, (struct event){.dir = DIR_IN, .connection = session});
}

static bool clear(struct bench *bench, uint64_t session, enum direction dir, uint64_t offset)
{
    return take(bench, FT_KIND_CLEAR,
                (struct event){.dir = dir, .connection = session, .position = offset,
                               .length = 16, .data = BYTES_LITERAL("GET / HTTP/1.1\r\n")});
}

static void shake_hands(struct bench *bench, uint64_t connection, uint64_t session)
{
    assert_false(call(bench, session));
    assert_false(open_connection(bench, connection, 0));
    assert_false(take(bench, FT_KIND_DATA,
                      (struct event){.dir = DIR_IN, .connection = connection, .length = 1400,
                                     .position = SERVER_START, .data = BYTES_LITERAL(HELLO)}));
    assert_false(call(bench, session));
}

static void a_handshake_joins_before_the_first_clear_byte(void **state)
{
    struct bench *bench = *state;

    shake_hands(bench, 1, SESSION(1));
    assert_int_equal(bench->n_cipher_texts, 2);
    assert_int_equal(counters_get(&bench->counters, COUNTER_tls_sessions_joined), 1);
    assert_true(clear(bench, SESSION(1), DIR_OUT, 0));
    assert_int_equal(bench->event.connection, 1);
    assert_int_equal(bench->event.position, CLIENT_START);
    assert_non_null(bench->event.connection_facts);
    assert_true(bench->event.connection_facts->secure);
    assert_true(bench->event.connection_facts->has_starts);
}

/* A DNS query whose drawn number is 0x1603, of the length that follows by chance. */
static void a_datagram_is_no_handshake_whatever_it_begins_with(void **state)
{
    static const struct connection_facts facts = {.transport = TRANSPORT_UDP};
    struct bench *bench = *state;

    assert_true(take(bench, FT_KIND_DATA,
                     (struct event){.dir = DIR_OUT, .connection = 1, .length = 29,
                                    .data = BYTES_LITERAL("\x16\x03\x01\x00\x00\x01\x00\x00"),
                                    .connection_facts = &facts}));
    assert_true(take(bench, FT_KIND_DATA,
                     (struct event){.dir = DIR_OUT, .connection = 1, .length = 29,
                                    .data = BYTES_LITERAL("\x16\x03\x01\x20\x00\x01\x00\x00"),
                                    .connection_facts = &facts}));
    assert_int_equal(counters_get(&bench->counters, COUNTER_operations_tls_unjoined), 0);
}

static void facts_come_once_and_again_when_they_are_asked_for(void **state)
{
    struct bench *bench = *state;

    shake_hands(bench, 1, SESSION(1));
    assert_true(clear(bench, SESSION(1), DIR_OUT, 0));
    assert_true(clear(bench, SESSION(1), DIR_IN, 0));
    assert_int_equal(bench->event.position, SERVER_START);
    assert_null(bench->event.connection_facts);
    assert_true(tls_join_set_verdict(bench->join, 1, (struct verdict){.kind = VERDICT_DESCRIBE}));
    assert_true(clear(bench, SESSION(1), DIR_OUT, 16));
    assert_int_equal(bench->event.position, CLIENT_START + 16);
    assert_non_null(bench->event.connection_facts);
}

static void the_kernel_is_told_and_later_verdicts_go_to_the_session(void **state)
{
    struct bench *bench = *state;

    shake_hands(bench, 1, SESSION(1));
    assert_int_equal(bench->n_verdicts, 2);
    assert_int_equal(bench->verdicts[0].id, 1);
    assert_int_equal(bench->verdicts[0].kind, FT_VERDICT_CIPHER_TEXT);
    assert_int_equal(bench->verdicts[1].id, SESSION(1));
    assert_true(tls_join_set_verdict(bench->join, 1, (struct verdict){VERDICT_HEAD, 8192}));
    assert_int_equal(bench->verdicts[2].id, SESSION(1));
    assert_int_equal(bench->verdicts[2].kind, FT_VERDICT_HEAD);
    assert_int_equal(bench->verdicts[2].head, 8192);
    assert_false(tls_join_set_verdict(bench->join, 2, (struct verdict){VERDICT_HEAD, 8192}));
}

static void two_connections_of_one_thread_keep_their_own_sessions(void **state)
{
    struct bench *bench = *state;

    shake_hands(bench, 1, SESSION(1));
    shake_hands(bench, 2, SESSION(2));
    for (uint64_t n = 1; n <= 2; n++) {
        assert_true(clear(bench, SESSION(n), DIR_OUT, 0));
        assert_int_equal(bench->event.connection, n);
    }
}

/* Two calls in a row, then two sends: the first send seems to be the second session's. */
static void what_is_interleaved_is_not_guessed(void **state)
{
    struct bench *bench = *state;

    assert_false(call(bench, SESSION(1)));
    assert_false(call(bench, SESSION(2)));
    assert_false(open_connection(bench, 1, 0));
    assert_false(open_connection(bench, 2, 0));
    assert_false(move(bench, 2, DIR_IN, 1400));
    assert_false(call(bench, SESSION(2)));
    assert_false(clear(bench, SESSION(2), DIR_OUT, 0));
    assert_int_equal(counters_get(&bench->counters, COUNTER_tls_sessions_joined), 0);
    /* The other connection comes to its own; then this one has no rival any more. */
    assert_false(move(bench, 1, DIR_IN, 1400));
    assert_false(call(bench, SESSION(1)));
    assert_false(move(bench, 1, DIR_OUT, 80));
    assert_false(move(bench, 1, DIR_IN, 400));
    assert_false(call(bench, SESSION(1)));
    assert_true(clear(bench, SESSION(1), DIR_OUT, 0));
    assert_int_equal(bench->event.connection, 1);
    for (int i = 0; i < 2; i++) {
        assert_false(move(bench, 2, DIR_IN, 400));
        assert_false(call(bench, SESSION(2)));
        move(bench, 2, DIR_OUT, 80);
    }
    assert_true(clear(bench, SESSION(2), DIR_OUT, 16));
    assert_int_equal(bench->event.connection, 2);
    assert_false(bench->event.connection_facts->has_starts); /* some went by unheard */
}

static void a_send_too_short_for_what_was_written_is_no_vote(void **state)
{
    struct bench *bench = *state;

    assert_false(open_connection(bench, 1, 0));
    for (int i = 0; i < 10; i++) {
        assert_false(move(bench, 1, DIR_IN, 400));
        assert_false(call(bench, SESSION(1)));
        assert_false(clear(bench, SESSION(1), DIR_OUT, 0));
        assert_false(move(bench, 1, DIR_OUT, 16 + 20));
    }
    assert_int_equal(counters_get(&bench->counters, COUNTER_tls_sessions_joined), 0);
    assert_false(clear(bench, SESSION(1), DIR_OUT, 0));
    assert_false(move(bench, 1, DIR_OUT, 16 + 22));
    assert_int_equal(counters_get(&bench->counters, COUNTER_tls_sessions_joined), 1);
}

static void another_threads_operations_are_no_votes(void **state)
{
    struct bench *bench = *state;

    assert_false(call(bench, SESSION(1)));
    assert_false(open_connection(bench, 1, 8));
    for (int i = 0; i < 10; i++)
        assert_false(call(bench, SESSION(1)));
    assert_false(clear(bench, SESSION(1), DIR_OUT, 0));
}

static void a_connection_that_nobody_votes_for_is_left_to_the_core(void **state)
{
    struct bench *bench = *state;
    int n = 0;

    assert_false(open_connection(bench, 1, 0));
    while (!move(bench, 1, DIR_IN, 100) && n < 1000)
        n++;
    assert_in_range(n, 16, 64);
    assert_int_equal(bench->n_untraceable, 1);
    assert_true(move(bench, 1, DIR_IN, 100));
    assert_int_equal(counters_get(&bench->counters, COUNTER_operations_tls_unjoined), n + 1);
}

static void a_connection_that_ends_unseen_is_reported_once(void **state)
{
    struct bench *bench = *state;

    assert_false(open_connection(bench, 1, 0));
    assert_true(take(bench, FT_KIND_CLOSE, (struct event){.connection = 1}));
    assert_int_equal(bench->n_untraceable, 1);
    assert_false(move(bench, 1, DIR_IN, 31)); /* what was unread may still be read */
    assert_true(take(bench, FT_KIND_CLOSE, (struct event){.connection = 1}));
    assert_int_equal(bench->n_untraceable, 1);
}

static void a_connection_whose_session_the_kernel_knows_is_not_reported(void **state)
{
    struct bench *bench = *state;

    assert_false(open_connection(bench, 1, 0));
    assert_true(take(bench, FT_KIND_CLOSE, (struct event){.connection = 1, .dir = DIR_OUT}));
    assert_int_equal(bench->n_untraceable, 0);
}

static void clear_text_may_still_come_behind_the_close(void **state)
{
    struct bench *bench = *state;

    shake_hands(bench, 1, SESSION(1));
    assert_true(take(bench, FT_KIND_CLOSE, (struct event){.connection = 1}));
    assert_int_equal(bench->n_untraceable, 0);
    assert_true(clear(bench, SESSION(1), DIR_IN, 0));
    assert_false(take(bench, FT_KIND_CLOSE, (struct event){.connection = SESSION(1)}));
}

static void what_is_not_tls_passes(void **state)
{
    struct bench *bench = *state;
    struct connection_facts facts = {.has_starts = true};

    assert_true(take(bench, FT_KIND_DATA,
                     (struct event){.dir = DIR_OUT, .connection = 1, .length = 16,
                                    .data = BYTES_LITERAL("GET / HTTP/1.1\r\n"),
                                    .connection_facts = &facts}));
    assert_true(move(bench, 1, DIR_IN, 100));
    assert_true(take(bench, FT_KIND_CLEAR, (struct event){.connection = 3, .length = 16}));
}

static void full_tables_forget_the_oldest(void **state)
{
    struct bench *bench = *state;

    for (uint64_t n = 1; n <= 40; n++) {
        bench->n_verdicts = 0;
        shake_hands(bench, n, SESSION(n));
        assert_true(clear(bench, SESSION(n), DIR_OUT, 0));
    }
    assert_false(clear(bench, SESSION(1), DIR_OUT, 16));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_handshake_joins_before_the_first_clear_byte),
        TEST(a_datagram_is_no_handshake_whatever_it_begins_with),
        TEST(facts_come_once_and_again_when_they_are_asked_for),
        TEST(the_kernel_is_told_and_later_verdicts_go_to_the_session),
        TEST(two_connections_of_one_thread_keep_their_own_sessions),
        TEST(what_is_interleaved_is_not_guessed),
        TEST(a_send_too_short_for_what_was_written_is_no_vote),
        TEST(another_threads_operations_are_no_votes),
        TEST(a_connection_that_nobody_votes_for_is_left_to_the_core),
        TEST(a_connection_that_ends_unseen_is_reported_once),
        TEST(a_connection_whose_session_the_kernel_knows_is_not_reported),
        TEST(clear_text_may_still_come_behind_the_close),
        TEST(what_is_not_tls_passes),
        TEST(full_tables_forget_the_oldest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
