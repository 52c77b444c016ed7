/* SPDX-License-Identifier: Apache-2.0 */
/* The encoder, against what protobuf-c unpacks. */
#include "base/macro.h"
#include "otlp/messages.h"
#include "otlp/unpack.h"
#include "samples.h"
#include "span/semconv.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define CAP 65536
#define R "\xef\xbf\xbd" /* U+FFFD */

static void assert_text(ProtobufCBinaryData data, struct bytes expected)
{
    assert_int_equal(data.len, expected.len);
    if (expected.len > 0)
        assert_memory_equal(data.data, expected.ptr, expected.len);
}

/* libprotobuf-c is the oracle: what it makes of the bytes, it packs to the same bytes again. */
static void assert_packs_to(const ProtobufCMessage *message, struct bytes expected)
{
    uint8_t packed[32768];

    assert_int_equal(protobuf_c_message_get_packed_size(message), expected.len);
    assert_true(expected.len <= sizeof(packed));
    protobuf_c_message_pack(message, packed);
    assert_memory_equal(packed, expected.ptr, expected.len);
}

static void assert_mark(const OtlpKeyValue *attribute, struct bytes key, int64_t n)
{
    assert_text(attribute->key, key);
    assert_int_equal(attribute->value->value_case, OTLP_VALUE_INT);
    assert_int_equal(attribute->value->int_value, n);
}

/* Encodes and unpacks; to be released with message_free(). */
/* `dropped`: the marks that find no room. */
static OtlpSpan *round_trip_but(const struct span *span, int dropped)
{
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(CAP);
    ProtobufCMessage *message;

    assert_int_equal(otlp_encode_span(span, &buffer), dropped);
    assert_int_equal(message_unpack(OTLP_SPAN_DESCRIPTOR, buffer_bytes(&buffer), &message), 0);
    assert_packs_to(message, buffer_bytes(&buffer));
    return (OtlpSpan *)message;
}

static OtlpSpan *round_trip(const struct span *span)
{
    return round_trip_but(span, 0);
}

static void every_field_of_a_span_arrives(void **state)
{
    struct span span;
    OtlpSpan *message;

    sample_full_span(&span);
    message = round_trip(&span);
    assert_text(message->trace_id, bytes_make(span.trace_id.bytes, 16));
    assert_text(message->span_id, bytes_make(span.span_id.bytes, 8));
    assert_text(message->parent_span_id, bytes_make(span.parent_span_id.bytes, 8));
    assert_text(message->trace_state, span.trace_state);
    assert_int_equal(message->flags, 1);
    assert_int_equal(message->kind, SPAN_KIND_CLIENT);
    assert_true(message->start_time_unix_nano == span.start_ns);
    assert_true(message->end_time_unix_nano == span.end_ns);
    assert_int_equal(message->dropped_attributes_count, 2);
    assert_non_null(message->status);
    assert_int_equal(message->status->code, SPAN_STATUS_ERROR);
    assert_int_equal(message->n_links, 1);
    assert_text(message->links[0]->trace_id, bytes_make(span.links[0].trace_id.bytes, 16));
    assert_text(message->links[0]->span_id, bytes_make(span.links[0].span_id.bytes, 8));
    message_free(&message->base);
}

static void every_type_of_attribute_arrives(void **state)
{
    struct span span;
    OtlpSpan *message;

    sample_full_span(&span);
    message = round_trip(&span);
    /* Three texts of the span are not UTF-8: how many are repaired stands behind them. */
    assert_int_equal(message->n_attributes, span.n_attributes + 1);
    assert_mark(message->attributes[span.n_attributes], FLOWTRACE_TEXTS_REPAIRED, 3);
    for (size_t i = 0; i < span.n_attributes; i++) {
        const struct attribute *attribute = &span.attributes[i];
        const OtlpAnyValue *value = message->attributes[i]->value;

        assert_text(message->attributes[i]->key, attribute->key);
        if (attribute->type == ATTRIBUTE_TEXT) {
            assert_int_equal(value->value_case, OTLP_VALUE_STRING);
            assert_text(value->string_value, attribute->text);
        } else if (attribute->type == ATTRIBUTE_INTEGER) {
            assert_int_equal(value->value_case, OTLP_VALUE_INT);
            assert_true(value->int_value == attribute->integer);
        } else if (attribute->type == ATTRIBUTE_BOOLEAN) {
            assert_int_equal(value->value_case, OTLP_VALUE_BOOL);
            assert_int_equal(value->bool_value, attribute->boolean);
        } else if (attribute->type == ATTRIBUTE_TEXTS) {
            assert_int_equal(value->value_case, OTLP_VALUE_ARRAY);
            assert_int_equal(value->array_value->n_values, attribute->texts.n);
            for (size_t k = 0; k < attribute->texts.n; k++)
                assert_text(value->array_value->values[k]->string_value,
                            k == 2 ? BYTES_LITERAL("\xef\xbf\xbd") : attribute->texts.items[k]);
        } else {
            assert_int_equal(value->value_case, OTLP_VALUE_DOUBLE);
            assert_true(value->double_value == attribute->real);
        }
    }
    message_free(&message->base);
}

static void text_that_is_not_utf8_is_repaired_everywhere(void **state)
{
    struct bytes broken = BYTES_LITERAL("\xff"), repaired = BYTES_LITERAL(R);
    const unsigned n = SPAN_ATTRIBUTES_MAX - 1;
    struct span span;
    OtlpSpan *message;

    sample_bare_span(&span);
    span.name = span.trace_state = span.status_message = broken;
    for (unsigned i = 0; i < n; i++)
        span_add_text(&span, broken, broken);
    message = round_trip(&span);
    assert_text(message->name, repaired);
    assert_text(message->trace_state, repaired);
    assert_text(message->status->message, repaired);
    assert_int_equal(message->n_attributes, n + 1);
    assert_mark(message->attributes[n], FLOWTRACE_TEXTS_REPAIRED, 3 + 2 * n);
    for (unsigned i = 0; i < n; i++) {
        assert_text(message->attributes[i]->key, repaired);
        assert_text(message->attributes[i]->value->string_value, repaired);
    }
    message_free(&message->base);
}

static void repaired_texts_are_not_mixed_up(void **state)
{
    struct span span;
    OtlpSpan *message;

    sample_bare_span(&span);
    span.name = BYTES_LITERAL("name \xff");
    span.status_message = BYTES_LITERAL("\xc3 status \xff");
    span_add_text(&span, BYTES_LITERAL("key \xfe"), BYTES_LITERAL("\xff\xff value"));
    message = round_trip(&span);
    assert_text(message->name, BYTES_LITERAL("name " R));
    assert_text(message->status->message, BYTES_LITERAL(R " status " R));
    assert_text(message->attributes[0]->key, BYTES_LITERAL("key " R));
    assert_text(message->attributes[0]->value->string_value, BYTES_LITERAL(R R " value"));
    message_free(&message->base);
}

static void a_repair_that_keeps_the_size_is_made_too(void **state)
{
    struct span span;
    OtlpSpan *message;

    sample_bare_span(&span);
    span.name = BYTES_LITERAL("\xf0\x9f\x98");
    message = round_trip(&span);
    assert_text(message->name, BYTES_LITERAL(R));
    message_free(&message->base);
}

/* So many characters, the last of them one of three bytes, and one more. */
static void a_value_that_is_too_long_is_cut_between_characters_and_marked(void **state)
{
    static uint8_t text[ATTRIBUTE_TEXT_MAX + 3];
    struct bytes longest = bytes_make(text, ATTRIBUTE_TEXT_MAX + 2);
    struct span span;
    OtlpSpan *message;

    memset(text, 'x', sizeof(text));
    memcpy(text + ATTRIBUTE_TEXT_MAX - 1, "\xe2\x82\xac", 3);
    sample_bare_span(&span);
    span_add_text(&span, BYTES_LITERAL("exact"), longest);
    span_add_text(&span, BYTES_LITERAL("long"), bytes_make(text, sizeof(text)));
    message = round_trip(&span);
    assert_int_equal(message->n_attributes, 3);
    assert_text(message->attributes[0]->value->string_value, longest);
    assert_text(message->attributes[1]->value->string_value, longest);
    assert_mark(message->attributes[2], FLOWTRACE_ATTRIBUTES_CUT, 1);
    message_free(&message->base);
}

static void what_is_no_text_at_all_is_cut_too(void **state)
{
    static uint8_t bytes[2 * ATTRIBUTE_TEXT_MAX];
    struct span span;
    OtlpSpan *message;

    memset(bytes, 0x80, sizeof(bytes));
    sample_bare_span(&span);
    span_add_text(&span, BYTES_LITERAL("key"), bytes_make(bytes, sizeof(bytes)));
    message = round_trip(&span);
    assert_int_equal(message->attributes[0]->value->string_value.len, 3 * ATTRIBUTE_TEXT_MAX);
    assert_mark(message->attributes[1], FLOWTRACE_TEXTS_REPAIRED, 1);
    assert_mark(message->attributes[2], FLOWTRACE_ATTRIBUTES_CUT, 1);
    message_free(&message->base);
}

static void the_length_of_a_value_is_a_limit_of_the_span(void **state)
{
    struct span span;
    OtlpSpan *message;

    sample_bare_span(&span);
    span.max_text = 2;
    span_add_text(&span, BYTES_LITERAL("key"), BYTES_LITERAL("\xc3\xb6\xc3\xa4\xc3\xbc"));
    span_add_text(&span, BYTES_LITERAL("long-key"), BYTES_LITERAL("ab"));
    message = round_trip(&span);
    assert_text(message->attributes[0]->value->string_value, BYTES_LITERAL("\xc3\xb6\xc3\xa4"));
    assert_text(message->attributes[1]->value->string_value, BYTES_LITERAL("ab"));
    assert_mark(message->attributes[2], FLOWTRACE_ATTRIBUTES_CUT, 1);
    message_free(&message->base);
}

static void a_mark_that_would_be_beyond_the_limit_counts_as_dropped(void **state)
{
    struct span span;
    OtlpSpan *message;

    sample_bare_span(&span);
    span.max_attributes = 1;
    span.max_text = 1;
    span.dropped_attributes = 4;
    span_add_text(&span, BYTES_LITERAL("key"), BYTES_LITERAL("ab"));
    message = round_trip_but(&span, 1);
    assert_int_equal(message->n_attributes, 1);
    assert_int_equal(message->dropped_attributes_count, 5);
    message_free(&message->base);
}

static void what_a_span_lacks_is_not_written(void **state)
{
    struct span span;
    OtlpSpan *message;

    sample_bare_span(&span);
    message = round_trip(&span);
    assert_int_equal(message->parent_span_id.len, 0);
    assert_int_equal(message->trace_state.len, 0);
    assert_int_equal(message->n_attributes, 0);
    assert_int_equal(message->n_links, 0);
    assert_null(message->status);
    message_free(&message->base);
}

static void a_span_is_appended_to_what_is_there(void **state)
{
    _cleanup_(buffer_done) struct buffer once = buffer_make(CAP), twice = buffer_make(CAP);
    struct span span;

    sample_full_span(&span);
    assert_int_equal(otlp_encode_span(&span, &once), 0);
    assert_int_equal(otlp_encode_span(&span, &twice), 0);
    assert_int_equal(otlp_encode_span(&span, &twice), 0);
    assert_int_equal(twice.len, 2 * once.len);
    assert_memory_equal(twice.ptr, once.ptr, once.len);
    assert_memory_equal(twice.ptr + once.len, once.ptr, once.len);
}

static void a_full_buffer_keeps_its_content(void **state)
{
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(40);
    struct attribute attributes[] = {
        {.key = BYTES_LITERAL("first"), .type = ATTRIBUTE_INTEGER, .integer = 1},
        {.key = BYTES_LITERAL("a second that does not fit any more"), .type = ATTRIBUTE_BOOLEAN},
    };
    struct span span;

    sample_full_span(&span);
    buffer_append(&buffer, "kept", 4);
    assert_int_equal(otlp_encode_span(&span, &buffer), -ENOBUFS);
    assert_int_equal(buffer.len, 4);
    buffer.failed = false;
    assert_int_equal(otlp_encode_resource(attributes, 2, &buffer), -ENOBUFS);
    assert_int_equal(buffer.len, 4);
    assert_memory_equal(buffer.ptr, "kept", 4);
}

static void a_resource_has_its_attributes_repaired(void **state)
{
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(CAP);
    struct attribute attributes[] = {
        {.key = BYTES_LITERAL("service.name"),
         .type = ATTRIBUTE_TEXT,
         .text = BYTES_LITERAL("caf\xe9")},
        {.key = BYTES_LITERAL("process.pid"), .type = ATTRIBUTE_INTEGER, .integer = -1},
    };
    ProtobufCMessage *message;
    const OtlpResource *resource;

    assert_int_equal(otlp_encode_resource(attributes, 2, &buffer), 0);
    assert_int_equal(message_unpack(OTLP_RESOURCE_DESCRIPTOR, buffer_bytes(&buffer), &message), 0);
    resource = (const OtlpResource *)message;
    assert_int_equal(resource->n_attributes, 3);
    assert_mark(resource->attributes[2], FLOWTRACE_TEXTS_REPAIRED, 1);
    assert_text(resource->attributes[0]->key, BYTES_LITERAL("service.name"));
    assert_text(resource->attributes[0]->value->string_value, BYTES_LITERAL("caf" R));
    assert_int_equal(resource->attributes[1]->value->int_value, -1);
    message_free(message);
}

static void a_resource_may_be_empty(void **state)
{
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(CAP);

    assert_int_equal(otlp_encode_resource(NULL, 0, &buffer), 0);
    assert_int_equal(buffer.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_a_span_arrives),
        cmocka_unit_test(every_type_of_attribute_arrives),
        cmocka_unit_test(text_that_is_not_utf8_is_repaired_everywhere),
        cmocka_unit_test(repaired_texts_are_not_mixed_up),
        cmocka_unit_test(a_value_that_is_too_long_is_cut_between_characters_and_marked),
        cmocka_unit_test(what_is_no_text_at_all_is_cut_too),
        cmocka_unit_test(the_length_of_a_value_is_a_limit_of_the_span),
        cmocka_unit_test(a_mark_that_would_be_beyond_the_limit_counts_as_dropped),
        cmocka_unit_test(a_repair_that_keeps_the_size_is_made_too),
        cmocka_unit_test(what_a_span_lacks_is_not_written),
        cmocka_unit_test(a_span_is_appended_to_what_is_there),
        cmocka_unit_test(a_full_buffer_keeps_its_content),
        cmocka_unit_test(a_resource_has_its_attributes_repaired),
        cmocka_unit_test(a_resource_may_be_empty),
    };

    return cmocka_run_group_tests_name("encode", tests, NULL, NULL);
}
