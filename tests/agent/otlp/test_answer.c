/* SPDX-License-Identifier: Apache-2.0 */
/* Answers against what protobuf-c unpacks, and jansson. */
#include "otlp/intake.h"

#include "base/macro.h"
#include "otlp/otlp.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void what_was_rejected_is_told_in_both_encodings(void **state)
{
    struct otlp_intake intake = {.taken = 1, .rejected = 300, .reason = "no ids"};
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(4096);
    struct otlp_partial partial;

    assert_int_equal(otlp_encode_response(&intake, false, &buffer), 0);
    assert_int_equal(otlp_decode_response(buffer_bytes(&buffer), &partial), 0);
    assert_int_equal(partial.rejected_spans, 300);
    assert_string_equal(partial.words, "no ids");
    buffer_reset(&buffer);
    assert_int_equal(otlp_encode_response(&intake, true, &buffer), 0);
    assert_int_equal(otlp_decode_json_response(buffer_bytes(&buffer), &partial), 0);
    assert_int_equal(partial.rejected_spans, 300);
    assert_string_equal(partial.words, "no ids");
}

static void a_full_success_says_nothing_of_partial_success(void **state)
{
    struct otlp_intake intake = {.taken = 1};
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(4096);

    assert_int_equal(otlp_encode_response(&intake, false, &buffer), 0);
    assert_int_equal(buffer.len, 0);
    assert_int_equal(otlp_encode_response(&intake, true, &buffer), 0);
    assert_int_equal(buffer.len, 2);
    assert_memory_equal(buffer.ptr, "{}", 2);
}

static void a_status_has_code_and_message(void **state)
{
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(4096);
    json_t *json;

    assert_int_equal(otlp_encode_status(3, "bad", false, &buffer), 0);
    assert_int_equal(buffer.len, 7);
    assert_memory_equal(buffer.ptr, "\x08\x03\x12\x03" "bad", 7);
    buffer_reset(&buffer);
    assert_int_equal(otlp_encode_status(3, "bad", true, &buffer), 0);
    json = json_loadb((const char *)buffer.ptr, buffer.len, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(json, "code")), 3);
    assert_string_equal(json_string_value(json_object_get(json, "message")), "bad");
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_rejected_is_told_in_both_encodings),
        cmocka_unit_test(a_full_success_says_nothing_of_partial_success),
        cmocka_unit_test(a_status_has_code_and_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
