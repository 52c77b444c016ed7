/* SPDX-License-Identifier: Apache-2.0 */
/* Frames -> messages: what each means, what is wrong, and what comes in floods. */
#include "frames.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define BOTH (FRAME_END_HEADERS | FRAME_END_STREAM)

static struct feeder feeder;
static struct wire wire;

static int reset(void **state)
{
    feeder = (struct feeder){0};
    wire.len = 0;
    return 0;
}

static void assert_text(const struct message *message, unsigned id, const char *text)
{
    assert_true(bytes_equal(message_field(message, id), bytes_from_string(text)));
}

static void a_stream_is_a_request_and_its_response(void **state)
{
    wire_raw(&wire, HTTP2_PREFACE);
    wire_frame(&wire, FRAME_SETTINGS, 0, 0, BYTES_NULL);
    wire_frame(&wire, FRAME_HEADERS, BOTH, 1, REQUEST_BLOCK);
    feeder_feed(&feeder, SENDER_CLIENT, &wire, false);
    assert_int_equal(feeder.n, 1);
    assert_int_equal(feeder.messages[0].kind, MESSAGE_REQUEST);
    assert_int_equal(feeder.messages[0].flags, MESSAGE_ENDS);
    assert_int_equal(feeder.messages[0].stream, 1);
    assert_text(&feeder.messages[0], HTTP1_FIELD_METHOD, "GET");
    assert_text(&feeder.messages[0], HTTP1_FIELD_TARGET, "/a");
    assert_text(&feeder.messages[0], HTTP1_FIELD_HOST, "shop");
    assert_text(&feeder.messages[0], HTTP1_FIELD_VERSION, "2");

    wire_frame(&wire, FRAME_HEADERS, FRAME_END_HEADERS, 1, RESPONSE_BLOCK);
    wire_frame(&wire, FRAME_DATA, FRAME_END_STREAM, 1, BYTES_LITERAL("hello"));
    feeder_feed(&feeder, SENDER_SERVER, &wire, false);
    assert_int_equal(feeder.n, 2);
    assert_int_equal(feeder.messages[0].code, 200);
    assert_int_equal(feeder.messages[1].kind, MESSAGE_PART);
    assert_int_equal(feeder.messages[1].flags, MESSAGE_ENDS);
}

static void a_body_is_skipped_and_not_waited_for(void **state)
{
    struct parse_input input = {.sender = SENDER_SERVER,
                                .data = BYTES_LITERAL("\0\x40\0\0\1\0\0\0\1")};
    struct message message;
    struct parse_result result = http2_parse(&feeder.state, &input, &message);

    assert_int_equal(result.status, PARSE_MESSAGE);
    assert_int_equal(result.used, FRAME_HEADER_LEN);
    assert_int_equal(result.skip, 16384);
}

static void a_reset_ends_the_exchange_whoever_sends_it(void **state)
{
    for (enum sender sender = SENDER_CLIENT; sender <= SENDER_SERVER; sender++) {
        wire_frame(&wire, FRAME_RST_STREAM, 0, 5, BYTES_LITERAL("\0\0\0\x08"));
        feeder_feed(&feeder, sender, &wire, false);
        assert_int_equal(feeder.n, 1);
        assert_int_equal(feeder.messages[0].flags, MESSAGE_ENDS | MESSAGE_OVER);
        assert_int_equal(feeder.messages[0].stream, 5);
        assert_int_equal(message_field(&feeder.messages[0], HTTP2_FIELD_RESET).ptr[3], 8);
    }
}

static void an_interim_response_is_followed_by_another(void **state)
{
    wire_frame(&wire, FRAME_HEADERS, FRAME_END_HEADERS, 1, BYTES_LITERAL("\x08\x03" "103"));
    wire_frame(&wire, FRAME_HEADERS, BOTH, 1, RESPONSE_BLOCK);
    feeder_feed(&feeder, SENDER_SERVER, &wire, false);
    assert_int_equal(feeder.n, 2);
    assert_int_equal(feeder.messages[0].flags, MESSAGE_INTERIM);
    assert_int_equal(feeder.messages[0].code, 103);
    assert_int_equal(feeder.messages[1].code, 200);
}

static void extensions_are_passed_over_once_the_row_is_trusted(void **state)
{
    wire_raw(&wire, HTTP2_PREFACE);
    wire_frame(&wire, 0x42, 0xff, 7, BYTES_LITERAL("anything"));
    wire_frame(&wire, FRAME_HEADERS, BOTH, 1, REQUEST_BLOCK);
    feeder_feed(&feeder, SENDER_CLIENT, &wire, false);
    assert_int_equal(feeder.n, 1);
    reset(NULL);
    wire_frame(&wire, 0x42, 0xff, 7, BYTES_LITERAL("anything"));
    feeder_feed(&feeder, SENDER_SERVER, &wire, false);
    assert_int_equal(feeder.end, PARSE_BAD);
}

static void broken_frames_are_bad(void **state)
{
    static const struct {
        enum frame_type type;
        unsigned flags;
        uint32_t stream;
        const char *payload;
        size_t len;
    } cases[] = {
        {FRAME_DATA, 0, 0, "x", 1},                        /* no stream */
        {FRAME_HEADERS, BOTH, 0, "\x82", 1},               /* no stream */
        {FRAME_SETTINGS, 0, 1, "", 0},                     /* a stream */
        {FRAME_SETTINGS, 0, 0, "\0\1\0\0", 4},             /* not a multiple of six */
        {FRAME_PING, 0, 0, "1234567", 7},                  /* too short */
        {FRAME_RST_STREAM, 0, 1, "\0\0\0", 3},             /* too short */
        {FRAME_DATA, FRAME_PADDED, 1, "\5abc", 4},         /* more padding than there is room */
        {FRAME_HEADERS, BOTH | FRAME_PADDED, 1, "\7\x82", 2},
        {FRAME_HEADERS, BOTH | FRAME_HAS_PRIORITY, 1, "\0\0\0\0", 4},
        {FRAME_HEADERS, BOTH, 1, "\x80", 1},               /* index 0 */
        {FRAME_HEADERS, BOTH, 1, "\x44\x7f", 2},           /* a string that is not there */
        {FRAME_CONTINUATION, FRAME_END_HEADERS, 1, "\x82", 1}, /* of nothing */
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        for (int trusted = 0; trusted < 2; trusted++) {
            reset(NULL);
            if (trusted)
                wire_raw(&wire, HTTP2_PREFACE);
            wire_frame(&wire, cases[i].type, cases[i].flags, cases[i].stream,
                       bytes_make(cases[i].payload, cases[i].len));
            feeder_feed(&feeder, SENDER_CLIENT, &wire, false);
            assert_int_equal(feeder.end, PARSE_BAD);
            assert_int_equal(feeder.n, 0);
        }
}

static void a_block_in_several_frames_is_one(void **state)
{
    wire_raw(&wire, HTTP2_PREFACE);
    wire_frame(&wire, FRAME_HEADERS, FRAME_END_STREAM, 1, bytes_slice(REQUEST_BLOCK, 0, 5));
    wire_frame(&wire, FRAME_CONTINUATION, 0, 1, BYTES_NULL);
    wire_frame(&wire, FRAME_CONTINUATION, FRAME_END_HEADERS, 1, bytes_skip(REQUEST_BLOCK, 5));
    feeder_feed(&feeder, SENDER_CLIENT, &wire, false);
    assert_int_equal(feeder.n, 1);
    assert_text(&feeder.messages[0], HTTP1_FIELD_TARGET, "/a");
}

static void nothing_comes_between_the_frames_of_a_block(void **state)
{
    wire_raw(&wire, HTTP2_PREFACE);
    wire_frame(&wire, FRAME_HEADERS, FRAME_END_STREAM, 1, REQUEST_BLOCK);
    wire_frame(&wire, FRAME_PING, 0, 0, BYTES_LITERAL("12345678"));
    feeder_feed(&feeder, SENDER_CLIENT, &wire, false);
    assert_int_equal(feeder.end, PARSE_BAD);
    wire_raw(&wire, HTTP2_PREFACE);
    wire_frame(&wire, FRAME_HEADERS, FRAME_END_STREAM, 1, REQUEST_BLOCK);
    wire_frame(&wire, FRAME_CONTINUATION, FRAME_END_HEADERS, 3, BYTES_NULL);
    feeder_feed(&feeder, SENDER_CLIENT, &wire, false);
    assert_int_equal(feeder.end, PARSE_BAD);
}

static void a_flood_of_continuations_ends(void **state)
{
    uint8_t part[1000] = {0};

    wire_raw(&wire, HTTP2_PREFACE);
    wire_frame(&wire, FRAME_HEADERS, FRAME_END_STREAM, 1, REQUEST_BLOCK);
    for (unsigned i = 0; i < 40; i++)
        wire_frame(&wire, FRAME_CONTINUATION, 0, 1, bytes_make(part, sizeof(part)));
    feeder_feed(&feeder, SENDER_CLIENT, &wire, false);
    assert_int_equal(feeder.end, PARSE_BAD);
}

/* What can be said of a head whose end is lost is said, and marked. */
static void a_cut_block_tells_its_beginning(void **state)
{
    wire_raw(&wire, HTTP2_PREFACE);
    wire_frame(&wire, FRAME_HEADERS, BOTH, 1, REQUEST_BLOCK);
    wire.len -= 3;
    feeder_feed(&feeder, SENDER_CLIENT, &wire, false);
    assert_int_equal(feeder.end, PARSE_MORE);
    wire_frame(&wire, FRAME_HEADERS, BOTH, 1, REQUEST_BLOCK);
    wire.len -= 3;
    feeder_feed(&feeder, SENDER_CLIENT, &wire, true);
    assert_int_equal(feeder.n, 1);
    assert_int_equal(feeder.messages[0].flags, MESSAGE_TRUNCATED | MESSAGE_ENDS);
    assert_text(&feeder.messages[0], HTTP1_FIELD_METHOD, "GET");
    assert_null(message_field(&feeder.messages[0], HTTP1_FIELD_TARGET).ptr);
}

/* :path and more were inserted before: indices 62 and 63 are unknown, and nothing is made up. */
static void unknown_fields_are_left_out_and_marked(void **state)
{
    wire_frame(&wire, FRAME_HEADERS, BOTH, 77, BYTES_LITERAL("\x83\x86\xbe\xbf"));
    feeder_feed(&feeder, SENDER_CLIENT, &wire, false);
    assert_int_equal(feeder.n, 1);
    assert_int_equal(feeder.messages[0].kind, MESSAGE_REQUEST);
    assert_true(feeder.messages[0].flags & MESSAGE_TRUNCATED);
    assert_text(&feeder.messages[0], HTTP1_FIELD_METHOD, "POST");
    assert_null(message_field(&feeder.messages[0], HTTP1_FIELD_TARGET).ptr);
}

static void secrets_are_in_no_message(void **state)
{
    wire_raw(&wire, HTTP2_PREFACE);
    wire_frame(&wire, FRAME_HEADERS, BOTH, 1,
               BYTES_LITERAL("\x82\x86\x44\x02/a\x60\x06s3cr3t\x0f\x08\x06s3cr3t"));
    feeder_feed(&feeder, SENDER_CLIENT, &wire, false);
    assert_int_equal(feeder.n, 1);
    for (unsigned i = 0; i < feeder.messages[0].n_fields; i++)
        assert_false(bytes_equal(feeder.messages[0].fields[i].value, BYTES_LITERAL("s3cr3t")));
    assert_null(memmem(&feeder.state, sizeof(feeder.state), "s3cr3t", 6));
}

/* Two messages of 3 and 0 bytes, one of them across frames and behind padding. */
static void the_messages_of_a_body_are_counted(void **state)
{
    struct bytes block = BYTES_LITERAL("\x83\x86\x44\x02/a\x5f\x10" "application/grpc");

    wire_raw(&wire, HTTP2_PREFACE);
    wire_frame(&wire, FRAME_HEADERS, FRAME_END_HEADERS, 1, block);
    wire_frame(&wire, FRAME_DATA, FRAME_PADDED, 1, BYTES_LITERAL("\2\0\0\0xx"));
    wire_frame(&wire, FRAME_DATA, 0, 1, BYTES_LITERAL("\0\3ab"));
    wire_frame(&wire, FRAME_DATA, FRAME_END_STREAM, 1, BYTES_LITERAL("c\0\0\0\0\0"));
    feeder_feed(&feeder, SENDER_CLIENT, &wire, false);
    assert_int_equal(feeder.n, 2);
    wire_frame(&wire, FRAME_HEADERS, BOTH, 1, BYTES_LITERAL("\x88"));
    feeder_feed(&feeder, SENDER_SERVER, &wire, false);
    assert_int_equal(feeder.n, 1);
    assert_true(bytes_equal(message_field(&feeder.messages[0], GRPC_FIELD_REQUESTS),
                            BYTES_LITERAL("\0\0\0\2")));
    assert_true(bytes_equal(message_field(&feeder.messages[0], GRPC_FIELD_RESPONSES),
                            BYTES_LITERAL("\0\0\0\0")));
}

static void more_streams_than_places_lose_counts_only(void **state)
{
    wire_raw(&wire, HTTP2_PREFACE);
    feeder_feed(&feeder, SENDER_CLIENT, &wire, false);
    for (uint32_t i = 0; i < 1000; i++) {
        wire_frame(&wire, FRAME_HEADERS, BOTH, 2 * i + 1, REQUEST_BLOCK);
        feeder_feed(&feeder, SENDER_CLIENT, &wire, false);
        assert_int_equal(feeder.n, 1);
    }
    for (uint32_t i = 0; i < 1000; i++) {
        wire_frame(&wire, FRAME_HEADERS, BOTH, 2 * i + 1, RESPONSE_BLOCK);
        feeder_feed(&feeder, SENDER_SERVER, &wire, false);
        assert_int_equal(feeder.n, 1);
        assert_int_equal(feeder.messages[0].kind, MESSAGE_RESPONSE);
        assert_int_equal(feeder.messages[0].stream, 2 * i + 1);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_stream_is_a_request_and_its_response),
        TEST(a_body_is_skipped_and_not_waited_for),
        TEST(a_reset_ends_the_exchange_whoever_sends_it),
        TEST(an_interim_response_is_followed_by_another),
        TEST(extensions_are_passed_over_once_the_row_is_trusted),
        TEST(broken_frames_are_bad),
        TEST(a_block_in_several_frames_is_one),
        TEST(nothing_comes_between_the_frames_of_a_block),
        TEST(a_flood_of_continuations_ends),
        TEST(a_cut_block_tells_its_beginning),
        TEST(unknown_fields_are_left_out_and_marked),
        TEST(secrets_are_in_no_message),
        TEST(the_messages_of_a_body_are_counted),
        TEST(more_streams_than_places_lose_counts_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
