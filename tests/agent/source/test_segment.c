/* SPDX-License-Identifier: Apache-2.0 */
#include "source/segment.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define CLIENT_PORT 40000
#define SERVER_PORT 80
#define STREAM_MAX 4096
#define MS UINT64_C(1000000)

/* What the events said: each direction's bytes at their places, gaps as dots. */
struct world {
    struct counters counters;
    struct segments *segments;
    uint64_t now_ns;
    char said[2][STREAM_MAX];
    uint64_t next[2];
    unsigned n_events, n_closes, n_connections;
    struct connection_facts facts;
};

static void on_event(void *arg, const struct event *event)
{
    struct world *world = arg;
    char *said = world->said[event->dir];

    if (event->kind == EVENT_CLOSE) {
        world->n_closes++;
        return;
    }
    world->n_events++;
    if (event->connection_facts) {
        world->facts = *event->connection_facts;
        world->n_connections++;
        world->next[0] = world->next[1] = 0;
    }
    if (world->next[event->dir] && world->next[event->dir] != event->position)
        strcat(said, "...");
    world->next[event->dir] = event->position + event->length;
    strncat(said, (const char *)event->data.ptr, event->data.len);
    if (event->data.len < event->length)
        strcat(said, "~");
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct segments_options options = {
        .max_connections = 4,
        .max_held = 4096,
        .counters = &world->counters,
        .deliver = on_event,
        .arg = world,
    };

    *state = world;
    return segments_new(&options, &world->segments);
}

static int teardown(void **state)
{
    struct world *world = *state;

    segments_free(world->segments);
    free(world);
    return 0;
}

static struct packet packet_of(enum direction dir, uint32_t sequence, uint8_t flags,
                               const char *text)
{
    struct packet packet = {
        .source = {{[10] = 0xff, 0xff, 10, 0, 0, 1}, CLIENT_PORT},
        .destination = {{[10] = 0xff, 0xff, 10, 0, 0, 2}, SERVER_PORT},
        .transport = IPPROTO_TCP,
        .flags = flags,
        .sequence = sequence,
        .length = (uint32_t)strlen(text),
        .payload = bytes_from_string(text),
    };

    if (dir == DIR_OUT) {
        struct endpoint client = packet.source;

        packet.source = packet.destination;
        packet.destination = client;
    }
    return packet;
}

static void add(struct world *world, const struct packet *packet)
{
    world->now_ns += MS;
    segments_add(world->segments, packet, world->now_ns);
}

static void say(struct world *world, enum direction dir, uint32_t sequence, const char *text)
{
    struct packet packet = packet_of(dir, sequence, TCP_FLAG_ACK, text);

    add(world, &packet);
}

static void flag(struct world *world, enum direction dir, uint32_t sequence, uint8_t flags)
{
    struct packet packet = packet_of(dir, sequence, flags, "");

    add(world, &packet);
}

static void acknowledge(struct world *world, enum direction dir, uint32_t acknowledged)
{
    struct packet packet = packet_of(dir, 0, TCP_FLAG_ACK, "");

    packet.acknowledged = acknowledged;
    add(world, &packet);
}

static void shake_hands(struct world *world, uint32_t client, uint32_t server)
{
    flag(world, DIR_IN, client, TCP_FLAG_SYN);
    flag(world, DIR_OUT, server, TCP_FLAG_SYN | TCP_FLAG_ACK);
}

static void the_server_is_who_was_sent_the_syn_and_the_starts_are_known(void **state)
{
    struct world *world = *state;

    shake_hands(world, 99, 499);
    say(world, DIR_IN, 100, "ask");
    say(world, DIR_OUT, 500, "answer");
    assert_string_equal(world->said[DIR_IN], "ask");
    assert_string_equal(world->said[DIR_OUT], "answer");
    assert_int_equal(world->facts.local.port, SERVER_PORT);
    assert_int_equal(world->facts.remote.port, CLIENT_PORT);
    assert_true(world->facts.has_starts && world->facts.passive);
    assert_int_equal(world->facts.starts[DIR_IN], 100);
    assert_int_equal(world->facts.starts[DIR_OUT], 500);
}

static void a_connection_joined_midway_knows_no_starts_and_its_server_by_the_port(void **state)
{
    struct world *world = *state;

    say(world, DIR_OUT, 500, "answer");
    say(world, DIR_IN, 100, "ask");
    assert_int_equal(world->facts.local.port, SERVER_PORT);
    assert_false(world->facts.has_starts);
    assert_string_equal(world->said[DIR_OUT], "answer");
    assert_string_equal(world->said[DIR_IN], "ask");
}

static void segments_out_of_order_are_told_in_order(void **state)
{
    struct world *world = *state;

    shake_hands(world, 99, 499);
    say(world, DIR_IN, 104, "efgh");
    say(world, DIR_IN, 112, "mnop");
    assert_string_equal(world->said[DIR_IN], "");
    say(world, DIR_IN, 108, "ijkl");
    assert_string_equal(world->said[DIR_IN], "");
    say(world, DIR_IN, 100, "abcd");
    assert_string_equal(world->said[DIR_IN], "abcdefghijklmnop");
}

static void repeated_and_overlapping_bytes_are_told_once(void **state)
{
    struct world *world = *state;

    shake_hands(world, 99, 499);
    say(world, DIR_IN, 100, "abcd");
    say(world, DIR_IN, 100, "abcd");
    say(world, DIR_IN, 102, "XXef");
    say(world, DIR_IN, 108, "ijkl");
    say(world, DIR_IN, 106, "ghij");
    say(world, DIR_IN, 104, "XXXXXXXXmn");
    assert_string_equal(world->said[DIR_IN], "abcdefghijklmn");
    assert_int_equal(counters_get(&world->counters, COUNTER_packets_repeated), 1);
}

static void sequence_numbers_may_wrap(void **state)
{
    struct world *world = *state;

    shake_hands(world, 0xfffffffc, 499);
    say(world, DIR_IN, 0xfffffffd, "abc");
    say(world, DIR_IN, 3, "ghi");
    say(world, DIR_IN, 0, "def");
    say(world, DIR_IN, 0xfffffffd, "abc");
    assert_string_equal(world->said[DIR_IN], "abcdefghi");
    assert_int_equal(world->next[DIR_IN], UINT64_C(0x100000006));
}

static void a_segment_in_front_of_where_a_capture_begins_is_no_new_one(void **state)
{
    struct world *world = *state;

    say(world, DIR_IN, 5, "abc");
    say(world, DIR_IN, 0xfffffff0, "old");
    say(world, DIR_IN, 8, "def");
    assert_string_equal(world->said[DIR_IN], "abcdef");
}

static void a_hole_that_the_receiver_has_is_a_gap_after_a_while(void **state)
{
    struct world *world = *state;

    shake_hands(world, 99, 499);
    say(world, DIR_IN, 100, "abcd");
    say(world, DIR_IN, 108, "ijkl");
    acknowledge(world, DIR_OUT, 112);
    assert_string_equal(world->said[DIR_IN], "abcd");
    world->now_ns += 200 * MS;
    segments_advance(world->segments, world->now_ns);
    assert_string_equal(world->said[DIR_IN], "abcd...ijkl");
}

static void a_hole_that_the_receiver_still_has_is_waited_for(void **state)
{
    struct world *world = *state;

    shake_hands(world, 99, 499);
    say(world, DIR_IN, 100, "abcd");
    say(world, DIR_IN, 108, "ijkl");
    acknowledge(world, DIR_OUT, 104);
    world->now_ns += 3000 * MS;
    segments_advance(world->segments, world->now_ns);
    assert_string_equal(world->said[DIR_IN], "abcd");
    say(world, DIR_IN, 104, "efgh");
    assert_string_equal(world->said[DIR_IN], "abcdefghijkl");
}

static void an_answer_waits_for_what_it_answers(void **state)
{
    struct world *world = *state;
    struct packet answer = packet_of(DIR_OUT, 500, TCP_FLAG_ACK, "answer");

    shake_hands(world, 99, 499);
    answer.acknowledged = 103;
    add(world, &answer);
    assert_string_equal(world->said[DIR_OUT], "");
    say(world, DIR_IN, 100, "ask");
    assert_string_equal(world->said[DIR_IN], "ask");
    assert_string_equal(world->said[DIR_OUT], "answer");
}

static void an_answer_to_what_was_not_captured_comes_after_a_while(void **state)
{
    struct world *world = *state;
    struct packet answer = packet_of(DIR_OUT, 500, TCP_FLAG_ACK, "answer");

    shake_hands(world, 99, 499);
    answer.acknowledged = 103;
    add(world, &answer);
    world->now_ns += 200 * MS;
    segments_advance(world->segments, world->now_ns);
    assert_string_equal(world->said[DIR_OUT], "answer");
    say(world, DIR_IN, 100, "ask");
    say(world, DIR_IN, 103, "more");
    assert_string_equal(world->said[DIR_IN], "more");
}

static void too_much_behind_a_hole_makes_it_a_gap(void **state)
{
    struct world *world = *state;
    uint32_t sequence = 200;

    shake_hands(world, 99, 499);
    for (unsigned i = 0; i < 300; i++, sequence += 4)
        say(world, DIR_IN, sequence, "abcd");
    assert_true(world->n_events >= 256);
    say(world, DIR_IN, sequence, "the end");
    assert_non_null(strstr(world->said[DIR_IN], "the end"));
}

static void what_was_cut_from_a_segment_is_not_there_but_counts(void **state)
{
    struct world *world = *state;
    struct packet packet = packet_of(DIR_IN, 100, TCP_FLAG_ACK, "abcd");

    shake_hands(world, 99, 499);
    packet.length = 10;
    add(world, &packet);
    say(world, DIR_IN, 110, "klm");
    assert_string_equal(world->said[DIR_IN], "abcd~klm");
}

static void both_fins_close_a_connection_once_and_in_order(void **state)
{
    struct world *world = *state;
    struct packet last = packet_of(DIR_OUT, 504, TCP_FLAG_ACK | TCP_FLAG_FIN, "cd");

    shake_hands(world, 99, 499);
    say(world, DIR_IN, 100, "ask");
    flag(world, DIR_IN, 103, TCP_FLAG_FIN | TCP_FLAG_ACK);
    add(world, &last);
    assert_int_equal(world->n_closes, 0);
    say(world, DIR_OUT, 500, "0123");
    assert_string_equal(world->said[DIR_OUT], "0123cd");
    assert_int_equal(world->n_closes, 1);
    flag(world, DIR_IN, 103, TCP_FLAG_FIN | TCP_FLAG_ACK);
    segments_flush(world->segments, world->now_ns);
    assert_int_equal(world->n_closes, 1);
}

/* Each end sends its FIN before it has seen the other's (RFC 9293 section 3.6). */
static void a_simultaneous_close_is_one_close(void **state)
{
    struct world *world = *state;

    shake_hands(world, 99, 499);
    say(world, DIR_IN, 100, "ask");
    say(world, DIR_OUT, 500, "answer");
    flag(world, DIR_IN, 103, TCP_FLAG_FIN | TCP_FLAG_ACK);
    flag(world, DIR_OUT, 506, TCP_FLAG_FIN | TCP_FLAG_ACK);
    flag(world, DIR_IN, 104, TCP_FLAG_ACK);
    flag(world, DIR_OUT, 507, TCP_FLAG_ACK);
    segments_flush(world->segments, world->now_ns);
    assert_int_equal(world->n_closes, 1);
    assert_string_equal(world->said[DIR_OUT], "answer");
    assert_int_equal(world->n_connections, 1);
}

static void a_reset_tells_what_is_held_and_closes(void **state)
{
    struct world *world = *state;

    shake_hands(world, 99, 499);
    say(world, DIR_IN, 100, "ab");
    say(world, DIR_IN, 104, "ef");
    flag(world, DIR_OUT, 500, TCP_FLAG_RST);
    assert_string_equal(world->said[DIR_IN], "ab...ef");
    assert_int_equal(world->n_closes, 1);
}

static void ports_that_are_used_again_are_another_connection(void **state)
{
    struct world *world = *state;

    shake_hands(world, 99, 499);
    say(world, DIR_IN, 100, "one ");
    shake_hands(world, 7000, 8000);
    say(world, DIR_IN, 7001, "two");
    assert_int_equal(world->n_connections, 2);
    assert_int_equal(world->n_closes, 1);
    assert_string_equal(world->said[DIR_IN], "one two");
}

static void a_full_table_lets_the_oldest_connection_go(void **state)
{
    struct world *world = *state;

    for (uint16_t port = 40000; port < 40100; port++) {
        struct packet packet = packet_of(DIR_IN, 100, TCP_FLAG_ACK, "x");

        packet.source.port = port;
        add(world, &packet);
    }
    assert_int_equal(world->n_connections, 100);
    assert_int_equal(world->n_closes, 96);
}

static void say_part(struct world *world, uint32_t base, const char *text, unsigned from,
                     unsigned n)
{
    char part[64];

    snprintf(part, sizeof(part), "%.*s", (int)n, text + from);
    say(world, DIR_IN, base + from, part);
}

/* A stream cut into segments that come shuffled, repeated and overlapping is the stream. */
static void any_order_of_segments_gives_the_same_stream(void **state)
{
    struct world *world = *state;
    char text[1001];
    unsigned seed = 1;

    for (size_t i = 0; i < sizeof(text) - 1; i++)
        text[i] = (char)('a' + i % 26);
    text[sizeof(text) - 1] = '\0';
    for (unsigned round = 0; round < 200; round++) {
        uint32_t base = (uint32_t)rand_r(&seed);

        memset(world->said, 0, sizeof(world->said));
        shake_hands(world, base - 1, 499 + round);
        for (unsigned i = 0; i < 60; i++) {
            unsigned from = (unsigned)rand_r(&seed) % 1000;
            unsigned n = 1 + (unsigned)rand_r(&seed) % 60;

            say_part(world, base, text, from, n);
        }
        for (unsigned from = 0; from < 1000; from += 50)
            say_part(world, base, text, from, 50);
        assert_string_equal(world->said[DIR_IN], text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(the_server_is_who_was_sent_the_syn_and_the_starts_are_known),
        TEST(a_connection_joined_midway_knows_no_starts_and_its_server_by_the_port),
        TEST(segments_out_of_order_are_told_in_order),
        TEST(repeated_and_overlapping_bytes_are_told_once),
        TEST(sequence_numbers_may_wrap),
        TEST(a_segment_in_front_of_where_a_capture_begins_is_no_new_one),
        TEST(a_hole_that_the_receiver_has_is_a_gap_after_a_while),
        TEST(a_hole_that_the_receiver_still_has_is_waited_for),
        TEST(an_answer_waits_for_what_it_answers),
        TEST(an_answer_to_what_was_not_captured_comes_after_a_while),
        TEST(too_much_behind_a_hole_makes_it_a_gap),
        TEST(what_was_cut_from_a_segment_is_not_there_but_counts),
        TEST(both_fins_close_a_connection_once_and_in_order),
        TEST(a_simultaneous_close_is_one_close),
        TEST(a_reset_tells_what_is_held_and_closes),
        TEST(ports_that_are_used_again_are_another_connection),
        TEST(a_full_table_lets_the_oldest_connection_go),
        TEST(any_order_of_segments_gives_the_same_stream),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
