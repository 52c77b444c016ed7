/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server sends: the answer to each request, up to ReadyForQuery, and between its messages,
 * or unasked, notices, parameters and notifications.
 *
 *   [T: RESPONSE] [D] [D] [C: PART, tag] [Z: PART, ENDS, 2 rows]
 *   [E: RESPONSE, SQLSTATE] [Z: PART, ENDS]
 *   [A: a request of the server's, one-way]
 */
#include "protocols/postgres/postgres.h"

#define TAG_MAX 64    /* bytes of a command's tag */
#define ERROR_MAX 512 /* bytes of an error's fields, among which its code is looked for */

struct call {
    struct postgres_state *postgres;
    const struct parse_input *input;
    struct frame frame;
    struct message *message;
};

static struct parse_result give(const struct call *call, enum message_kind kind, unsigned flags)
{
    return postgres_give(&call->frame, call->input->data, kind, flags, call->message);
}

/* The next message of an answer that has something to tell: the first one is the response. */
static struct parse_result give_step(const struct call *call, unsigned flags)
{
    struct postgres_state *postgres = call->postgres;

    if (postgres->answering)
        return give(call, MESSAGE_PART, flags);
    postgres->answering = true;
    postgres->tag_told = postgres->code_told = false;
    postgres->rows = 0;
    return give(call, MESSAGE_RESPONSE, flags);
}

static struct parse_result pass_all(const struct call *call)
{
    return postgres_pass(&call->frame);
}

static struct parse_result take_step(const struct call *call)
{
    return call->postgres->answering ? pass_all(call) : give_step(call, 0);
}

static struct parse_result take_row(const struct call *call)
{
    struct parse_result result = take_step(call);

    call->postgres->rows += call->postgres->rows < INT64_MAX;
    return result;
}

static struct parse_result take_complete(const struct call *call)
{
    struct reader reader = reader_make(call->frame.body);
    struct bytes tag = frame_string(&reader);
    struct parse_result result;

    if (call->postgres->answering && call->postgres->tag_told)
        return pass_all(call);
    result = give_step(call, 0);
    call->postgres->tag_told = true;
    if (tag.ptr)
        message_add(call->message, POSTGRES_FIELD_TAG, tag);
    return result;
}

/* The field 'C' of an error: five characters. NULL where it is not among the first bytes. */
static struct bytes find_code(struct bytes body)
{
    struct reader reader = reader_make(body);

    while (true) {
        uint8_t kind = reader_u8(&reader);
        struct bytes value = frame_string(&reader);

        if (!value.ptr || kind == 0)
            return BYTES_NULL;
        if (kind == 'C')
            return value.len == 5 ? value : BYTES_NULL;
    }
}

/* While a connection starts, no ReadyForQuery follows an error. */
static struct parse_result take_error(const struct call *call)
{
    struct postgres_state *postgres = call->postgres;
    bool ends = postgres->starting, first;
    struct bytes code = find_code(call->frame.body);
    struct parse_result result = give_step(call, ends ? MESSAGE_ENDS : 0);

    first = !postgres->code_told;
    postgres->code_told = true;
    if (first && code.ptr)
        message_add(call->message, POSTGRES_FIELD_CODE, code);
    if (ends)
        postgres->starting = postgres->answering = false;
    return result;
}

static struct parse_result take_ready(const struct call *call)
{
    struct postgres_state *postgres = call->postgres;
    struct parse_result result = give_step(call, MESSAGE_ENDS);

    call->message->code = (int64_t)postgres->rows;
    postgres->answering = postgres->starting = false;
    return result;
}

static struct parse_result take_notification(const struct call *call)
{
    struct reader reader = reader_make(call->frame.body);
    const struct postgres_state *postgres = call->postgres;
    struct parse_result result;
    struct bytes channel;

    reader_be32(&reader);
    channel = frame_string(&reader);
    if (!channel.ptr)
        return pass_all(call);
    result = give(call, MESSAGE_REQUEST, MESSAGE_ENDS | MESSAGE_ONE_WAY);
    message_add(call->message, POSTGRES_FIELD_CHANNEL, channel);
    if (postgres->database_len)
        message_add(call->message, POSTGRES_FIELD_DATABASE,
                    bytes_make(postgres->database, postgres->database_len));
    return result;
}

static const struct kind {
    size_t wish; /* bytes of the body that are looked at */
    struct parse_result (*take)(const struct call *call); /* NULL: it is passed over */
} kinds[128] = {
    ['R'] = {0, take_step},       ['1'] = {0, take_step},  ['2'] = {0, take_step},
    ['3'] = {0, take_step},       ['I'] = {0, take_step},  ['n'] = {0, take_step},
    ['s'] = {0, take_step},       ['T'] = {0, take_step},  ['t'] = {0, take_step},
    ['V'] = {0, take_step},       ['G'] = {0, take_step},  ['H'] = {0, take_step},
    ['W'] = {0, take_step},       ['D'] = {0, take_row},   ['C'] = {TAG_MAX, take_complete},
    ['E'] = {ERROR_MAX, take_error}, ['Z'] = {1, take_ready}, ['A'] = {POSTGRES_NAME_MAX,
                                                                       take_notification},
};

/* The byte that answers a request for encryption; from a yes on the bytes are somebody else's. */
static struct parse_result take_negotiation(struct postgres_state *postgres,
                                            const struct parse_input *input,
                                            struct message *ret_message)
{
    struct frame frame = {.total = 1, .used = 1};

    postgres->negotiating = false;
    if (input->data.ptr[0] == 'N')
        return postgres_pass(&frame);
    return postgres_give(&frame, input->data, MESSAGE_PART, MESSAGE_LAST, ret_message);
}

static bool answers_negotiation(const struct postgres_state *postgres, struct bytes data)
{
    return postgres->negotiating && data.len &&
           (data.ptr[0] == 'N' || data.ptr[0] == 'S' || data.ptr[0] == 'G');
}

/* Rows come in great numbers: those that are whole are passed over together. */
static struct parse_result pass_rows(struct postgres_state *postgres,
                                     const struct parse_input *input)
{
    struct frame frame;
    size_t used = 0;

    while (used < input->data.len && input->data.ptr[used] == 'D' &&
           postgres_frame_read(SENDER_SERVER, bytes_skip(input->data, used), 0, false, &frame) ==
               FRAME_FITS) {
        postgres->rows += postgres->rows < INT64_MAX;
        used += frame.used;
        if (frame.total - frame.used > input->data.len - used)
            return (struct parse_result){
                .status = PARSE_NONE, .used = used, .skip = frame.total - frame.used};
        used += (size_t)(frame.total - frame.used);
    }
    return (struct parse_result){.status = PARSE_NONE, .used = used};
}

struct parse_result postgres_parse_server(struct postgres_state *postgres,
                                          const struct parse_input *input,
                                          struct message *ret_message)
{
    struct call call = {postgres, input, {0}, ret_message};
    const struct kind *kind = NULL;
    enum frame_match match;

    if (answers_negotiation(postgres, input->data))
        return take_negotiation(postgres, input, ret_message);
    if (input->data.len && input->data.ptr[0] < 128)
        kind = &kinds[input->data.ptr[0]];
    match = postgres_frame_read(SENDER_SERVER, input->data, kind ? kind->wish : 0, input->cut,
                                &call.frame);
    if (match != FRAME_FITS)
        return postgres_refuse(match, input);
    if (call.frame.type == 'D' && postgres->answering)
        return pass_rows(postgres, input);
    return kind && kind->take ? kind->take(&call) : pass_all(&call);
}
