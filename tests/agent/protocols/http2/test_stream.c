/* SPDX-License-Identifier: Apache-2.0 */
/* The table of open streams. */
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

static void behind_a_gap_only_what_had_begun_is_doubted(void **state)
{
    struct http2_stream *begun = http2_stream_open(&http2, 1);
    struct http2_stream *waiting = http2_stream_open(&http2, 3);

    begun->responded = true;
    http2_streams_lose(&http2, SENDER_SERVER);
    assert_int_equal(begun->bodies[SENDER_SERVER].kind, GRPC_BODY_LOST);
    assert_int_equal(waiting->bodies[SENDER_SERVER].kind, GRPC_BODY_OTHER);
    assert_int_equal(begun->bodies[SENDER_CLIENT].kind, GRPC_BODY_OTHER);
    http2_streams_lose(&http2, SENDER_CLIENT);
    assert_int_equal(waiting->bodies[SENDER_CLIENT].kind, GRPC_BODY_LOST);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(as_many_streams_as_there_are_places_are_known_whatever_their_ids),
        TEST(of_too_many_streams_the_oldest_is_given_up),
        TEST(behind_a_gap_only_what_had_begun_is_doubted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
