/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames -> messages. Every frame is passed over but these:
 *
 *   HEADERS, CONTINUATION   a block: the head of a request or a response, or trailers
 *   DATA                    a body's part; only where it ends does it say something (data.c)
 *   RST_STREAM              the end of an exchange, whoever sends it
 *   PUSH_PROMISE            its block changes the table; what is pushed is nobody's answer
 *
 * Behind a gap or a join, the first frames must look as implementations write them; an accident of
 * a body that looks like a frame is soon followed by one that does not.
 */
#include "protocols/http2/data.h"
#include "protocols/http2/http2.h"

#define BLOCK_MAX 16384 /* bytes in several frames; in one frame it may be larger */
#define RESET_LEN 4

static const struct parse_result bad = {.status = PARSE_BAD};

static struct parse_result more(size_t need)
{
    return (struct parse_result){.status = PARSE_MORE, .need = need};
}

static struct parse_result passed(size_t used, uint64_t skip)
{
    return (struct parse_result){.status = PARSE_NONE, .used = used, .skip = skip};
}

/* ---- blocks ---------------------------------------------------------------------------------- */

struct gathered {
    struct bytes block;
    size_t used;
    bool cut;
};

static struct parse_result append(struct bytes part, struct arena *scratch,
                                  struct gathered *gathered)
{
    struct bytes copy;

    if (gathered->block.len + part.len > BLOCK_MAX)
        return bad;
    copy = arena_copy(scratch, part);
    if (!gathered->block.ptr)
        gathered->block.ptr = copy.ptr;
    gathered->block.len += copy.len;
    return (struct parse_result){.status = copy.len == part.len ? PARSE_MESSAGE : PARSE_BAD};
}

/* The payload of the frame at `used`, or as much as there is. MESSAGE stands for success here. */
static struct parse_result payload_at(const struct parse_input *input, const struct frame *frame,
                                      struct gathered *gathered, struct bytes *ret_payload)
{
    size_t begin = gathered->used + FRAME_HEADER_LEN, end = begin + frame->length;

    if (end > input->data.len && !input->cut)
        return more(end);
    gathered->cut = end > input->data.len;
    *ret_payload = bytes_slice(input->data, begin, frame->length);
    gathered->used = begin + ret_payload->len;
    return (struct parse_result){.status = PARSE_MESSAGE};
}

/* The frames that continue a block come without any other between them (section 6.10). */
static struct parse_result gather_rest(const struct parse_input *input, uint32_t stream,
                                       struct gathered *gathered)
{
    struct frame frame = {0};

    while (!(frame.flags & FRAME_END_HEADERS) && !gathered->cut) {
        struct bytes payload;
        struct parse_result result;

        if (!frame_read(bytes_skip(input->data, gathered->used), &frame)) {
            if (!input->cut)
                return more(gathered->used + FRAME_HEADER_LEN);
            gathered->used = input->data.len;
            gathered->cut = true;
            break;
        }
        if (frame.type != FRAME_CONTINUATION || frame.stream != stream)
            return bad;
        result = payload_at(input, &frame, gathered, &payload);
        if (result.status == PARSE_MESSAGE)
            result = append(payload, input->scratch, gathered);
        if (result.status != PARSE_MESSAGE)
            return result;
    }
    return (struct parse_result){.status = PARSE_MESSAGE};
}

/* Where the end of a padded frame is lost, so is the padding: its beginning is all block. */
static struct parse_result gather(const struct parse_input *input, const struct frame *frame,
                                  struct gathered *ret_gathered)
{
    struct gathered gathered = {0};
    struct bytes payload, part;
    struct parse_result result = payload_at(input, frame, &gathered, &payload);

    if (result.status != PARSE_MESSAGE)
        return result;
    if (!frame_content(frame, payload, &part)) {
        if (!gathered.cut)
            return bad;
        part = BYTES_NULL;
    }
    if (frame->flags & FRAME_END_HEADERS || gathered.cut) {
        gathered.block = part;
    } else {
        result = append(part, input->scratch, &gathered);
        if (result.status == PARSE_MESSAGE)
            result = gather_rest(input, frame->stream, &gathered);
    }
    *ret_gathered = gathered;
    return result;
}

/* ---- heads ----------------------------------------------------------------------------------- */

/* A body whose content type may be among what is unknown is read as nothing. */
static void begin_body(struct grpc_body *body, const struct message *message)
{
    struct bytes content_type = message_field(message, GRPC_FIELD_CONTENT_TYPE);

    *body = (struct grpc_body){.kind = (uint8_t)grpc_body_kind_of(content_type)};
    if (!content_type.ptr && message->flags & MESSAGE_TRUNCATED)
        body->kind = GRPC_BODY_LOST;
}

static void open_stream(struct http2_state *http2, uint32_t id, const struct message *message)
{
    struct http2_stream *stream = http2_stream_open(http2, id);

    stream->is_call = message_field(message, GRPC_FIELD_CONTENT_TYPE).ptr;
    begin_body(&stream->bodies[SENDER_CLIENT], message);
    if (id > http2->directions[SENDER_CLIENT].last_stream)
        http2->directions[SENDER_CLIENT].last_stream = id;
}

/*
 * A client's block is a request, or trailers: those have no pseudo-header fields and come on a
 * stream that is open. Where all its names are unknown, the stream's number decides.
 */
static bool is_request(const struct http2_state *http2, const struct frame *frame,
                       const struct http2_block *block)
{
    return block->has_request ||
           (block->unknown && frame->stream > http2->directions[SENDER_CLIENT].last_stream);
}

static bool is_response(struct http2_state *http2, const struct frame *frame,
                        const struct http2_block *block)
{
    const struct http2_stream *stream = http2_stream_find(http2, frame->stream);

    if (block->has_status || !block->unknown)
        return block->has_status;
    return stream ? !stream->responded : !(frame->flags & FRAME_END_STREAM);
}

static void classify(struct http2_state *http2, const struct parse_input *input,
                     const struct frame *frame, struct http2_block *block)
{
    struct message *message = &block->message;
    struct http2_stream *stream = http2_stream_find(http2, frame->stream);

    message->kind = MESSAGE_PART;
    if (input->sender == SENDER_CLIENT && is_request(http2, frame, block)) {
        message->kind = MESSAGE_REQUEST;
        open_stream(http2, frame->stream, message);
    }
    if (input->sender == SENDER_SERVER && is_response(http2, frame, block))
        message->kind = MESSAGE_RESPONSE;
    if (message->kind == MESSAGE_RESPONSE && message->code / 100 == 1) {
        message->flags |= MESSAGE_INTERIM;
    } else if (message->kind == MESSAGE_RESPONSE && stream) {
        stream->responded = true;
        begin_body(&stream->bodies[SENDER_SERVER], message);
    }
    if (frame->flags & FRAME_END_STREAM)
        message->flags |= MESSAGE_ENDS;
}

/* A request says its version: all of its stream is of this one. */
static void finish(struct http2_state *http2, const struct parse_input *input,
                   struct message *message)
{
    if (message->kind == MESSAGE_REQUEST)
        message_add(message, HTTP1_FIELD_VERSION,
                    arena_copy(input->scratch, BYTES_LITERAL("2")));
    if (input->sender == SENDER_SERVER && message->flags & MESSAGE_ENDS)
        http2_stream_close(http2, (uint32_t)message->stream, input->scratch, message);
}

static struct parse_result parse_block(struct http2_state *http2,
                                       const struct parse_input *input,
                                       const struct frame *frame, struct message *ret_message)
{
    struct http2_direction *direction = &http2->directions[input->sender];
    struct gathered gathered;
    struct http2_block block;
    struct parse_result result = gather(input, frame, &gathered);

    if (result.status != PARSE_MESSAGE)
        return result;
    if (!http2_read_block(&direction->table, gathered.block, gathered.cut, input->scratch,
                          &block) ||
        (block.misplaced && direction->n_frames < HTTP2_TRUST)) {
        hpack_forget(&direction->table);
        return bad;
    }
    /* Even numbers are streams that a server opened: nobody asked. */
    if (frame->type == FRAME_PUSH_PROMISE || frame->stream % 2 == 0)
        return passed(gathered.used, 0);
    classify(http2, input, frame, &block);
    block.message.stream = frame->stream;
    block.message.head = bytes_slice(input->data, 0, gathered.used);
    finish(http2, input, &block.message);
    memcpy(ret_message, &block.message,
           offsetof(struct message, fields) + block.message.n_fields * sizeof(struct field));
    return (struct parse_result){.status = PARSE_MESSAGE, .used = gathered.used};
}

/* ---- the other frames ------------------------------------------------------------------------ */

static struct parse_result parse_reset(struct http2_state *http2,
                                       const struct parse_input *input,
                                       const struct frame *frame, struct message *ret_message)
{
    struct message message = {.kind = MESSAGE_PART,
                              .flags = MESSAGE_ENDS | MESSAGE_OVER,
                              .stream = frame->stream};

    if (input->data.len < FRAME_HEADER_LEN + RESET_LEN)
        return input->cut ? bad : more(FRAME_HEADER_LEN + RESET_LEN);
    message.head = bytes_slice(input->data, 0, FRAME_HEADER_LEN + RESET_LEN);
    message_add(&message, HTTP2_FIELD_RESET,
                bytes_slice(input->data, FRAME_HEADER_LEN, RESET_LEN));
    http2_stream_close(http2, frame->stream, input->scratch, &message);
    *ret_message = message;
    return (struct parse_result){.status = PARSE_MESSAGE, .used = FRAME_HEADER_LEN + RESET_LEN};
}

/* A client's connection begins; behind an upgrade the server may have begun before it. */
static struct parse_result parse_preface(struct http2_state *http2,
                                         const struct parse_input *input)
{
    if (input->data.len < HTTP2_PREFACE.len)
        return input->cut ? bad : more(HTTP2_PREFACE.len);
    http2->directions[SENDER_CLIENT] = (struct http2_direction){.n_frames = HTTP2_TRUST};
    hpack_begin(&http2->directions[SENDER_CLIENT].table);
    if (http2->directions[SENDER_SERVER].n_frames == 0)
        hpack_begin(&http2->directions[SENDER_SERVER].table);
    memset(http2->streams, 0, sizeof(http2->streams));
    return passed(HTTP2_PREFACE.len, 0);
}

static bool is_preface(const struct parse_input *input)
{
    struct bytes begin = bytes_slice(HTTP2_PREFACE, 0, input->data.len);

    return input->sender == SENDER_CLIENT && bytes_starts_with(input->data, begin);
}

static struct parse_result parse_frame(struct http2_state *http2,
                                       const struct parse_input *input,
                                       const struct frame *frame, struct message *ret_message)
{
    switch (frame->type) {
    case FRAME_DATA:
        return http2_parse_data_head(http2, input, frame, ret_message);
    case FRAME_HEADERS:
    case FRAME_PUSH_PROMISE:
        return parse_block(http2, input, frame, ret_message);
    case FRAME_RST_STREAM:
        return parse_reset(http2, input, frame, ret_message);
    case FRAME_CONTINUATION:
        return bad;
    default:
        return passed(FRAME_HEADER_LEN, frame->length);
    }
}

struct parse_result http2_parse(void *state, const struct parse_input *input,
                                struct message *ret_message)
{
    struct http2_state *http2 = state;
    struct http2_direction *direction = &http2->directions[input->sender];
    struct parse_result result;
    struct frame frame;

    if (direction->in_data)
        return http2_parse_data(http2, input, ret_message);
    if (input->data.len && is_preface(input))
        return parse_preface(http2, input);
    if (!frame_read(input->data, &frame)) {
        bool may_begin = direction->n_frames >= HTTP2_TRUST || frame_may_begin(input->data);

        return input->cut || !may_begin ? bad : more(FRAME_HEADER_LEN);
    }
    if (!(direction->n_frames < HTTP2_TRUST ? frame_is_plausible(&frame) : frame_is_valid(&frame)))
        return bad;
    result = parse_frame(http2, input, &frame, ret_message);
    if ((result.status == PARSE_MESSAGE || result.status == PARSE_NONE) &&
        direction->n_frames < HTTP2_TRUST)
        direction->n_frames++;
    return result;
}
