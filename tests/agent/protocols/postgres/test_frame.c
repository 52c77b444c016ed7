/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/postgres/frame.h"

#include "wire.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static enum frame_match read_frame(struct bytes data, size_t wish, bool cut,
                                   struct frame *ret_frame)
{
    return postgres_frame_read(SENDER_CLIENT, data, wish, cut, ret_frame);
}

static void a_message_is_read_with_its_body(void **state)
{
    struct frame frame;

    assert_int_equal(read_frame(BYTES_LITERAL(QUERY_1 SYNC), 100, false, &frame), FRAME_FITS);
    assert_int_equal(frame.type, 'Q');
    assert_int_equal(frame.total, 14);
    assert_int_equal(frame.used, 14);
    assert_true(frame.whole);
    assert_true(bytes_equal(frame.body, BYTES_LITERAL("SELECT 1\0")));
}

static void what_is_not_wished_for_is_not_waited_for(void **state)
{
    struct frame frame;

    assert_int_equal(read_frame(BYTES_LITERAL("Q\0\0\x10\0SELE"), 4, false, &frame), FRAME_FITS);
    assert_int_equal(frame.used, 9);
    assert_int_equal(frame.total, 4097);
    assert_false(frame.whole);
    assert_int_equal(read_frame(BYTES_LITERAL("Q\0\0\x10\0SELE"), 5, false, &frame), FRAME_MORE);
    assert_int_equal(read_frame(BYTES_LITERAL("Q\0\0\x10\0SELE"), 5, true, &frame), FRAME_FITS);
}

static void start_up_packets_are_known_by_their_code(void **state)
{
    struct frame frame;

    assert_int_equal(read_frame(BYTES_LITERAL(STARTUP), 100, false, &frame), FRAME_FITS);
    assert_int_equal(frame.type, 0);
    assert_int_equal(frame.code, STARTUP_VERSION_3);
    assert_int_equal(frame.total, sizeof(STARTUP) - 1);
    assert_int_equal(read_frame(BYTES_LITERAL("\0\0\0\x08\x04\xd2\x16\x2f"), 0, false, &frame),
                     FRAME_FITS);
    assert_int_equal(frame.code, STARTUP_SSL);
}

static void what_is_no_message_fits_at_no_length(void **state)
{
    static const struct bytes cases[] = {
        {(const uint8_t *)"GET / HTTP/1.1", 14},       {(const uint8_t *)"Query", 5},
        {(const uint8_t *)"S\0\0\0\x05", 5},           {(const uint8_t *)"Q\0\0\0\x04", 5},
        {(const uint8_t *)"\0\0\0\x09\x04\xd2\x16\x2f", 8}, {(const uint8_t *)"\0\x01", 2},
        {(const uint8_t *)"\0\0\0\x20\0\x02\0\0", 8},  {(const uint8_t *)"\x16\x03\x01", 3},
        {(const uint8_t *)"\xff", 1},                  {(const uint8_t *)"Z\0\0\0\x05", 5},
    };
    struct frame frame;

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        assert_int_equal(postgres_frame_read(SENDER_CLIENT, cases[i], 0, false, &frame), FRAME_NO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_read_with_its_body),
        cmocka_unit_test(what_is_not_wished_for_is_not_waited_for),
        cmocka_unit_test(start_up_packets_are_known_by_their_code),
        cmocka_unit_test(what_is_no_message_fits_at_no_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
