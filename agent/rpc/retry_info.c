/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RetryInfo, read field by field; the contract stands in retry_info.h. The reader of a message
 * hands out one field after the other and skips none, so each level is a loop over its fields.
 */
#include "rpc/retry_info.h"

#include <errno.h>

#define VARINT_BYTES_MAX 10
#define NS_PER_SECOND 1000000000

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_LENGTH = 2, WIRE_FIXED32 = 5 };

struct field {
    uint64_t number;
    uint64_t varint;    /* WIRE_VARINT, else 0 */
    struct bytes bytes; /* WIRE_LENGTH, else empty */
};

static uint64_t read_varint(struct reader *reader)
{
    uint64_t value = 0;
    uint8_t byte;

    for (unsigned i = 0; i < VARINT_BYTES_MAX; i++) {
        byte = reader_u8(reader);
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80))
            return value;
    }
    reader->failed = true;
    return 0;
}

/* False at the end of the message, and where it is broken: `failed` tells. */
static bool next_field(struct reader *reader, struct field *ret_field)
{
    uint64_t tag;

    if (reader_left(reader) == 0)
        return false;
    *ret_field = (struct field){0};
    tag = read_varint(reader);
    ret_field->number = tag >> 3;
    switch (tag & 7) {
    case WIRE_VARINT:
        ret_field->varint = read_varint(reader);
        break;
    case WIRE_FIXED64:
        reader_take(reader, 8);
        break;
    case WIRE_LENGTH:
        ret_field->bytes = reader_take(reader, read_varint(reader));
        break;
    case WIRE_FIXED32:
        reader_take(reader, 4);
        break;
    default:
        reader->failed = true;
    }
    return !reader->failed;
}

static int parse_duration(struct bytes duration, uint64_t *ret_ns)
{
    struct reader reader = reader_make(duration);
    int64_t seconds = 0, nanos = 0;
    struct field field;

    while (next_field(&reader, &field)) {
        if (field.number == 1)
            seconds = (int64_t)field.varint;
        else if (field.number == 2)
            nanos = (int64_t)field.varint;
    }
    if (reader.failed || nanos <= -NS_PER_SECOND || nanos >= NS_PER_SECOND)
        return -EBADMSG;
    if (seconds < 0 || nanos < 0)
        *ret_ns = 0;
    else if ((uint64_t)seconds >= RETRY_DELAY_MAX_NS / NS_PER_SECOND)
        *ret_ns = RETRY_DELAY_MAX_NS;
    else
        *ret_ns = (uint64_t)seconds * NS_PER_SECOND + (uint64_t)nanos;
    return 0;
}

/* A RetryInfo without a delay says: at once. */
static int parse_retry_info(struct bytes retry_info, uint64_t *ret_ns)
{
    struct reader reader = reader_make(retry_info);
    struct bytes delay = BYTES_NULL;
    struct field field;

    while (next_field(&reader, &field))
        if (field.number == 1)
            delay = field.bytes;
    return reader.failed ? -EBADMSG : parse_duration(delay, ret_ns);
}

static int parse_any(struct bytes any, uint64_t *ret_ns)
{
    struct bytes type = BYTES_LITERAL("/google.rpc.RetryInfo");
    struct bytes url = BYTES_NULL, value = BYTES_NULL;
    struct reader reader = reader_make(any);
    struct field field;

    while (next_field(&reader, &field)) {
        if (field.number == 1)
            url = field.bytes;
        else if (field.number == 2)
            value = field.bytes;
    }
    if (reader.failed)
        return -EBADMSG;
    if (url.len < type.len || !bytes_equal(bytes_skip(url, url.len - type.len), type))
        return -ENOENT;
    return parse_retry_info(value, ret_ns);
}

int retry_info_parse(struct bytes details, uint64_t *ret_delay_ns)
{
    struct reader reader = reader_make(details);
    struct field field;
    int r;

    while (next_field(&reader, &field)) {
        if (field.number != 3)
            continue;
        r = parse_any(field.bytes, ret_delay_ns);
        if (r != -ENOENT)
            return r;
    }
    return reader.failed ? -EBADMSG : -ENOENT;
}
