/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes were made by Google's Python protobuf from google.rpc.Status, Any and RetryInfo. */
#include "rpc/retry_info.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)
#define TYPE "\x0a\x28type.googleapis.com/google.rpc.RetryInfo"
#define OTHER_TYPE "\x0a\x28type.googleapis.com/google.rpc.DebugInfo"

static const struct bytes whole = BYTES_LITERAL("\x08\x08\x12\x05" "later"
                                                "\x1a\x2a" OTHER_TYPE
                                                "\x1a\x36" TYPE
                                                "\x12\x0a\x0a\x08\x08\x01\x10\x80\xca\xb5\xee\x01");

static void assert_delay(struct bytes details, uint64_t expected)
{
    uint64_t delay = 42;

    assert_int_equal(retry_info_parse(details, &delay), 0);
    assert_true(delay == expected);
}

static void assert_refused(struct bytes details, int error)
{
    uint64_t delay = 42;

    assert_int_equal(retry_info_parse(details, &delay), error);
    assert_true(delay == 42);
}

static void the_delay_is_found_among_other_details(void **state)
{
    assert_delay(whole, SECOND + SECOND / 2);
}

static void a_status_without_retry_info_has_no_delay(void **state)
{
    assert_refused(BYTES_NULL, -ENOENT);
    assert_refused(BYTES_LITERAL("\x08\x08"), -ENOENT);
    assert_refused(BYTES_LITERAL("\x1a\x2a" OTHER_TYPE), -ENOENT);
}

static void a_retry_info_without_delay_says_at_once(void **state)
{
    assert_delay(BYTES_LITERAL("\x1a\x2a" TYPE), 0);
    assert_delay(BYTES_LITERAL("\x1a\x2e" TYPE "\x12\x02\x0a\x00"), 0);
}

static void a_negative_delay_is_none(void **state)
{
    assert_delay(BYTES_LITERAL("\x1a\x39" TYPE "\x12\x0d\x0a\x0b\x08"
                               "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
                 0);
}

static void a_delay_of_years_is_cut(void **state)
{
    assert_delay(BYTES_LITERAL("\x1a\x38" TYPE "\x12\x0c\x0a\x0a\x08"
                               "\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
                 RETRY_DELAY_MAX_NS);
}

static void nanoseconds_of_more_than_a_second_are_refused(void **state)
{
    assert_refused(BYTES_LITERAL("\x1a\x34" TYPE "\x12\x08\x0a\x06\x10\x80\x94\xeb\xdc\x03"),
                   -EBADMSG);
}

static void every_truncation_ends_without_a_read_past_the_end(void **state)
{
    for (size_t n = 0; n < whole.len; n++) {
        uint8_t *copy = malloc(n ?: 1);
        uint64_t delay;

        memcpy(copy, whole.ptr, n);
        assert_int_not_equal(retry_info_parse(bytes_make(copy, n), &delay), 0);
        free(copy);
    }
}

static void what_is_not_protobuf_is_refused(void **state)
{
    assert_refused(BYTES_LITERAL("\x0b"), -EBADMSG);
    assert_refused(BYTES_LITERAL("\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), -EBADMSG);
    assert_refused(BYTES_LITERAL("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_delay_is_found_among_other_details),
        cmocka_unit_test(a_status_without_retry_info_has_no_delay),
        cmocka_unit_test(a_retry_info_without_delay_says_at_once),
        cmocka_unit_test(a_negative_delay_is_none),
        cmocka_unit_test(a_delay_of_years_is_cut),
        cmocka_unit_test(nanoseconds_of_more_than_a_second_are_refused),
        cmocka_unit_test(every_truncation_ends_without_a_read_past_the_end),
        cmocka_unit_test(what_is_not_protobuf_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
