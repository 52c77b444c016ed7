/* SPDX-License-Identifier: Apache-2.0 */
/* The frames' rules in one table (RFC 9113, section 6); the contracts stand in frame.h. */
#include "protocols/http2/frame.h"

#include "base/macro.h"

#include <assert.h>

/* ODD: some, and hardly ever one that the server opened. */
enum stream_rule { STREAM_ANY, STREAM_ZERO, STREAM_SOME, STREAM_ODD };

static const struct {
    uint8_t flags; /* those that are defined */
    uint8_t stream; /* enum stream_rule */
    uint8_t min;    /* bytes */
    uint8_t max;    /* 0: any */
    uint8_t unit;   /* the length is a multiple of it */
} rules[] = {
    [FRAME_DATA] = {FRAME_END_STREAM | FRAME_PADDED, STREAM_ODD, 0, 0, 1},
    [FRAME_HEADERS] = {FRAME_END_STREAM | FRAME_END_HEADERS | FRAME_PADDED | FRAME_HAS_PRIORITY,
                       STREAM_ODD, 0, 0, 1},
    [FRAME_PRIORITY] = {0, STREAM_SOME, 5, 5, 1},
    [FRAME_RST_STREAM] = {0, STREAM_ODD, 4, 4, 1},
    [FRAME_SETTINGS] = {FRAME_ACK, STREAM_ZERO, 0, 0, 6},
    [FRAME_PUSH_PROMISE] = {FRAME_END_HEADERS | FRAME_PADDED, STREAM_ODD, 4, 0, 1},
    [FRAME_PING] = {FRAME_ACK, STREAM_ZERO, 8, 8, 1},
    [FRAME_GOAWAY] = {0, STREAM_ZERO, 8, 0, 1},
    [FRAME_WINDOW_UPDATE] = {0, STREAM_ANY, 4, 4, 1},
    [FRAME_CONTINUATION] = {FRAME_END_HEADERS, STREAM_ODD, 0, 0, 1},
};
static_assert(ELEMENTSOF(rules) == FRAME_TYPES, "a rule for every type");

bool frame_read(struct bytes data, struct frame *ret_frame)
{
    const uint8_t *p = data.ptr;

    if (data.len < FRAME_HEADER_LEN)
        return false;
    *ret_frame = (struct frame){
        .length = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2],
        .type = p[3],
        .flags = p[4],
        .stream = (uint32_t)(p[5] & 0x7f) << 24 | (uint32_t)p[6] << 16 | (uint32_t)p[7] << 8 | p[8],
        .reserved = p[5] & 0x80,
    };
    return true;
}

bool frame_is_valid(const struct frame *frame)
{
    if (frame->type >= FRAME_TYPES)
        return true;
    return frame->length >= rules[frame->type].min &&
           (rules[frame->type].max == 0 || frame->length <= rules[frame->type].max) &&
           frame->length % rules[frame->type].unit == 0 &&
           (rules[frame->type].stream == STREAM_ANY ||
            (rules[frame->type].stream == STREAM_ZERO) == (frame->stream == 0));
}

bool frame_is_plausible(const struct frame *frame)
{
    return frame->type < FRAME_TYPES && !frame->reserved && frame->length <= FRAME_DEFAULT_MAX &&
           (frame->flags & ~rules[frame->type].flags) == 0 && frame_is_valid(frame) &&
           (rules[frame->type].stream != STREAM_ODD || frame->stream % 2) &&
           (frame->type != FRAME_SETTINGS || !(frame->flags & FRAME_ACK) || frame->length == 0);
}

/* As if the bytes that are missing were the most harmless ones. */
bool frame_may_begin(struct bytes data)
{
    const uint8_t *p = data.ptr;

    if (data.len > 0 && p[0] > 0)
        return false;
    if (data.len > 1 && p[1] > FRAME_DEFAULT_MAX >> 8)
        return false;
    if (data.len > 3 && p[3] >= FRAME_TYPES)
        return false;
    if (data.len > 4 && p[4] & ~rules[p[3]].flags)
        return false;
    return data.len <= 5 || !(p[5] & 0x80);
}

bool frame_content(const struct frame *frame, struct bytes payload, struct bytes *ret_content)
{
    struct reader reader = reader_make(payload);
    size_t padding = frame->flags & FRAME_PADDED ? reader_u8(&reader) : 0;

    if (frame->type == FRAME_HEADERS && frame->flags & FRAME_HAS_PRIORITY)
        reader_take(&reader, 5);
    if (frame->type == FRAME_PUSH_PROMISE)
        reader_take(&reader, 4);
    if (reader.failed || padding > reader_left(&reader))
        return false;
    *ret_content = reader_take(&reader, reader_left(&reader) - padding);
    return true;
}
