/* SPDX-License-Identifier: Apache-2.0 */
/* The frames around encoded spans, against what protobuf-c unpacks and packs. */
#include "base/macro.h"
#include "otlp/messages.h"
#include "otlp/unpack.h"
#include "otlp/wire.h"
#include "samples.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

typedef Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest Request;
#define REQUEST                                                                                    \
    (&opentelemetry__proto__collector__trace__v1__export_trace_service_request__descriptor)

DEFINE_CLEANUP(struct batch, batch_unref)

static void assert_text(ProtobufCBinaryData data, const char *expected)
{
    assert_int_equal(data.len, strlen(expected));
    assert_memory_equal(data.data, expected, data.len);
}

static void a_request_has_a_group_per_resource_and_all_spans(void **state)
{
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch();
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(65536);
    _cleanup_(message_freep) ProtobufCMessage *message = NULL;
    const Request *request;

    assert_int_equal(otlp_encode_request(batch, &buffer), 0);
    assert_int_equal(message_unpack(REQUEST, buffer_bytes(&buffer), &message), 0);
    request = (const Request *)message;
    assert_int_equal(request->n_resource_spans, 2);
    for (size_t i = 0; i < 2; i++) {
        const Opentelemetry__Proto__Trace__V1__ResourceSpans *group = request->resource_spans[i];

        assert_text(group->resource->attributes[0]->value->string_value, i ? "cart" : "shop");
        assert_int_equal(group->n_scope_spans, 1);
        assert_text(group->scope_spans[0]->scope->name, "flowtrace");
        assert_text(group->scope_spans[0]->scope->version, FLOWTRACE_VERSION);
        assert_int_equal(group->scope_spans[0]->n_spans, i ? 1 : 2);
    }
    assert_text(request->resource_spans[0]->scope_spans[0]->spans[0]->trace_state, "vendor=1");
    assert_text(request->resource_spans[0]->scope_spans[0]->spans[1]->name, "GET");
}

static void a_request_is_what_protobuf_itself_would_write(void **state)
{
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch();
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(65536);
    _cleanup_(message_freep) ProtobufCMessage *message = NULL;
    uint8_t packed[8192];

    assert_int_equal(otlp_encode_request(batch, &buffer), 0);
    assert_int_equal(message_unpack(REQUEST, buffer_bytes(&buffer), &message), 0);
    assert_int_equal(protobuf_c_message_get_packed_size(message), buffer.len);
    assert_int_equal(protobuf_c_message_pack(message, packed), buffer.len);
    assert_memory_equal(packed, buffer.ptr, buffer.len);
}

static void an_empty_batch_is_an_empty_request(void **state)
{
    struct batch batch = {.n_groups = 0};
    struct buffer buffer = buffer_make(16);

    assert_int_equal(otlp_encode_request(&batch, &buffer), 0);
    assert_int_equal(buffer.len, 0);
    buffer_done(&buffer);
}

static void a_request_that_does_not_fit_leaves_the_buffer_alone(void **state)
{
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch();
    _cleanup_(buffer_done) struct buffer whole = buffer_make(65536), tight = buffer_make(0);

    assert_int_equal(otlp_encode_request(batch, &whole), 0);
    tight.cap = whole.len - 1;
    assert_int_equal(otlp_encode_request(batch, &tight), -ENOBUFS);
    assert_int_equal(tight.len, 0);
    tight.failed = false;
    tight.cap = whole.len;
    assert_int_equal(otlp_encode_request(batch, &tight), 0);
    assert_memory_equal(tight.ptr, whole.ptr, whole.len);
}

static void lengths_have_as_many_bytes_as_they_need(void **state)
{
    static const struct {
        uint64_t value;
        size_t size;
    } cases[] = {{0, 1},      {1, 1},       {127, 1},     {128, 2},
                 {16383, 2},  {16384, 3},   {2097151, 3}, {2097152, 4},
                 {UINT32_MAX, 5}, {INT64_MAX, 9}, {UINT64_MAX, 10}};
    uint8_t head[WIRE_VARINT_MAX + 1];

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        assert_int_equal(wire_varint_size(cases[i].value), cases[i].size);
        assert_int_equal(wire_put_head(head, 2, cases[i].value) - head, 1 + cases[i].size);
        assert_int_equal(head[0], 0x12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_has_a_group_per_resource_and_all_spans),
        cmocka_unit_test(a_request_is_what_protobuf_itself_would_write),
        cmocka_unit_test(an_empty_batch_is_an_empty_request),
        cmocka_unit_test(a_request_that_does_not_fit_leaves_the_buffer_alone),
        cmocka_unit_test(lengths_have_as_many_bytes_as_they_need),
    };

    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
