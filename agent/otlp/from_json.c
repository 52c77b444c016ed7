/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OTLP/JSON to protobuf, the mirror of json.c: the messages' own descriptors are the table, and
 * fields are written in the order of their numbers, whatever the order of the members. Everything
 * else, then, has one form of request to read.
 */
#include "otlp/intake.h"

#include "base/json_scan.h"
#include "otlp/json_name.h"
#include "otlp/messages.h"
#include "otlp/wire.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#define DEPTH_MAX 64          /* of lists and objects; a list within a list takes four */
#define VALUES_MAX (1u << 17) /* each some hundred bytes in memory */

struct conversion {
    struct buffer *buffer;
    const char *reason;
};

static int put_message(struct conversion *conversion,
                       const ProtobufCMessageDescriptor *descriptor, const json_t *object);

static int refuse(struct conversion *conversion, const char *reason)
{
    conversion->reason = reason;
    return -EBADMSG;
}

static void put_tag(struct conversion *conversion, unsigned number, enum wire_type type)
{
    uint8_t bytes[WIRE_VARINT_MAX];

    buffer_append(conversion->buffer, bytes,
                  (size_t)(wire_put_varint(bytes, (uint64_t)number << 3 | type) - bytes));
}

static void put_varint(struct conversion *conversion, unsigned number, uint64_t value)
{
    uint8_t bytes[WIRE_VARINT_MAX];

    put_tag(conversion, number, WIRE_TYPE_VARINT);
    buffer_append(conversion->buffer, bytes, (size_t)(wire_put_varint(bytes, value) - bytes));
}

static void put_fixed(struct conversion *conversion, unsigned number, enum wire_type type,
                      uint64_t value)
{
    put_tag(conversion, number, type);
    buffer_append_le(conversion->buffer, value, type == WIRE_TYPE_FIXED64 ? 8 : 4);
}

/* The length of what was appended since `begin` is put before it. */
static void close_length(struct conversion *conversion, size_t begin)
{
    struct buffer *buffer = conversion->buffer;
    uint8_t bytes[WIRE_VARINT_MAX];
    size_t len = buffer->len - begin;
    size_t n = (size_t)(wire_put_varint(bytes, len) - bytes);

    if (buffer->failed || !buffer_extend(buffer, n))
        return;
    memmove(buffer->ptr + begin + n, buffer->ptr + begin, len);
    memcpy(buffer->ptr + begin, bytes, n);
}

static int put_hex(struct conversion *conversion, struct bytes hex)
{
    uint8_t id[sizeof(struct trace_id)];
    size_t len = hex.len / 2;

    if (hex.len % 2 || len > sizeof(id) || bytes_from_hex(hex, id, len) < 0)
        return refuse(conversion, "an id is not hexadecimal");
    buffer_append(conversion->buffer, id, len);
    return 0;
}

/* Of either alphabet (RFC 4648, sections 4 and 5), as readers of protobuf's JSON shall take them. */
static int base64_digit(uint8_t c)
{
    return c == '-' ? 62 : c == '_' ? 63 : bytes_base64_digit(c);
}

static int put_base64(struct conversion *conversion, struct bytes text)
{
    uint32_t word = 0;
    unsigned bits = 0;

    while (text.len > 0 && text.ptr[text.len - 1] == '=')
        text.len--;
    for (size_t i = 0; i < text.len; i++) {
        int digit = base64_digit(text.ptr[i]);

        if (digit < 0)
            return refuse(conversion, "bytesValue is not base64");
        word = word << 6 | (uint32_t)digit;
        bits += 6;
        if (bits >= 8) {
            uint8_t byte = (uint8_t)(word >> (bits -= 8));

            buffer_append(conversion->buffer, &byte, 1);
        }
    }
    return 0;
}

static int put_text(struct conversion *conversion, const ProtobufCFieldDescriptor *field,
                    const json_t *json)
{
    struct bytes text = {(const uint8_t *)json_string_value(json), json_string_length(json)};
    size_t begin;
    int r = 0;

    if (!json_is_string(json))
        return refuse(conversion, "a text or an id is no JSON string");
    put_tag(conversion, field->id, WIRE_TYPE_LEN);
    begin = conversion->buffer->len;
    if (bytes_ends_with(bytes_from_string(field->name), BYTES_LITERAL("_id")))
        r = put_hex(conversion, text);
    else if (strcmp(field->name, "bytes_value") == 0)
        r = put_base64(conversion, text);
    else
        buffer_append_bytes(conversion->buffer, text);
    close_length(conversion, begin);
    return r;
}

/* 64-bit integers are strings in ProtoJSON, and numbers are to be taken, too. */
static bool read_integer(const json_t *json, bool is_signed, uint64_t *ret_value)
{
    const char *text = json_string_value(json);
    char *end;

    if (json_is_integer(json)) {
        *ret_value = (uint64_t)json_integer_value(json);
        return is_signed || json_integer_value(json) >= 0;
    }
    if (!text || !*text || strspn(text, "-0123456789") != strlen(text) ||
        (!is_signed && *text == '-'))
        return false;
    errno = 0;
    *ret_value = is_signed ? (uint64_t)strtoll(text, &end, 10) : strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static bool read_real(const json_t *json, double *ret_value)
{
    const char *text = json_string_value(json);

    if (!text) {
        *ret_value = json_number_value(json);
        return json_is_number(json);
    }
    if (strcmp(text, "NaN") == 0)
        *ret_value = NAN;
    else if (strcmp(text, "Infinity") == 0)
        *ret_value = INFINITY;
    else if (strcmp(text, "-Infinity") == 0)
        *ret_value = -INFINITY;
    else
        return false;
    return true;
}

static int put_real(struct conversion *conversion, unsigned number, const json_t *json)
{
    uint64_t bits;
    double real;

    if (!read_real(json, &real))
        return refuse(conversion, "doubleValue is no number");
    memcpy(&bits, &real, sizeof(bits));
    put_fixed(conversion, number, WIRE_TYPE_FIXED64, bits);
    return 0;
}

static int put_integer(struct conversion *conversion, const ProtobufCFieldDescriptor *field,
                       const json_t *json)
{
    bool is_signed = field->type == PROTOBUF_C_TYPE_INT64;
    uint64_t value;

    if (!read_integer(json, is_signed, &value))
        return refuse(conversion, "a number is no integer, or an enum is not written as one");
    switch (field->type) {
    case PROTOBUF_C_TYPE_FIXED64:
        put_fixed(conversion, field->id, WIRE_TYPE_FIXED64, value);
        return 0;
    case PROTOBUF_C_TYPE_FIXED32:
        put_fixed(conversion, field->id, WIRE_TYPE_FIXED32, value);
        return 0;
    default:
        put_varint(conversion, field->id, value);
        return 0;
    }
}

static int put_value(struct conversion *conversion, const ProtobufCFieldDescriptor *field,
                     const json_t *json)
{
    size_t begin;
    int r;

    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        put_tag(conversion, field->id, WIRE_TYPE_LEN);
        begin = conversion->buffer->len;
        r = put_message(conversion, field->descriptor, json);
        close_length(conversion, begin);
        return r;
    case PROTOBUF_C_TYPE_BYTES:
        return put_text(conversion, field, json);
    case PROTOBUF_C_TYPE_BOOL:
        if (!json_is_boolean(json))
            return refuse(conversion, "boolValue is neither true nor false");
        put_varint(conversion, field->id, json_is_true(json));
        return 0;
    case PROTOBUF_C_TYPE_DOUBLE:
        return put_real(conversion, field->id, json);
    default:
        return put_integer(conversion, field, json);
    }
}

static int put_list(struct conversion *conversion, const ProtobufCFieldDescriptor *field,
                    const json_t *list)
{
    const json_t *item;
    size_t i;
    int r = json_is_array(list) ? 0 : refuse(conversion, "what must be a list is none");

    json_array_foreach(list, i, item)
        if (r == 0)
            r = put_value(conversion, field, item);
    return r;
}

static int put_message(struct conversion *conversion,
                       const ProtobufCMessageDescriptor *descriptor, const json_t *object)
{
    int r = json_is_object(object) ? 0 : refuse(conversion, "what must be an object is none");

    for (unsigned i = 0; i < descriptor->n_fields && r == 0; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        char name[JSON_NAME_SIZE];
        const json_t *value;

        json_name(field->name, name);
        value = json_object_get(object, name);
        if (!value || json_is_null(value))
            continue;
        r = field->label == PROTOBUF_C_LABEL_REPEATED ? put_list(conversion, field, value)
                                                      : put_value(conversion, field, value);
    }
    return r;
}

int otlp_from_json(struct bytes json, struct buffer *buffer, const char **ret_reason)
{
    struct conversion conversion = {.buffer = buffer};
    size_t before = buffer->len;
    json_t *root;
    int r;

    if (!json_is_bounded(json, DEPTH_MAX, VALUES_MAX)) {
        *ret_reason = "nested too deep, or too many values in one request";
        return -EBADMSG;
    }
    root = json_loadb((const char *)json.ptr, json.len, JSON_ALLOW_NUL, NULL);
    r = root ? put_message(&conversion, OTLP_REQUEST_DESCRIPTOR, root)
             : refuse(&conversion, "the body is no JSON");
    json_decref(root);
    if (r == 0 && buffer->failed)
        r = -ENOBUFS;
    if (r < 0) {
        buffer->len = before;
        *ret_reason = conversion.reason ?: "the request is too large";
    }
    return r;
}
