/* SPDX-License-Identifier: Apache-2.0 */
/* Passing over DATA frames; the idea stands in data.h. */
#include "protocols/http2/data.h"

#include "base/macro.h"

/* `used` and the whole rest of the frame are done with: its end may be that of the message. */
static struct parse_result end_frame(struct http2_state *http2, const struct parse_input *input,
                                     size_t used, struct message *ret_message)
{
    struct http2_direction *direction = &http2->directions[input->sender];
    struct parse_result result = {.status = PARSE_NONE, .used = used};

    result.skip = (uint64_t)direction->data_left + direction->data_padding;
    direction->data_left = 0;
    direction->in_data = false;
    if (!direction->data_ends)
        return result;
    struct message message = {
        .kind = MESSAGE_PART,
        .flags = MESSAGE_ENDS,
        .stream = direction->data_stream,
        .head = bytes_slice(input->data, 0, used),
    };
    if (input->sender == SENDER_SERVER)
        http2_stream_close(http2, direction->data_stream, input->scratch, &message);
    result.status = PARSE_MESSAGE;
    *ret_message = message;
    return result;
}

/* A response's body without its head began unseen. NULL: nobody is interested. */
static struct grpc_body *body_of(struct http2_state *http2, enum sender sender, uint32_t id)
{
    struct http2_stream *stream = http2_stream_find(http2, id);

    if (!stream || !stream->is_call)
        return NULL;
    if (sender == SENDER_SERVER && !stream->responded)
        stream->bodies[sender].kind = GRPC_BODY_LOST;
    return &stream->bodies[sender];
}

/* What need not be seen is passed over; what ends the frame is one step with it. */
static struct parse_result pass_bytes(struct http2_state *http2, const struct parse_input *input,
                                      struct grpc_body *body, size_t used,
                                      struct message *ret_message)
{
    struct http2_direction *direction = &http2->directions[input->sender];
    uint32_t n = body ? (uint32_t)grpc_body_pass(body, direction->data_left)
                      : direction->data_left;

    if (n == direction->data_left)
        return end_frame(http2, input, used, ret_message);
    direction->data_left -= n;
    direction->in_data = true;
    return (struct parse_result){.status = PARSE_NONE, .used = used, .skip = n};
}

/* The frame's last byte is a step of its own: what it ends does not depend on how bytes came. */
static struct parse_result read_bytes(struct http2_state *http2, const struct parse_input *input,
                                      struct grpc_body *body, size_t need,
                                      struct message *ret_message)
{
    struct http2_direction *direction = &http2->directions[input->sender];
    size_t most = MAX(need, (size_t)direction->data_left - 1);
    size_t used = grpc_body_read(body, bytes_slice(input->data, 0, most), input->scratch);

    direction->data_left -= (uint32_t)used;
    if (direction->data_left == 0)
        return end_frame(http2, input, used, ret_message);
    return (struct parse_result){.status = PARSE_NONE, .used = used};
}

struct parse_result http2_parse_data_head(struct http2_state *http2,
                                          const struct parse_input *input,
                                          const struct frame *frame, struct message *ret_message)
{
    struct http2_direction *direction = &http2->directions[input->sender];
    size_t used = FRAME_HEADER_LEN, padding = 0;

    if (frame->flags & FRAME_PADDED) {
        used++;
        if (input->data.len < used && !input->cut)
            return (struct parse_result){.status = PARSE_MORE, .need = used};
        if (input->data.len < used || frame->length < 1u + input->data.ptr[FRAME_HEADER_LEN])
            return (struct parse_result){.status = PARSE_BAD};
        padding = input->data.ptr[FRAME_HEADER_LEN];
    }
    direction->data_stream = frame->stream;
    direction->data_padding = (uint8_t)padding;
    direction->data_left =
        frame->length - (uint32_t)(frame->flags & FRAME_PADDED ? padding + 1 : 0);
    direction->data_ends = frame->flags & FRAME_END_STREAM;
    return pass_bytes(http2, input, body_of(http2, input->sender, frame->stream), used,
                      ret_message);
}

struct parse_result http2_parse_data(struct http2_state *http2, const struct parse_input *input,
                                     struct message *ret_message)
{
    struct http2_direction *direction = &http2->directions[input->sender];
    struct grpc_body *body = body_of(http2, input->sender, direction->data_stream);
    size_t need = body ? grpc_body_need(body, direction->data_left) : 0;

    if (need && input->data.len >= need)
        return read_bytes(http2, input, body, need, ret_message);
    if (need && !input->cut)
        return (struct parse_result){.status = PARSE_MORE, .need = need};
    if (need)
        body->kind = GRPC_BODY_LOST;
    return pass_bytes(http2, input, body, 0, ret_message);
}
