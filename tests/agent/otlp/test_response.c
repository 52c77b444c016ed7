/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes were made by the Python package opentelemetry-proto from ExportTraceServiceResponse. */
#include "otlp/otlp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static uint64_t rejected(struct bytes response)
{
    uint64_t n = 42;

    assert_int_equal(otlp_decode_response(response, &n), 0);
    return n;
}

static void a_response_without_partial_success_rejects_nothing(void **state)
{
    assert_true(rejected(BYTES_NULL) == 0);
    assert_true(rejected(BYTES_LITERAL("\x0a\x00")) == 0);
}

static void the_rejected_spans_are_told(void **state)
{
    assert_true(rejected(BYTES_LITERAL("\x0a\x02\x08\x05")) == 5);
    assert_true(rejected(BYTES_LITERAL("\x0a\x0c\x08\xac\x02\x12\x07no room")) == 300);
    assert_true(rejected(BYTES_LITERAL("\x0a\x0a\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f")) ==
                INT64_MAX);
}

static void fewer_than_none_is_none(void **state)
{
    assert_true(
        rejected(BYTES_LITERAL("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")) == 0);
}

static void a_field_of_a_later_version_is_passed_over(void **state)
{
    assert_true(rejected(BYTES_LITERAL("\x0a\x06\x08\x05\x1a\x02hi\x10\x01")) == 5);
}

static void what_is_no_response_is_refused(void **state)
{
    uint64_t n = 42;

    assert_int_equal(otlp_decode_response(BYTES_LITERAL("\x0a\x02\x08"), &n), -EBADMSG);
    assert_int_equal(otlp_decode_response(BYTES_LITERAL("<html>"), &n), -EBADMSG);
    assert_true(n == 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_response_without_partial_success_rejects_nothing),
        cmocka_unit_test(the_rejected_spans_are_told),
        cmocka_unit_test(fewer_than_none_is_none),
        cmocka_unit_test(a_field_of_a_later_version_is_passed_over),
        cmocka_unit_test(what_is_no_response_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
