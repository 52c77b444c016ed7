/* SPDX-License-Identifier: Apache-2.0 */
/* gRPC-Web in bodies of both framings: what its end tells, and what a lost part leaves. */
#include "protocols/http/grpc.h"
#include "protocols/http1/http1.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define CALL                                                                                       \
    "POST /shop.Orders/Get HTTP/1.1\r\nContent-Type: application/grpc-web+proto\r\n"               \
    "grpc-timeout: 1S\r\n"
#define ANSWER "HTTP/1.1 200 OK\r\ncontent-type: application/grpc-web+proto\r\n"
#define MESSAGE "\0\0\0\0\2ok"
#define TRAILERS "\x80\0\0\0\17grpc-status:5\r\n"

static struct http1_state http1;
static struct message last;      /* the last message */
static struct bytes left;        /* what was not consumed */
static uint64_t skip;            /* ... and to be passed over behind it */

static int reset(void **state)
{
    http1 = (struct http1_state){0};
    last = (struct message){0};
    return 0;
}

/* Parses until more is wanted; returns the number of messages. */
static unsigned feed(enum sender sender, struct bytes bytes, bool cut)
{
    static uint8_t memory[SCRATCH_SIZE];
    unsigned n = 0;

    for (;;) {
        struct arena scratch = arena_over(memory, sizeof(memory));
        struct parse_input input = {sender, cut, bytes, &scratch};
        struct message message;
        struct parse_result result = http1_parse(&http1, &input, &message);

        if (result.status == PARSE_MORE || result.status == PARSE_BAD)
            break;
        if (result.status == PARSE_MESSAGE) {
            last = message;
            n++;
        }
        skip = result.skip;
        bytes = bytes_skip(bytes, result.used);
        skip -= MIN(skip, (uint64_t)bytes.len);
        bytes = bytes_skip(bytes, (size_t)MIN(result.skip, (uint64_t)bytes.len));
        if (skip || (!bytes.len && !cut))
            break;
    }
    left = bytes;
    return n;
}

#define FEED(sender, text) feed(sender, BYTES_LITERAL(text), false)

static void assert_last(unsigned id, struct bytes expected)
{
    assert_true(bytes_equal(message_field(&last, id), expected));
}

static void the_end_of_each_side_tells_what_its_body_has_told(void **state)
{
    assert_int_equal(FEED(SENDER_CLIENT, CALL "Content-Length: 7\r\n\r\n"), 1);
    assert_int_equal(last.flags, 0);
    assert_last(GRPC_FIELD_TIMEOUT, BYTES_LITERAL("1S"));
    assert_int_equal(FEED(SENDER_CLIENT, MESSAGE), 1);
    assert_int_equal(last.flags, MESSAGE_ENDS);
    assert_last(GRPC_FIELD_REQUESTS, BYTES_LITERAL("\0\0\0\1"));
    assert_int_equal(FEED(SENDER_SERVER, ANSWER "Transfer-Encoding: chunked\r\n\r\n"
                          "7\r\n" MESSAGE "\r\ne\r\n" MESSAGE MESSAGE "\r\n"
                          "14\r\n" TRAILERS "\r\n0\r\n\r\n"), 2);
    assert_int_equal(last.kind, MESSAGE_PART);
    assert_int_equal(last.flags, MESSAGE_ENDS);
    assert_last(GRPC_FIELD_RESPONSES, BYTES_LITERAL("\0\0\0\3"));
    assert_last(GRPC_FIELD_STATUS, BYTES_LITERAL("5"));
}

static void trailers_only_are_in_the_head(void **state)
{
    assert_int_equal(FEED(SENDER_CLIENT, CALL "Content-Length: 0\r\n\r\n"), 1);
    assert_last(GRPC_FIELD_REQUESTS, BYTES_LITERAL("\0\0\0\0"));
    assert_int_equal(FEED(SENDER_SERVER, ANSWER "grpc-status: 12\r\nContent-Length: 0\r\n\r\n"), 1);
    assert_int_equal(last.flags, MESSAGE_ENDS);
    assert_last(GRPC_FIELD_STATUS, BYTES_LITERAL("12"));
    assert_last(GRPC_FIELD_RESPONSES, BYTES_LITERAL("\0\0\0\0"));
}

static void where_a_part_is_lost_the_rest_is_skipped_and_nothing_is_told(void **state)
{
    FEED(SENDER_SERVER, ANSWER "Content-Length: 27\r\n\r\n\0\0");
    assert_int_equal(feed(SENDER_SERVER, BYTES_NULL, true), 1);
    assert_int_equal(skip, 25);
    assert_int_equal(last.flags, MESSAGE_ENDS);
    assert_int_equal(last.n_fields, 0);

    FEED(SENDER_SERVER, ANSWER "Transfer-Encoding: chunked\r\n\r\n7\r\n\0");
    assert_int_equal(feed(SENDER_SERVER, BYTES_NULL, true), 0);
    assert_int_equal(skip, 6 + 2);
    assert_int_equal(FEED(SENDER_SERVER, "14\r\n" TRAILERS "\r\n0\r\n\r\n"), 1);
    assert_null(message_field(&last, GRPC_FIELD_RESPONSES).ptr);
    assert_null(message_field(&last, GRPC_FIELD_STATUS).ptr);
    assert_int_equal(left.len, 0);
}

static void a_body_until_the_close_and_other_types_are_not_looked_at(void **state)
{
    assert_int_equal(FEED(SENDER_SERVER, ANSWER "\r\n"), 1);
    assert_true(skip == SKIP_UNTIL_CLOSE);
    assert_int_equal(FEED(SENDER_SERVER, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
                          "Content-Length: 27\r\n\r\n"), 1);
    assert_int_equal(skip, 27);
    assert_int_equal(last.flags, MESSAGE_ENDS);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_end_of_each_side_tells_what_its_body_has_told),
        TEST(trailers_only_are_in_the_head),
        TEST(where_a_part_is_lost_the_rest_is_skipped_and_nothing_is_told),
        TEST(a_body_until_the_close_and_other_types_are_not_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
