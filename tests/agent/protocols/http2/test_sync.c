/* SPDX-License-Identifier: Apache-2.0 */
/* Beginnings: what is taken for HTTP/2, what never is, and where it goes on behind a gap. */
#include "frames.h"

#include "base/hash.h"
#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define BOTH (FRAME_END_HEADERS | FRAME_END_STREAM)

static struct wire wire;

static int reset(void **state)
{
    wire.len = 0;
    return 0;
}

static enum probe_result probe_wire(void)
{
    return http2_probe(bytes_make(wire.bytes, wire.len), DELIVERY_STREAM);
}

static void the_preface_is_a_client(void **state)
{
    for (size_t len = 0; len < HTTP2_PREFACE.len; len++)
        assert_int_equal(http2_probe(bytes_slice(HTTP2_PREFACE, 0, len), DELIVERY_STREAM), PROBE_MORE);
    assert_int_equal(http2_probe(HTTP2_PREFACE, DELIVERY_STREAM), PROBE_CLIENT);
}

static void a_block_in_a_row_of_frames_says_who_sent_it(void **state)
{
    wire_frame(&wire, FRAME_WINDOW_UPDATE, 0, 0, BYTES_LITERAL("\0\1\0\0"));
    assert_int_equal(probe_wire(), PROBE_MORE);
    wire_frame(&wire, FRAME_HEADERS, BOTH, 4711, BYTES_LITERAL("\x83\x86\xc5\xc4\xc3"));
    assert_int_equal(probe_wire(), PROBE_CLIENT);
    reset(NULL);
    wire_frame(&wire, FRAME_DATA, 0, 4709, BYTES_LITERAL("rest of a body"));
    wire_frame(&wire, FRAME_HEADERS, FRAME_END_HEADERS, 4711, BYTES_LITERAL("\x88\xc0\xbf"));
    assert_int_equal(probe_wire(), PROBE_SERVER);
}

/* Trailers and settings come from either side. */
static void what_either_side_may_send_is_waited_through(void **state)
{
    wire_frame(&wire, FRAME_SETTINGS, 0, 0, BYTES_LITERAL("\0\3\0\0\0\x64"));
    assert_int_equal(probe_wire(), PROBE_MORE);
    reset(NULL);
    wire_frame(&wire, FRAME_PING, FRAME_ACK, 0, BYTES_LITERAL("12345678"));
    assert_int_equal(probe_wire(), PROBE_MORE);
    reset(NULL);
    wire_frame(&wire, FRAME_HEADERS, BOTH, 3, BYTES_LITERAL("\xbe"));
    assert_int_equal(probe_wire(), PROBE_MORE);
}

static void a_row_with_a_contradiction_is_none(void **state)
{
    wire_frame(&wire, FRAME_HEADERS, BOTH, 1, REQUEST_BLOCK);
    wire_raw(&wire, BYTES_LITERAL("GET / HTTP"));
    assert_int_equal(probe_wire(), PROBE_NO);
    reset(NULL);
    wire_frame(&wire, FRAME_HEADERS, BOTH, 2, REQUEST_BLOCK);
    assert_int_equal(probe_wire(), PROBE_NO);
}

static uint64_t seed;

static uint8_t random_byte(void)
{
    return (uint8_t)hash_mix(seed++);
}

/* Random bytes, and such as binary formats have: mostly zeros and small numbers. */
static void noise_is_never_taken_for_a_conversation(void **state)
{
    uint8_t noise[300];
    unsigned undecided[2] = {0, 0};

    for (unsigned run = 0; run < 200000; run++) {
        size_t len = 24 + random_byte();
        enum probe_result result;

        for (size_t i = 0; i < len; i++)
            noise[i] = run % 2 && random_byte() % 4 ? random_byte() % 3 : random_byte();
        result = http2_probe(bytes_make(noise, len), DELIVERY_STREAM);
        assert_true(result == PROBE_NO || result == PROBE_MORE);
        undecided[run % 2] += result == PROBE_MORE;
    }
    printf("undecided: %u of 100000 random ones, %u of 100000 of small numbers\n", undecided[0],
           undecided[1]);
    assert_true(undecided[0] < 10);
    assert_true(undecided[1] < 5000);
}

static void other_protocols_are_not_taken(void **state)
{
    static const struct bytes others[] = {
        {(const uint8_t *)"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27},
        {(const uint8_t *)"HTTP/1.1 200 OK\r\n\r\n", 19},
        {(const uint8_t *)"POST / HTTP/1.1\r\n\r\n", 19},
        {(const uint8_t *)"SSH-2.0-OpenSSH_9.2\r\n", 21},
        {(const uint8_t *)"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11}, /* TLS */
        {(const uint8_t *)"\x00\x00\x00\x08\x04\xd2\x16\x2f", 8},     /* PostgreSQL: SSL? */
        {(const uint8_t *)"\x00\x00\x00\x29\x00\x03\x00\x00user\0me\0", 16}, /* its start */
        {(const uint8_t *)"\x00\x00\x00\x16\x00\x12\x00\x03\x00\x00\x00\x01", 12}, /* Kafka */
        {(const uint8_t *)"*1\r\n$4\r\nPING\r\n", 14},                /* Redis */
        {(const uint8_t *)"AMQP\0\0\x09\x01", 8},
        {(const uint8_t *)"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n", 32},
    };

    for (size_t i = 0; i < ELEMENTSOF(others); i++)
        assert_int_equal(http2_probe(others[i], DELIVERY_STREAM), PROBE_NO);
}

static size_t resync(struct http2_state *http2, enum sender sender)
{
    struct parse_input input = {.sender = sender, .data = bytes_make(wire.bytes, wire.len)};

    return http2_resync(http2, &input);
}

static void the_next_row_of_frames_is_found_behind_a_gap(void **state)
{
    struct http2_state http2 = {0};
    struct bytes rest = BYTES_LITERAL("...the rest of a body, \x00\x00\x05\x01 and more of it");

    wire_raw(&wire, rest);
    wire_frame(&wire, FRAME_DATA, FRAME_END_STREAM, 3, BYTES_LITERAL("x"));
    wire_frame(&wire, FRAME_HEADERS, FRAME_END_HEADERS, 5, RESPONSE_BLOCK);
    assert_int_equal(resync(&http2, SENDER_SERVER), rest.len);
    reset(NULL);
    wire_raw(&wire, rest);
    wire_raw(&wire, HTTP2_PREFACE);
    assert_int_equal(resync(&http2, SENDER_CLIENT), rest.len);
}

static void behind_a_gap_the_table_is_unknown(void **state)
{
    static struct feeder feeder;

    wire_raw(&wire, HTTP2_PREFACE);
    wire_frame(&wire, FRAME_HEADERS, BOTH, 1, REQUEST_BLOCK);
    wire_frame(&wire, FRAME_HEADERS, BOTH, 3, BYTES_LITERAL("\x82\x86\xbe\xbf"));
    feeder_feed(&feeder, SENDER_CLIENT, &wire, false);
    assert_int_equal(feeder.n, 2);
    assert_false(feeder.messages[1].flags & MESSAGE_TRUNCATED);
    resync(&feeder.state, SENDER_CLIENT);
    wire_frame(&wire, FRAME_HEADERS, BOTH, 5, BYTES_LITERAL("\x82\x86\xbe\xbf"));
    feeder_feed(&feeder, SENDER_CLIENT, &wire, false);
    assert_int_equal(feeder.n, 1);
    assert_true(feeder.messages[0].flags & MESSAGE_TRUNCATED);
    assert_null(message_field(&feeder.messages[0], HTTP1_FIELD_TARGET).ptr);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_preface_is_a_client),
        TEST(a_block_in_a_row_of_frames_says_who_sent_it),
        TEST(what_either_side_may_send_is_waited_through),
        TEST(a_row_with_a_contradiction_is_none),
        TEST(noise_is_never_taken_for_a_conversation),
        TEST(other_protocols_are_not_taken),
        TEST(the_next_row_of_frames_is_found_behind_a_gap),
        TEST(behind_a_gap_the_table_is_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
