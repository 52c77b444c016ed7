/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at bodies; the idea stands in content.h. */
#include "protocols/http1/content.h"

#include "base/macro.h"

void content_begin(struct http1_state *http1, enum sender sender, struct bytes content_type)
{
    http1->bodies[sender] =
        (struct grpc_body){.kind = (uint8_t)grpc_body_kind_of(content_type)};
}

void content_tell(const struct http1_state *http1, enum sender sender, struct arena *scratch,
                  struct message *message)
{
    const struct grpc_body *body = &http1->bodies[sender];

    if (content_is_read(http1, sender))
        grpc_body_tell(sender == SENDER_CLIENT ? body : NULL,
                       sender == SENDER_SERVER ? body : NULL, scratch, message);
}

/* `used` and `skip` are the last of the chunk, or of the message. */
static struct parse_result end_body(struct http1_state *http1, const struct parse_input *input,
                                    size_t used, uint64_t skip, struct message *ret_message)
{
    enum http1_phase *phase = &http1->phases[input->sender];

    if (*phase == HTTP1_CHUNK_BODY) {
        *phase = HTTP1_CHUNK;
        return (struct parse_result){
            .status = PARSE_NONE, .used = used, .skip = skip + http1->chunk_ends[input->sender]};
    }
    *phase = HTTP1_START;
    message_start(ret_message, MESSAGE_PART, MESSAGE_ENDS, bytes_slice(input->data, 0, used));
    content_tell(http1, input->sender, input->scratch, ret_message);
    return (struct parse_result){.status = PARSE_MESSAGE, .used = used, .skip = skip};
}

/* The last byte is a step of its own: what it ends does not depend on how bytes came. */
static struct parse_result read_bytes(struct http1_state *http1, const struct parse_input *input,
                                      size_t need, struct message *ret_message)
{
    uint64_t *left = &http1->left[input->sender];
    size_t most = (size_t)MIN(MAX((uint64_t)need, *left - 1), (uint64_t)input->data.len);
    size_t used = grpc_body_read(&http1->bodies[input->sender],
                                 bytes_slice(input->data, 0, most), input->scratch);

    *left -= used;
    if (*left == 0)
        return end_body(http1, input, used, 0, ret_message);
    return (struct parse_result){.status = PARSE_NONE, .used = used};
}

struct parse_result content_parse(struct http1_state *http1, const struct parse_input *input,
                                  struct message *ret_message)
{
    struct grpc_body *body = &http1->bodies[input->sender];
    uint64_t *left = &http1->left[input->sender], skip;
    size_t need = grpc_body_need(body, *left);

    if (need && input->data.len >= need)
        return read_bytes(http1, input, need, ret_message);
    if (need && !input->cut)
        return (struct parse_result){.status = PARSE_MORE, .need = need};
    if (need)
        body->kind = GRPC_BODY_LOST;
    skip = grpc_body_pass(body, *left);
    *left -= skip;
    if (*left == 0)
        return end_body(http1, input, 0, skip, ret_message);
    return (struct parse_result){.status = PARSE_NONE, .skip = skip};
}
