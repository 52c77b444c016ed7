/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scan walks the bytes along the message descriptor: only a field that the descriptor calls a
 * message is descended into. It recurses too, but never deeper than its limit.
 *
 * Format: protobuf.dev/programming-guides/encoding.
 */
#include "otlp/scan.h"

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

/* Passes over one field's value; of a length-delimited one, the content is returned. */
static struct bytes read_value(struct reader *reader, uint8_t type)
{
    uint64_t len;

    switch (type) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        read_varint(reader);
        return BYTES_NULL;
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        reader_take(reader, 8);
        return BYTES_NULL;
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        reader_take(reader, 4);
        return BYTES_NULL;
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        len = read_varint(reader);
        if (len <= reader_left(reader))
            return reader_take(reader, (size_t)len);
        break;
    }
    reader->failed = true;
    return BYTES_NULL;
}

static int scan_level(const ProtobufCMessageDescriptor *descriptor, struct bytes data,
                      unsigned depth, size_t *fields)
{
    struct reader reader = reader_make(data);
    const ProtobufCFieldDescriptor *field;

    if (depth == 0)
        return -EBADMSG;
    while (reader_left(&reader) > 0) {
        uint64_t tag = read_varint(&reader);
        struct bytes content = read_value(&reader, tag & 7);

        if (reader.failed || tag > TAG_MAX || tag >> 3 == 0 || *fields == 0)
            return -EBADMSG;
        --*fields;
        field = protobuf_c_message_descriptor_get_field(descriptor, (unsigned)(tag >> 3));
        if (!field)
            continue;
        if (wire_type(field->type) != (tag & 7))
            return -EBADMSG;
        if (field->type == PROTOBUF_C_TYPE_MESSAGE &&
            scan_level(field->descriptor, content, depth - 1, fields) < 0)
            return -EBADMSG;
    }
    return 0;
}

int scan_message(const ProtobufCMessageDescriptor *descriptor, struct bytes data,
                 const struct scan_limits *limits)
{
    size_t fields = limits->fields;

    return scan_level(descriptor, data, limits->depth, &fields);
}
