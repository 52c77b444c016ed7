/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where HTTP/2 begins: on a new connection, on one that is joined midway, and behind a gap.
 *
 *   client   "PRI * HTTP/2.0 ..."                    the preface: certain
 *   either   [frame][HEADERS that decode][frame]     nothing contradicts it, and the block's
 *                                                    pseudo-header fields say who sent it
 *
 * Other frames look alike from both sides, a server's first SETTINGS too: more is waited for.
 */
#include "protocols/http2/http2.h"

#include "base/macro.h"

#define PROBE_SCRATCH 4096
#define CHAIN_MAX 4 /* frames in a row: enough */

/* ---- frames in a row ------------------------------------------------------------------------- */

/* Nothing in these bytes contradicts a row of frames; the last one may be cut. */
static bool is_chain(struct bytes data)
{
    struct frame frame;

    for (unsigned i = 0; i < CHAIN_MAX && data.len > 0; i++) {
        if (!frame_read(data, &frame))
            return frame_may_begin(data);
        if (!frame_is_plausible(&frame))
            return false;
        data = bytes_skip(data, FRAME_HEADER_LEN + (size_t)frame.length);
    }
    return true;
}

/* ---- probe ----------------------------------------------------------------------------------- */

/* Whose block is it? A complete one of either side has its pseudo-header fields in front. */
static enum probe_result probe_block(const struct frame *frame, struct bytes payload)
{
    uint8_t memory[PROBE_SCRATCH];
    struct arena scratch = arena_over(memory, sizeof(memory));
    struct hpack_table table = {0};
    struct http2_block block;
    struct bytes content;

    if (!(frame->flags & FRAME_END_HEADERS) || frame->stream % 2 == 0 ||
        !frame_content(frame, payload, &content) ||
        !http2_read_block(&table, content, false, &scratch, &block) || block.misplaced)
        return PROBE_NO;
    if (block.has_method && !block.has_status)
        return PROBE_CLIENT;
    return block.message.code >= 100 && !block.has_request ? PROBE_SERVER : PROBE_NO;
}

/* The first block in a row of frames that speaks for one side; if there is none yet, MORE. */
static enum probe_result probe_frames(struct bytes data)
{
    struct frame frame;

    if (!is_chain(data))
        return PROBE_NO;
    while (frame_read(data, &frame)) {
        struct bytes payload = bytes_slice(data, FRAME_HEADER_LEN, frame.length);
        enum probe_result result;

        if (frame.type == FRAME_HEADERS && payload.len < frame.length)
            return PROBE_MORE;
        result = frame.type == FRAME_HEADERS ? probe_block(&frame, payload) : PROBE_NO;
        if (result != PROBE_NO)
            return result;
        data = bytes_skip(data, FRAME_HEADER_LEN + (size_t)frame.length);
    }
    return PROBE_MORE;
}

enum probe_result http2_probe(struct bytes data, enum delivery delivery)
{
    struct bytes begin = bytes_slice(HTTP2_PREFACE, 0, data.len);

    if (bytes_starts_with(data, begin))
        return data.len < HTTP2_PREFACE.len ? PROBE_MORE : PROBE_CLIENT;
    return probe_frames(data);
}

/* ---- resync ---------------------------------------------------------------------------------- */

static bool starts_message(enum sender sender, struct bytes data)
{
    struct bytes begin = bytes_slice(HTTP2_PREFACE, 0, data.len);

    if (sender == SENDER_CLIENT && bytes_starts_with(data, begin))
        return true;
    return is_chain(data);
}

size_t http2_resync(void *state, const struct parse_input *input)
{
    struct http2_state *http2 = state;
    struct http2_direction *direction = &http2->directions[input->sender];
    size_t offset = 0;

    hpack_forget(&direction->table);
    direction->in_data = false;
    direction->n_frames = 0;
    http2_streams_lose(http2, input->sender);
    while (offset < input->data.len &&
           !starts_message(input->sender, bytes_skip(input->data, offset)))
        offset++;
    return offset;
}
