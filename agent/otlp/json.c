/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch to OTLP/JSON. The messages' own descriptors are the table: each field that is set becomes
 * a member, in the order of the field numbers. The frame around resources and spans is written by
 * hand, so that one span at a time is held as a tree.
 *
 * Format: ProtoJSON (protobuf.dev/programming-guides/json) with OTLP's changes (opentelemetry.io/
 * docs/specs/otlp, "JSON Protobuf Encoding"): ids in hexadecimal, enums as numbers.
 */
#include "otlp/otlp.h"

#include "otlp/json_name.h"
#include "otlp/messages.h"
#include "otlp/unpack.h"
#include "otlp/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>

static int message_to_json(const ProtobufCMessage *message, json_t **ret_json);

/* Gives the new value to the caller; jansson answers NULL for want of memory. */
static int give(json_t *json, json_t **ret_json)
{
    if (!json)
        return -ENOMEM;
    *ret_json = json;
    return 0;
}

static int hex_to_json(struct bytes id, json_t **ret_json)
{
    char hex[2 * sizeof(struct trace_id) + 1];

    if (id.len > sizeof(struct trace_id))
        return -EBADMSG;
    bytes_to_hex(id, hex);
    return give(json_string(hex), ret_json);
}

static int base64_to_json(struct bytes b, json_t **ret_json)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = (b.len + 2) / 3 * 4;
    _cleanup_(freep) char *text = malloc(len + 1);

    if (!text)
        return -ENOMEM;
    for (size_t i = 0, at = 0; i < b.len; i += 3, at += 4) {
        size_t n = MIN(b.len - i, (size_t)3);
        uint32_t word = (uint32_t)b.ptr[i] << 16;

        if (n > 1)
            word |= (uint32_t)b.ptr[i + 1] << 8;
        if (n > 2)
            word |= b.ptr[i + 2];
        for (size_t k = 0; k < 4; k++)
            text[at + k] = k <= n ? digits[word >> (18 - 6 * k) & 0x3f] : '=';
    }
    return give(json_stringn(text, len), ret_json);
}

/* What a field of type bytes is, its name tells: text is declared as bytes (common.proto). */
static int binary_to_json(const char *name, ProtobufCBinaryData data, json_t **ret_json)
{
    static const struct bytes id_suffix = {(const uint8_t *)"_id", 3};
    struct bytes b = {data.data, data.len};
    struct bytes name_bytes = bytes_from_string(name);

    if (bytes_equal(bytes_skip(name_bytes, name_bytes.len - id_suffix.len), id_suffix))
        return hex_to_json(b, ret_json);
    if (strcmp(name, "bytes_value") == 0)
        return base64_to_json(b, ret_json);
    if (!utf8_valid(b))
        return -EBADMSG;
    return give(json_stringn(b.len ? (const char *)b.ptr : "", b.len), ret_json);
}

static int real_to_json(double real, json_t **ret_json)
{
    if (isnan(real))
        return give(json_string("NaN"), ret_json);
    if (isinf(real))
        return give(json_string(real > 0 ? "Infinity" : "-Infinity"), ret_json);
    return give(json_real(real), ret_json);
}

/* One value of the field's type, at `place`. */
static int value_to_json(const ProtobufCFieldDescriptor *field, const void *place,
                         json_t **ret_json)
{
    char digits[24];

    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return message_to_json(*(const ProtobufCMessage *const *)place, ret_json);
    case PROTOBUF_C_TYPE_BYTES:
        return binary_to_json(field->name, *(const ProtobufCBinaryData *)place, ret_json);
    case PROTOBUF_C_TYPE_BOOL:
        return give(json_boolean(*(const protobuf_c_boolean *)place), ret_json);
    case PROTOBUF_C_TYPE_DOUBLE:
        return real_to_json(*(const double *)place, ret_json);
    case PROTOBUF_C_TYPE_INT64:
        snprintf(digits, sizeof(digits), "%" PRId64, *(const int64_t *)place);
        return give(json_string(digits), ret_json);
    case PROTOBUF_C_TYPE_FIXED64:
        snprintf(digits, sizeof(digits), "%" PRIu64, *(const uint64_t *)place);
        return give(json_string(digits), ret_json);
    case PROTOBUF_C_TYPE_ENUM:
        return give(json_integer(*(const int *)place), ret_json);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return give(json_integer(*(const uint32_t *)place), ret_json);
    default:
        return -EBADMSG; /* OTLP's trace messages have no others */
    }
}

/* proto3: a single field with the zero of its type is not there. */
static bool value_is_zero(const ProtobufCFieldDescriptor *field, const void *place)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return *(const ProtobufCMessage *const *)place == NULL;
    case PROTOBUF_C_TYPE_BYTES:
        return ((const ProtobufCBinaryData *)place)->len == 0;
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return *(const uint64_t *)place == 0;
    default:
        return *(const uint32_t *)place == 0;
    }
}

static int list_to_json(const ProtobufCFieldDescriptor *field, const void *const *messages,
                        size_t n, json_t **ret_json)
{
    _cleanup_(json_decrefp) json_t *list = json_array();

    if (!list)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        json_t *value;
        int r = value_to_json(field, &messages[i], &value);

        if (r < 0)
            return r;
        if (json_array_append_new(list, value) < 0)
            return -ENOMEM;
    }
    *ret_json = TAKE_PTR(list);
    return 0;
}

/* The field of `message`; *ret_json is NULL where it is not set. */
static int field_to_json(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                         json_t **ret_json)
{
    const uint8_t *base = (const uint8_t *)message;
    const void *place = base + field->offset;
    const void *quantifier = base + field->quantifier_offset;
    bool set;

    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        size_t n = *(const size_t *)quantifier;

        /* Only messages are repeated in OTLP's trace messages. */
        *ret_json = NULL;
        return n ? list_to_json(field, *(const void *const *const *)place, n, ret_json) : 0;
    }
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        set = *(const uint32_t *)quantifier == field->id;
    else
        set = !value_is_zero(field, place);
    if (set)
        return value_to_json(field, place, ret_json);
    *ret_json = NULL;
    return 0;
}

static int message_to_json(const ProtobufCMessage *message, json_t **ret_json)
{
    _cleanup_(json_decrefp) json_t *object = json_object();
    char name[JSON_NAME_SIZE];

    if (!object)
        return -ENOMEM;
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        json_t *value;
        int r = field_to_json(message, field, &value);

        if (r < 0)
            return r;
        if (!value)
            continue;
        json_name(field->name, name);
        if (json_object_set_new(object, name, value) < 0)
            return -ENOMEM;
    }
    *ret_json = TAKE_PTR(object);
    return 0;
}

static int append_dumped(const char *ptr, size_t n, void *arg)
{
    struct buffer *buffer = arg;

    buffer_append(buffer, ptr, n);
    return buffer->failed ? -1 : 0;
}

static int append_message(const ProtobufCMessageDescriptor *descriptor, struct bytes data,
                          struct buffer *buffer)
{
    _cleanup_(message_freep) ProtobufCMessage *message = NULL;
    _cleanup_(json_decrefp) json_t *json = NULL;
    int r = message_unpack(descriptor, data, &message);

    if (r == 0)
        r = message_to_json(message, &json);
    if (r < 0)
        return r;
    if (json_dump_callback(json, append_dumped, buffer, JSON_COMPACT) < 0)
        return buffer->failed ? -ENOBUFS : -ENOMEM;
    return 0;
}

static int append_scope(struct bytes scope, struct buffer *buffer)
{
    if (scope.len)
        return append_message(OTLP_SCOPE_DESCRIPTOR, scope, buffer);
    buffer_printf(buffer, "{\"name\":\"flowtrace\",\"version\":\"%s\"}", FLOWTRACE_VERSION);
    return 0;
}

/* The last member of its object, where there is one. */
static int append_schema(struct bytes schema, struct buffer *buffer)
{
    _cleanup_(json_decrefp) json_t *text = NULL;

    if (schema.len == 0)
        return 0;
    text = json_stringn((const char *)schema.ptr, schema.len);
    if (!text)
        return -EBADMSG;
    buffer_printf(buffer, ",\"schemaUrl\":");
    if (json_dump_callback(text, append_dumped, buffer, JSON_ENCODE_ANY) < 0)
        return buffer->failed ? -ENOBUFS : -ENOMEM;
    return 0;
}

static int append_group(const struct batch_group *group, struct buffer *buffer)
{
    int r;

    buffer_printf(buffer, "{\"resource\":");
    r = append_message(OTLP_RESOURCE_DESCRIPTOR, group->origin.resource, buffer);
    buffer_printf(buffer, ",\"scopeSpans\":[{\"scope\":");
    if (r == 0)
        r = append_scope(group->origin.scope, buffer);
    buffer_printf(buffer, ",\"spans\":[");
    for (size_t i = 0; i < group->n_spans && r == 0; i++) {
        if (i > 0)
            buffer_printf(buffer, ",");
        r = append_message(OTLP_SPAN_DESCRIPTOR, group->spans[i], buffer);
    }
    buffer_printf(buffer, "]");
    if (r == 0)
        r = append_schema(group->origin.scope_schema, buffer);
    buffer_printf(buffer, "}]");
    if (r == 0)
        r = append_schema(group->origin.resource_schema, buffer);
    buffer_printf(buffer, "}");
    return r;
}

int otlp_encode_json(const struct batch *batch, struct buffer *buffer)
{
    size_t before = buffer->len;
    int r = 0;

    buffer_printf(buffer, "{\"resourceSpans\":[");
    for (size_t i = 0; i < batch->n_groups && r == 0; i++) {
        if (i > 0)
            buffer_printf(buffer, ",");
        r = append_group(&batch->groups[i], buffer);
    }
    buffer_printf(buffer, "]}");
    if (r == 0 && buffer->failed)
        r = -ENOBUFS;
    if (r < 0)
        buffer->len = before;
    return r;
}
