/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes were made by the Python package opentelemetry-proto from ExportTraceServiceResponse. */
#include "otlp/otlp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static uint64_t rejected(struct bytes response)
{
    struct otlp_partial partial = {.rejected_spans = 42};

    assert_int_equal(otlp_decode_response(response, &partial), 0);
    return partial.rejected_spans;
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

static void the_backends_words_are_told_in_both_encodings(void **state)
{
    struct otlp_partial partial;

    assert_int_equal(
        otlp_decode_response(BYTES_LITERAL("\x0a\x0d\x08\xac\x02\x12\x08no\n room"), &partial), 0);
    assert_string_equal(partial.words, "no room");
    assert_int_equal(otlp_decode_json_response(
                         BYTES_LITERAL("{\"partialSuccess\":{\"errorMessage\":\"too old\"}}"),
                         &partial), 0);
    assert_string_equal(partial.words, "too old");
    assert_true(partial.rejected_spans == 0);
}

static void what_is_no_response_is_refused(void **state)
{
    struct otlp_partial partial = {.rejected_spans = 42};

    assert_int_equal(otlp_decode_response(BYTES_LITERAL("\x0a\x02\x08"), &partial), -EBADMSG);
    assert_int_equal(otlp_decode_response(BYTES_LITERAL("<html>"), &partial), -EBADMSG);
    assert_true(partial.rejected_spans == 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_response_without_partial_success_rejects_nothing),
        cmocka_unit_test(the_rejected_spans_are_told),
        cmocka_unit_test(fewer_than_none_is_none),
        cmocka_unit_test(a_field_of_a_later_version_is_passed_over),
        cmocka_unit_test(the_backends_words_are_told_in_both_encodings),
        cmocka_unit_test(what_is_no_response_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
