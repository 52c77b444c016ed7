/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scan walks the bytes along the message descriptor: only a field that the descriptor calls a
 * message is descended into. It recurses too, but never deeper than its limit.
 *
 * Format: protobuf.dev/programming-guides/encoding.
 */
#include "otlp/scan.h"

#include "otlp/utf8.h"
#include "otlp/wire.h"

#include <errno.h>

/* Tags have at most 32 bits. */
#define TAG_MAX UINT32_MAX

static uint64_t read_varint(struct reader *reader)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < WIRE_VARINT_MAX; i++) {
        uint8_t byte = reader_u8(reader);

        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80)
            return value;
    }
    reader->failed = true;
    return 0;
}

/* How a field of this type looks on the wire. No message scanned here has packed fields. */
static ProtobufCWireType wire_type(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return PROTOBUF_C_WIRE_TYPE_32BIT;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return PROTOBUF_C_WIRE_TYPE_64BIT;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    default:
        return PROTOBUF_C_WIRE_TYPE_VARINT;
    }
}

/* Passes over one field's value, which stands behind its tag. */
static void read_value(struct reader *reader, struct scan_field *field)
{
    uint64_t len;

    switch (field->tag & 7) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        field->number = read_varint(reader);
        return;
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        reader_take(reader, 8);
        return;
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        reader_take(reader, 4);
        return;
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        len = read_varint(reader);
        if (len <= reader_left(reader)) {
            field->content = reader_take(reader, (size_t)len);
            return;
        }
        break;
    }
    reader->failed = true;
}

bool scan_next(struct reader *reader, struct scan_field *ret_field)
{
    if (reader_left(reader) == 0)
        return false;
    *ret_field = (struct scan_field){.tag = read_varint(reader)};
    read_value(reader, ret_field);
    if (ret_field->tag > TAG_MAX || ret_field->tag >> 3 == 0)
        reader->failed = true;
    return !reader->failed;
}

/* What a field of type bytes is, its name tells: text is declared as bytes (common.proto). */
static bool content_is_good(const char *name, struct bytes content)
{
    if (strcmp(name, "trace_id") == 0)
        return content.len == 16;
    if (strcmp(name, "span_id") == 0)
        return content.len == 8;
    if (strcmp(name, "parent_span_id") == 0)
        return content.len == 8 || content.len == 0;
    return strcmp(name, "bytes_value") == 0 || utf8_valid(content);
}

struct scan {
    size_t fields;
    bool contents;
    bool contents_bad;
};

static int scan_level(struct scan *scan, const ProtobufCMessageDescriptor *descriptor,
                      struct bytes data, unsigned depth)
{
    struct reader reader = reader_make(data);
    const ProtobufCFieldDescriptor *field;
    struct scan_field found;

    if (depth == 0)
        return -EBADMSG;
    while (scan_next(&reader, &found)) {
        if (scan->fields-- == 0)
            return -EBADMSG;
        field = protobuf_c_message_descriptor_get_field(descriptor, (unsigned)(found.tag >> 3));
        if (!field)
            continue;
        if (wire_type(field->type) != (found.tag & 7))
            return -EBADMSG;
        if (field->type == PROTOBUF_C_TYPE_MESSAGE &&
            scan_level(scan, field->descriptor, found.content, depth - 1) < 0)
            return -EBADMSG;
        if (field->type == PROTOBUF_C_TYPE_BYTES && scan->contents)
            scan->contents_bad |= !content_is_good(field->name, found.content);
    }
    return reader.failed ? -EBADMSG : 0;
}

int scan_message(const ProtobufCMessageDescriptor *descriptor, struct bytes data,
                 const struct scan_limits *limits)
{
    struct scan scan = {.fields = limits->fields, .contents = limits->contents};
    int r = scan_level(&scan, descriptor, data, limits->depth);

    return r == 0 && scan.contents_bad ? -EILSEQ : r;
}
