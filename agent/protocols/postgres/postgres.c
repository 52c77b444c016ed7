/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL as a protocol of the agent, and the answers of parse that both directions give. */
#include "protocols/postgres/postgres.h"

struct parse_result postgres_give(const struct frame *frame, struct bytes data,
                                  enum message_kind kind, unsigned flags,
                                  struct message *ret_message)
{
    message_start(ret_message, kind, flags, bytes_slice(data, 0, frame->used));
    return (struct parse_result){
        .status = PARSE_MESSAGE, .used = frame->used, .skip = frame->total - frame->used};
}

struct parse_result postgres_pass(const struct frame *frame)
{
    return (struct parse_result){
        .status = PARSE_NONE, .used = frame->used, .skip = frame->total - frame->used};
}

struct parse_result postgres_refuse(enum frame_match match, const struct parse_input *input)
{
    if (match == FRAME_NO || input->cut)
        return (struct parse_result){.status = PARSE_BAD};
    return (struct parse_result){.status = PARSE_MORE, .need = input->data.len + 1};
}

struct parse_result postgres_parse(void *state, const struct parse_input *input,
                                   struct message *ret_message)
{
    return input->sender == SENDER_CLIENT ? postgres_parse_client(state, input, ret_message)
                                          : postgres_parse_server(state, input, ret_message);
}

/* A server writes rows by 8 KiB, and the header of each is needed. */
const struct protocol postgres_protocol = {
    .name = "postgresql",
    .traits = {.state_size = sizeof(struct postgres_state), .capture_head = 16384},
    .probe = postgres_probe,
    .parse = postgres_parse,
    .resync = postgres_resync,
    .describe = postgres_describe,
};
