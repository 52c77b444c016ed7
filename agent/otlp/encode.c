/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A span, and the attributes of a resource, to protobuf. The messages live on the stack and point
 * at the text where it lies. Text that needs repair is announced with its repaired size, so that
 * the message can be measured; the repaired copies then lie behind the message until it is packed:
 *
 *   buffer  ... | packed message | repaired text, given back afterwards |
 *
 * So nothing is allocated but, at times, the growth of the buffer.
 */
#include "otlp/otlp.h"

#include "otlp/messages.h"
#include "otlp/utf8.h"
#include "otlp/wire.h"

#include <assert.h>
#include <errno.h>

/* Key and value of each attribute; name, trace state and status message. */
#define TEXTS_MAX (2 * SPAN_ATTRIBUTES_MAX + 3)

struct repair {
    ProtobufCBinaryData *field;
    struct bytes text;
};

struct repairs {
    unsigned n;
    size_t size; /* of all repaired texts */
    struct repair list[TEXTS_MAX];
};

struct attribute_message {
    OtlpKeyValue pair;
    OtlpAnyValue value;
};

/* Messages only ever read their bytes: protobuf-c's structs know no const. */
static ProtobufCBinaryData binary(const void *ptr, size_t len)
{
    return (ProtobufCBinaryData){.len = len, .data = (uint8_t *)ptr};
}

static void set_text(ProtobufCBinaryData *field, struct bytes text, struct repairs *repairs)
{
    *field = binary(text.ptr, text.len);
    if (utf8_valid(text))
        return;
    assert(repairs->n < TEXTS_MAX);
    repairs->list[repairs->n++] = (struct repair){field, text};
    field->len = utf8_repaired_size(text);
    repairs->size += field->len;
}

static void set_attribute(struct attribute_message *message, const struct attribute *attribute,
                          struct repairs *repairs)
{
    message->pair = (OtlpKeyValue)OTLP_KEY_VALUE_INIT;
    message->value = (OtlpAnyValue)OTLP_ANY_VALUE_INIT;
    message->pair.value = &message->value;
    set_text(&message->pair.key, attribute->key, repairs);
    switch (attribute->type) {
    case ATTRIBUTE_TEXT:
        message->value.value_case = OTLP_VALUE_STRING;
        set_text(&message->value.string_value, attribute->text, repairs);
        break;
    case ATTRIBUTE_INTEGER:
        message->value.value_case = OTLP_VALUE_INT;
        message->value.int_value = attribute->integer;
        break;
    case ATTRIBUTE_REAL:
        message->value.value_case = OTLP_VALUE_DOUBLE;
        message->value.double_value = attribute->real;
        break;
    case ATTRIBUTE_BOOLEAN:
        message->value.value_case = OTLP_VALUE_BOOL;
        message->value.bool_value = attribute->boolean;
        break;
    }
}

/* Appends the message; `field` is its field number, or 0 for a message without head. */
static int pack(const ProtobufCMessage *message, unsigned field, const struct repairs *repairs,
                struct buffer *buffer)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    size_t framed = field ? wire_field_size(size) : size;
    uint8_t *place = buffer_extend(buffer, framed + repairs->size);
    uint8_t *scratch;

    if (!place)
        return -ENOBUFS;
    scratch = place + framed;
    for (unsigned i = 0; i < repairs->n; i++) {
        const struct repair *repair = &repairs->list[i];

        utf8_repair(repair->text, scratch);
        repair->field->data = scratch;
        scratch += repair->field->len;
    }
    if (field)
        place = wire_put_head(place, field, size);
    protobuf_c_message_pack(message, place);
    buffer->len -= repairs->size;
    return 0;
}

static void set_link(OtlpLink *message, const struct span_link *link)
{
    *message = (OtlpLink)OTLP_LINK_INIT;
    message->trace_id = binary(link->trace_id.bytes, sizeof(link->trace_id.bytes));
    message->span_id = binary(link->span_id.bytes, sizeof(link->span_id.bytes));
}

/* All fields but attributes, links and status. */
static void set_span(OtlpSpan *message, const struct span *span, struct repairs *repairs)
{
    message->trace_id = binary(span->trace_id.bytes, sizeof(span->trace_id.bytes));
    message->span_id = binary(span->span_id.bytes, sizeof(span->span_id.bytes));
    if (!span_id_is_zero(&span->parent_span_id))
        message->parent_span_id =
            binary(span->parent_span_id.bytes, sizeof(span->parent_span_id.bytes));
    set_text(&message->trace_state, span->trace_state, repairs);
    set_text(&message->name, span->name, repairs);
    message->flags = span->flags;
    message->kind = (Opentelemetry__Proto__Trace__V1__Span__SpanKind)span->kind;
    message->start_time_unix_nano = span->start_ns;
    message->end_time_unix_nano = span->end_ns;
    message->dropped_attributes_count = span->dropped_attributes;
}

int otlp_encode_span(const struct span *span, struct buffer *buffer)
{
    struct attribute_message attributes[SPAN_ATTRIBUTES_MAX];
    OtlpKeyValue *pairs[SPAN_ATTRIBUTES_MAX];
    OtlpLink links[SPAN_LINKS_MAX];
    OtlpLink *link_list[SPAN_LINKS_MAX];
    OtlpStatus status = OTLP_STATUS_INIT;
    OtlpSpan message = OTLP_SPAN_INIT;
    struct repairs repairs;

    assert(span->n_attributes <= SPAN_ATTRIBUTES_MAX && span->n_links <= SPAN_LINKS_MAX);
    repairs.n = 0;
    repairs.size = 0;
    set_span(&message, span, &repairs);
    for (unsigned i = 0; i < span->n_attributes; i++) {
        set_attribute(&attributes[i], &span->attributes[i], &repairs);
        pairs[i] = &attributes[i].pair;
    }
    for (unsigned i = 0; i < span->n_links; i++) {
        set_link(&links[i], &span->links[i]);
        link_list[i] = &links[i];
    }
    if (span->status != SPAN_STATUS_UNSET || span->status_message.len > 0) {
        status.code = (Opentelemetry__Proto__Trace__V1__Status__StatusCode)span->status;
        set_text(&status.message, span->status_message, &repairs);
        message.status = &status;
    }
    message.n_attributes = span->n_attributes;
    message.attributes = pairs;
    message.n_links = span->n_links;
    message.links = link_list;
    return pack(&message.base, 0, &repairs, buffer);
}

int otlp_encode_resource(const struct attribute *attributes, size_t n, struct buffer *buffer)
{
    size_t before = buffer->len;
    struct attribute_message message;
    struct repairs repairs;

    /* A Resource is its attributes, field 1, one after the other: each is packed on its own. */
    for (size_t i = 0; i < n; i++) {
        repairs.n = 0;
        repairs.size = 0;
        set_attribute(&message, &attributes[i], &repairs);
        if (pack(&message.pair.base, 1, &repairs, buffer) < 0) {
            buffer->len = before;
            return -ENOBUFS;
        }
    }
    return 0;
}
