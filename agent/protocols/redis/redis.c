/* SPDX-License-Identifier: Apache-2.0 */
/* Redis as a protocol of the agent, and what both directions read alike: values. */
#include "protocols/redis/redis.h"

enum resp_match redis_read_value(struct bytes data, struct resp_line *ret_line, size_t *ret_len,
                                 uint64_t *ret_skip, struct bytes *ret_text)
{
    enum resp_match match = resp_line_match(data, ret_line);
    size_t len = ret_line->len;

    if (match != RESP_FITS)
        return match;
    *ret_len = len;
    *ret_skip = 0;
    *ret_text = ret_line->text;
    if (ret_line->class != RESP_PAYLOAD || ret_line->null)
        return RESP_FITS;
    if (ret_line->value > REDIS_WAIT_MAX) {
        *ret_skip = (uint64_t)ret_line->value + 2;
        return RESP_FITS;
    }
    *ret_text = bytes_slice(data, len, ret_line->value);
    len += ret_line->value;
    if ((len < data.len && data.ptr[len] != '\r') ||
        (len + 1 < data.len && data.ptr[len + 1] != '\n'))
        return RESP_NO;
    *ret_len = len + 2;
    return len + 2 <= data.len ? RESP_FITS : RESP_MORE;
}

/* A value was read: how many are left now? False: more than can be counted. */
static bool count_value(const struct resp_line *line, uint32_t *left)
{
    uint64_t sum = *left;

    if (line->type != '|') /* attributes stand beside the values */
        sum--;
    if (line->class == RESP_AGGREGATE)
        sum += line->value;
    *left = (uint32_t)sum;
    return sum <= UINT32_MAX;
}

/* Values are passed over together, but the last one alone: it is where the message ends. */
struct parse_result redis_parse_rest(struct redis_state *redis, const struct parse_input *input,
                                     struct message *ret_message)
{
    uint32_t *left = &redis->left[input->sender];
    size_t at = 0;

    while (*left) {
        uint32_t next = *left;
        enum resp_match match;
        struct resp_line line;
        struct bytes text;
        uint64_t skip;
        size_t len;

        match = redis_read_value(bytes_skip(input->data, at), &line, &len, &skip, &text);
        if (match == RESP_MORE && at > 0)
            break;
        if (match == RESP_MORE)
            return redis_more(input);
        if (match == RESP_NO || (input->sender == SENDER_CLIENT && line.type != '$') ||
            !count_value(&line, &next))
            return redis_bad();
        if (next == 0 && redis->pending[input->sender] == REDIS_MESSAGE && at > 0)
            break;
        *left = next;
        at += len;
        if (next == 0 && redis->pending[input->sender] == REDIS_MESSAGE) {
            message_start(ret_message, MESSAGE_PART, MESSAGE_ENDS, bytes_slice(input->data, 0, at));
            return (struct parse_result){.status = PARSE_MESSAGE, .used = at, .skip = skip};
        }
        if (skip)
            return redis_none(at, skip);
    }
    return redis_none(at, 0);
}

struct parse_result redis_parse(void *state, const struct parse_input *input,
                                struct message *ret_message)
{
    struct redis_state *redis = state;

    if (input->data.len == 0)
        return redis_more(input);
    if (redis->left[input->sender])
        return redis_parse_rest(redis, input, ret_message);
    return input->sender == SENDER_CLIENT ? redis_parse_request(redis, input, ret_message)
                                          : redis_parse_reply(redis, input, ret_message);
}

/*
 * A pipeline in one write is longer than a head, and what the kernel side cuts off loses its order
 * for good: as much as can be had is wished for. Long payloads are passed over all the same.
 */
const struct protocol redis_protocol = {
    .name = "redis",
    .traits = {.state_size = sizeof(struct redis_state), .capture_head = 16384},
    .probe = redis_probe,
    .parse = redis_parse,
    .resync = redis_resync,
    .describe = redis_describe,
};
