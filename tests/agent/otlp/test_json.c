/* SPDX-License-Identifier: Apache-2.0 */
/* OTLP/JSON against golden.json, and the rules that the golden file does not show. */
#include "base/macro.h"
#include "samples.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

DEFINE_CLEANUP(struct batch, batch_unref)

static struct batch *batch_of(struct batch_group *group, struct batch *batch)
{
    *batch = (struct batch){.groups = group, .n_groups = 1, .n_spans = group->n_spans};
    return batch;
}

/* The JSON of one span with these bytes, as text to free, or NULL and the error. */
static char *span_json(struct bytes span, int *ret_error)
{
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(65536);
    struct batch_group group = {.spans = &span, .n_spans = 1};
    struct batch batch;

    *ret_error = otlp_encode_json(batch_of(&group, &batch), &buffer);
    return *ret_error == 0 ? strndup((char *)buffer.ptr, buffer.len) : NULL;
}

static void assert_span_has(struct bytes span, const char *expected)
{
    int r;
    _cleanup_(freep) char *json = span_json(span, &r);

    assert_int_equal(r, 0);
    if (!strstr(json, expected))
        fail_msg("%s is not in %s", expected, json);
}

/* The golden file without its blanks, and with the version of this build; to free. */
static char *load_golden(void)
{
    json_error_t error;
    json_t *golden = json_load_file(GOLDEN_JSON, JSON_ALLOW_NUL, &error);
    json_t *group, *scope_spans;
    size_t i, k;
    char *text;

    assert_non_null(golden);
    json_array_foreach(json_object_get(golden, "resourceSpans"), i, group) {
        json_array_foreach(json_object_get(group, "scopeSpans"), k, scope_spans)
            json_object_set_new(json_object_get(scope_spans, "scope"), "version",
                                json_string(FLOWTRACE_VERSION));
    }
    text = json_dumps(golden, JSON_COMPACT);
    json_decref(golden);
    return text;
}

static void the_sample_batch_is_the_golden_file(void **state)
{
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch();
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(65536);
    _cleanup_(freep) char *text = load_golden();

    assert_int_equal(otlp_encode_json(batch, &buffer), 0);
    buffer_append(&buffer, "", 1);
    assert_string_equal((char *)buffer.ptr, text);
}

static void lists_and_bytes_are_written_too(void **state)
{
    /* An attribute k with ArrayValue [true, ""], and with bytes of each remainder by three. */
    assert_span_has(BYTES_LITERAL("\x4a\x0d\x0a\x01k\x12\x08\x2a\x06\x0a\x02\x10\x01\x0a\x00"),
                    "{\"arrayValue\":{\"values\":[{\"boolValue\":true},{}]}}");
    assert_span_has(BYTES_LITERAL("\x4a\x0a\x0a\x01k\x12\x05\x3a\x03\x01\xfe\xff"),
                    "{\"bytesValue\":\"Af7/\"}");
    assert_span_has(BYTES_LITERAL("\x4a\x09\x0a\x01k\x12\x04\x3a\x02\x01\xfe"),
                    "{\"bytesValue\":\"Af4=\"}");
    assert_span_has(BYTES_LITERAL("\x4a\x08\x0a\x01k\x12\x03\x3a\x01\x01"),
                    "{\"bytesValue\":\"AQ==\"}");
    assert_span_has(BYTES_LITERAL("\x4a\x07\x0a\x01k\x12\x02\x3a\x00"), "{\"bytesValue\":\"\"}");
}

static void an_empty_batch_is_an_empty_list(void **state)
{
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(64);
    struct batch batch = {.n_groups = 0};

    assert_int_equal(otlp_encode_json(&batch, &buffer), 0);
    assert_true(bytes_equal(buffer_bytes(&buffer), BYTES_LITERAL("{\"resourceSpans\":[]}")));
}

static void bytes_that_are_no_span_are_refused(void **state)
{
    int r;

    /* A torn name, a name that is not UTF-8, an id longer than any. */
    assert_null(span_json(BYTES_LITERAL("\x2a\x05" "GET"), &r));
    assert_int_equal(r, -EBADMSG);
    assert_null(span_json(BYTES_LITERAL("\x2a\x01\xff"), &r));
    assert_int_equal(r, -EBADMSG);
    assert_null(span_json(BYTES_LITERAL("\x0a\x11" "0123456789abcdefg"), &r));
    assert_int_equal(r, -EBADMSG);
}

static void a_buffer_of_any_smaller_cap_is_left_as_it_was(void **state)
{
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch();
    _cleanup_(buffer_done) struct buffer whole = buffer_make(65536);

    assert_int_equal(otlp_encode_json(batch, &whole), 0);
    for (size_t cap = 4; cap < whole.len + 4; cap++) {
        _cleanup_(buffer_done) struct buffer tight = buffer_make(cap);

        buffer_append(&tight, "kept", 4);
        assert_int_equal(otlp_encode_json(batch, &tight), -ENOBUFS);
        assert_int_equal(tight.len, 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sample_batch_is_the_golden_file),
        cmocka_unit_test(lists_and_bytes_are_written_too),
        cmocka_unit_test(an_empty_batch_is_an_empty_list),
        cmocka_unit_test(bytes_that_are_no_span_are_refused),
        cmocka_unit_test(a_buffer_of_any_smaller_cap_is_left_as_it_was),
    };

    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
