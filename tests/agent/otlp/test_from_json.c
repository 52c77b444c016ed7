/* SPDX-License-Identifier: Apache-2.0 */
/* OTLP/JSON, first the specification's own example, against what protobuf-c unpacks of it. */
#include "otlp/intake.h"

#include "base/macro.h"
#include "otlp/messages.h"
#include "otlp/unpack.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

typedef Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest Request;

/* opentelemetry-proto, examples/trace.json */
static const char example[] =
    "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":"
    "{\"stringValue\":\"my.service\"}}]},\"scopeSpans\":[{\"scope\":{\"name\":\"my.library\","
    "\"version\":\"1.0.0\",\"attributes\":[{\"key\":\"my.scope.attribute\",\"value\":"
    "{\"stringValue\":\"some scope attribute\"}}]},\"spans\":[{\"traceId\":"
    "\"5B8EFFF798038103D269B633813FC60C\",\"spanId\":\"EEE19B7EC3C1B174\",\"parentSpanId\":"
    "\"EEE19B7EC3C1B173\",\"name\":\"I'm a server span\",\"startTimeUnixNano\":"
    "\"1544712660000000000\",\"endTimeUnixNano\":\"1544712661000000000\",\"kind\":2,"
    "\"attributes\":[{\"key\":\"my.span.attr\",\"value\":{\"stringValue\":\"some value\"}}]}]}]}]}";

static int convert(const char *json, Request **ret_request)
{
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(1 << 20);
    const char *reason = NULL;
    ProtobufCMessage *message;
    int r = otlp_from_json(bytes_from_string(json), &buffer, &reason);

    if (r < 0) {
        assert_non_null(reason);
        assert_int_equal(buffer.len, 0);
        return r;
    }
    assert_int_equal(message_unpack(OTLP_REQUEST_DESCRIPTOR, buffer_bytes(&buffer), &message), 0);
    *ret_request = (Request *)message;
    return 0;
}

static void assert_text(ProtobufCBinaryData data, const char *expected)
{
    assert_int_equal(data.len, strlen(expected));
    assert_memory_equal(data.data, expected, data.len);
}

static void the_example_of_the_specification_is_read(void **state)
{
    const OtlpSpan *span;
    Request *request;

    assert_int_equal(convert(example, &request), 0);
    assert_text(request->resource_spans[0]->resource->attributes[0]->value->string_value,
                "my.service");
    assert_text(request->resource_spans[0]->scope_spans[0]->scope->version, "1.0.0");
    span = request->resource_spans[0]->scope_spans[0]->spans[0];
    assert_text(span->trace_id, "\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f\xc6\x0c");
    assert_text(span->parent_span_id, "\xee\xe1\x9b\x7e\xc3\xc1\xb1\x73");
    assert_text(span->name, "I'm a server span");
    assert_int_equal(span->kind, 2);
    assert_int_equal(span->start_time_unix_nano, UINT64_C(1544712660000000000));
    assert_text(span->attributes[0]->value->string_value, "some value");
    message_free(&request->base);
}

#define SPAN(members) "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" members "}]}]}]}"
#define VALUE(json) SPAN("\"attributes\":[{\"key\":\"k\",\"value\":" json "}]")

static OtlpAnyValue *value_of(const char *json, Request **ret_request)
{
    assert_int_equal(convert(json, ret_request), 0);
    return (*ret_request)->resource_spans[0]->scope_spans[0]->spans[0]->attributes[0]->value;
}

static void every_kind_of_value_is_read(void **state)
{
    Request *request;
    OtlpAnyValue *value = value_of(VALUE("{\"intValue\":\"-42\"}"), &request);

    assert_int_equal(value->int_value, -42);
    message_free(&request->base);
    value = value_of(VALUE("{\"intValue\":7}"), &request);
    assert_int_equal(value->int_value, 7);
    message_free(&request->base);
    value = value_of(VALUE("{\"doubleValue\":-1.5}"), &request);
    assert_true(value->double_value == -1.5);
    message_free(&request->base);
    value = value_of(VALUE("{\"doubleValue\":\"NaN\"}"), &request);
    assert_true(isnan(value->double_value));
    message_free(&request->base);
    value = value_of(VALUE("{\"boolValue\":true}"), &request);
    assert_int_equal(value->bool_value, 1);
    message_free(&request->base);
    value = value_of(VALUE("{\"bytesValue\":\"AP8Q\"}"), &request);
    assert_int_equal(value->bytes_value.len, 3);
    assert_memory_equal(value->bytes_value.data, "\x00\xff\x10", 3);
    message_free(&request->base);
    value = value_of(VALUE("{\"arrayValue\":{\"values\":[{\"stringValue\":\"a\"},{}]}}"), &request);
    assert_int_equal(value->array_value->n_values, 2);
    message_free(&request->base);
}

static void members_that_are_null_or_not_known_are_passed_over(void **state)
{
    Request *request;

    assert_int_equal(convert(SPAN("\"name\":null,\"newIn2030\":{\"x\":[1]}"), &request), 0);
    assert_int_equal(request->resource_spans[0]->scope_spans[0]->spans[0]->name.len, 0);
    message_free(&request->base);
}

static void what_breaks_the_encoding_is_refused_with_a_reason(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{\"resourceSpans\":{}}",
        "{\"resourceSpans\":[1]}",
        "{\"resourceSpans\":[}",
        SPAN("\"traceId\":\"xyz\""),
        SPAN("\"traceId\":\"5B8EFFF798038103D269B633813FC60C00\""),
        SPAN("\"traceId\":7"),
        SPAN("\"name\":7"),
        SPAN("\"kind\":\"SPAN_KIND_SERVER\""),
        SPAN("\"startTimeUnixNano\":\"-1\""),
        SPAN("\"startTimeUnixNano\":\"99999999999999999999\""),
        VALUE("{\"boolValue\":1}"),
        VALUE("{\"bytesValue\":\"?\"}"),
        SPAN("\"name\":\"\xff\""),
    };
    Request *request;

    for (size_t i = 0; i < ELEMENTSOF(bad); i++)
        assert_int_equal(convert(bad[i], &request), -EBADMSG);
}

static void deep_and_endless_json_is_refused_before_it_is_parsed(void **state)
{
    char *deep = malloc(1 << 20);
    Request *request;

    memset(deep, '[', (1 << 20) - 1);
    deep[(1 << 20) - 1] = '\0';
    assert_int_equal(convert(deep, &request), -EBADMSG);
    for (size_t i = 1; i + 1 < 1 << 20; i++)
        deep[i] = i % 2 ? '0' : ',';
    assert_int_equal(convert(deep, &request), -EBADMSG);
    free(deep);
}

static void the_cap_of_the_buffer_holds(void **state)
{
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(64);
    const char *reason = NULL;

    assert_int_equal(otlp_from_json(bytes_from_string(example), &buffer, &reason), -ENOBUFS);
    assert_int_equal(buffer.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_specification_is_read),
        cmocka_unit_test(every_kind_of_value_is_read),
        cmocka_unit_test(members_that_are_null_or_not_known_are_passed_over),
        cmocka_unit_test(what_breaks_the_encoding_is_refused_with_a_reason),
        cmocka_unit_test(deep_and_endless_json_is_refused_before_it_is_parsed),
        cmocka_unit_test(the_cap_of_the_buffer_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
