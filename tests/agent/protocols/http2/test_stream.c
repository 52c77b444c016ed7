/* SPDX-License-Identifier: Apache-2.0 */
/* The table of open streams, and how the messages of a body are counted. */
#include "protocols/http2/http2.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct http2_state http2;

static int reset(void **state)
{
    http2 = (struct http2_state){0};
    return 0;
}

/* Long-lived ones, and others that come and go beside them. */
static void as_many_streams_as_there_are_places_are_known_whatever_their_ids(void **state)
{
    struct message message = {0};

    for (uint32_t i = 0; i < HTTP2_STREAMS - 1; i++)
        http2_stream_open(&http2, 2 * i + 1);
    for (uint32_t id = 1001; id < 5001; id += 2) {
        http2_stream_open(&http2, id);
        assert_non_null(http2_stream_find(&http2, id));
        http2_stream_close(&http2, id, NULL, &message);
        assert_null(http2_stream_find(&http2, id));
    }
    for (uint32_t i = 0; i < HTTP2_STREAMS - 1; i++)
        assert_int_equal(http2_stream_find(&http2, 2 * i + 1)->id, 2 * i + 1);
}

static void of_too_many_streams_the_oldest_is_given_up(void **state)
{
    for (uint32_t i = 0; i < HTTP2_STREAMS + 1; i++)
        http2_stream_open(&http2, 2 * i + 1);
    assert_null(http2_stream_find(&http2, 1));
    for (uint32_t i = 1; i < HTTP2_STREAMS + 1; i++)
        assert_non_null(http2_stream_find(&http2, 2 * i + 1));
}

/* Messages of 2, 0 and 300 bytes, seen in pieces of every length. */
static void messages_are_counted_however_they_are_cut(void **state)
{
    static const uint8_t head[] = {0, 0, 0, 0, 2, 'a', 'b', 0, 0, 0, 0, 0, 1, 0, 0, 1, 44};
    uint8_t body[sizeof(head) + 300] = {0};

    memcpy(body, head, sizeof(head));
    for (uint32_t piece = 1; piece <= sizeof(body); piece++) {
        struct http2_progress progress = {0};

        for (size_t at = 0; at < sizeof(body); at += piece) {
            struct bytes rest = bytes_slice(bytes_make(body, sizeof(body)), at, piece);

            while (rest.len) {
                size_t need = http2_progress_need(&progress, (uint32_t)rest.len);

                http2_progress_read(&progress, bytes_slice(rest, 0, need));
                rest = bytes_skip(rest, need);
                rest = bytes_skip(rest, http2_progress_pass(&progress, (uint32_t)rest.len));
            }
        }
        assert_int_equal(progress.n_messages, 3);
        assert_int_equal(progress.left, 0);
    }
}

static void behind_a_gap_only_what_had_begun_is_doubted(void **state)
{
    struct http2_stream *begun = http2_stream_open(&http2, 1);
    struct http2_stream *waiting = http2_stream_open(&http2, 3);

    begun->counted = waiting->counted = begun->responded = true;
    http2_streams_uncount(&http2, SENDER_SERVER);
    assert_false(begun->counted);
    assert_true(waiting->counted);
    http2_streams_uncount(&http2, SENDER_CLIENT);
    assert_false(waiting->counted);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(as_many_streams_as_there_are_places_are_known_whatever_their_ids),
        TEST(of_too_many_streams_the_oldest_is_given_up),
        TEST(messages_are_counted_however_they_are_cut),
        TEST(behind_a_gap_only_what_had_begun_is_doubted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
