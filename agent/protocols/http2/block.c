/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A header block (RFC 9113, section 8.2) becomes the fields of a message. Pseudo-header fields
 * stand in front; of a repeated field the first counts, but of trace contexts, whose reader judges.
 */
#include "protocols/http2/http2.h"

#define CODE_DIGITS 3

static bool is_pseudo(uint8_t name)
{
    return name == HTTP1_FIELD_METHOD || name == HTTP1_FIELD_TARGET ||
           name == HTTP1_FIELD_SCHEME || name == HTTP2_NAME_STATUS;
}

static void read_status(struct bytes value, struct http2_block *block)
{
    uint64_t code;

    block->has_status = true;
    if (value.len == CODE_DIGITS && bytes_parse_u64(value, &code) == 0)
        block->message.code = (int64_t)code;
}

static bool has(const struct http2_block *block, uint8_t name)
{
    if (name == HTTP2_NAME_STATUS)
        return block->has_status;
    return message_field(&block->message, name).ptr != NULL;
}

/* True where the value was taken. */
static bool take(const struct hpack_field *field, struct http2_block *block)
{
    bool known = field->value_known, pseudo = is_pseudo(field->name);

    if (field->name == HTTP2_NAME_OTHER)
        return false;
    block->unknown |= !known;
    block->has_request |= pseudo && field->name != HTTP2_NAME_STATUS;
    block->has_method |= field->name == HTTP1_FIELD_METHOD;
    if (field->name >= FIELD_PROTOCOL && has(block, field->name)) {
        block->misplaced |= pseudo;
        return false;
    }
    if (field->name == HTTP2_NAME_STATUS) {
        read_status(field->value, block);
        return false;
    }
    if (field->name == GRPC_FIELD_CONTENT_TYPE && !grpc_is_content_type(field->value))
        return false;
    return known && message_add(&block->message, field->name, field->value);
}

bool http2_read_block(struct hpack_table *table, struct bytes bytes, bool cut,
                      struct arena *scratch, struct http2_block *ret_block)
{
    struct reader reader = reader_make(bytes);
    struct hpack_field field;
    bool first = true, regular = false;
    enum hpack_result result;
    size_t used = scratch->used;

    memset(ret_block, 0, offsetof(struct http2_block, message.fields));
    while ((result = hpack_next(table, &reader, first, scratch, &field)) == HPACK_FIELD) {
        first = false;
        regular |= !is_pseudo(field.name) && field.name != HTTP1_FIELD_HOST &&
                   field.name != HTTP2_NAME_UNKNOWN;
        ret_block->misplaced |= regular && is_pseudo(field.name);
        /* What is not kept gives its room back: a block may repeat a long value for ever. */
        if (take(&field, ret_block))
            used = scratch->used;
        else
            scratch->used = used;
    }
    if (cut || ret_block->unknown)
        ret_block->message.flags |= MESSAGE_TRUNCATED;
    return cut || result == HPACK_END;
}
