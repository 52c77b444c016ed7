/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server sends: one value for each request, in their order, and values that nobody asked
 * for.
 *
 *   +OK CR LF                         an answer, complete
 *   $9999 CR LF ...                   an answer whose payload is passed over
 *   *2 CR LF :1 CR LF :2 CR LF        an answer that ends with its last value (a PART)
 *   >3 message c hi, *3 message c hi  a message to a subscriber: a request of the server's, one-way
 *   >2 invalidate ..                  other pushes are passed over
 *
 * A SUBSCRIBE to n channels gets n values: the first is the answer, the others are passed over.
 */
#include "protocols/redis/redis.h"

#include "base/macro.h"

/* What a push or, to a subscriber, an array begins with. */
static const struct push {
    struct bytes name;
    unsigned channel; /* which value is the channel; 0: an acknowledgement */
} pushes[] = {
    {{(const uint8_t *)"message", 7}, 1},      {{(const uint8_t *)"pmessage", 8}, 2},
    {{(const uint8_t *)"smessage", 8}, 1},     {{(const uint8_t *)"subscribe", 9}, 0},
    {{(const uint8_t *)"unsubscribe", 11}, 0}, {{(const uint8_t *)"psubscribe", 10}, 0},
    {{(const uint8_t *)"punsubscribe", 12}, 0}, {{(const uint8_t *)"ssubscribe", 10}, 0},
    {{(const uint8_t *)"sunsubscribe", 12}, 0},
};

/* A reply before it is given out. */
struct draft {
    struct resp_line line;
    struct bytes text; /* a scalar's, or an error's payload */
    size_t len;
    uint64_t skip;
    struct bytes kind;    /* of a push */
    struct bytes channel; /* ... where it was read */
    uint32_t left;        /* values to come behind `len` */
};

static const struct push *find_push(struct bytes name)
{
    for (size_t i = 0; i < ELEMENTSOF(pushes); i++)
        if (bytes_equal(name, pushes[i].name))
            return &pushes[i];
    return NULL;
}

static void learn_database(struct redis_state *redis, uint16_t index)
{
    uint8_t len = 0;

    for (unsigned unit = 10000; unit > 0; unit /= 10)
        if (index >= unit || unit == 1)
            redis->database[len++] = (char)('0' + index / unit % 10);
    redis->database_len = len;
}

/* The special request's answer has come; returns further message flags. */
static unsigned apply_special(struct redis_state *redis, const struct redis_special *special,
                              const struct draft *draft)
{
    bool error = draft->line.type == '-' || draft->line.type == '!';
    bool done = draft->line.type == '+' && !bytes_equal(draft->text, BYTES_LITERAL("QUEUED"));

    switch ((enum command_kind)special->kind) {
    case COMMAND_SELECT:
    case COMMAND_RESET:
        if (!error)
            redis->database_len = 0;
        if (done && special->kind == COMMAND_RESET)
            learn_database(redis, 0);
        else if (done && special->n < UINT16_MAX)
            learn_database(redis, special->n);
        return 0;
    case COMMAND_SUBSCRIBE:
    case COMMAND_UNSUBSCRIBE:
        redis->acks_left = error || !draft->kind.ptr ? 0 : special->n - 1u;
        return 0;
    case COMMAND_STREAM:
        return error ? 0 : MESSAGE_LAST;
    default:
        return 0;
    }
}

/* One more request is answered. */
static unsigned note_response(struct redis_state *redis, const struct draft *draft)
{
    unsigned flags = 0;

    redis->responses++;
    if (redis->n_specials && redis->specials[0].request == redis->responses) {
        struct redis_special special = redis->specials[0];

        redis->n_specials--;
        memmove(redis->specials, redis->specials + 1,
                redis->n_specials * sizeof(redis->specials[0]));
        flags = apply_special(redis, &special, draft);
    }
    if (redis->responses >= redis->requests) {
        redis->requests = redis->responses = 0;
        redis->n_specials = 0;
    }
    return flags;
}

/* "ERR ...", "MOVED 3999 127.0.0.1:6381": no more of an error's text is told, for it has data. */
static void add_error(struct message *message, struct bytes text)
{
    size_t end = MIN(bytes_find(text, ' '), text.len);
    struct bytes word = bytes_slice(text, 0, end), rest = bytes_skip(text, end + 1);

    message_add(message, REDIS_FIELD_ERROR, word);
    if (!bytes_equal(word, BYTES_LITERAL("MOVED")) && !bytes_equal(word, BYTES_LITERAL("ASK")))
        return;
    end = MIN(bytes_find(rest, ' '), rest.len);
    message_add(message, REDIS_FIELD_SLOT, bytes_slice(rest, 0, end));
    if (end < rest.len)
        message_add(message, REDIS_FIELD_ADDRESS, bytes_skip(rest, end + 1));
}

static void expect_rest(struct redis_state *redis, uint32_t left, enum redis_pending pending)
{
    redis->left[SENDER_SERVER] = left;
    redis->pending[SENDER_SERVER] = (uint8_t)pending;
}

static struct parse_result give_response(struct redis_state *redis, const struct draft *draft,
                                         struct bytes data, struct message *message)
{
    const struct resp_line *line = &draft->line;

    message_start(message, MESSAGE_RESPONSE, draft->left ? 0 : MESSAGE_ENDS,
                  bytes_slice(data, 0, draft->len));
    if (line->class == RESP_AGGREGATE && !line->null)
        message->code = line->value >> (line->type == '%');
    if ((line->type == '-' || line->type == '!') && draft->text.len)
        add_error(message, draft->text);
    message->flags |= note_response(redis, draft);
    expect_rest(redis, draft->left, REDIS_MESSAGE);
    return (struct parse_result){.status = PARSE_MESSAGE, .used = draft->len, .skip = draft->skip};
}

static struct parse_result give_push(struct redis_state *redis, const struct draft *draft,
                                     struct bytes data, struct message *message)
{
    message_start(message, MESSAGE_REQUEST,
                  MESSAGE_ONE_WAY | (draft->left ? 0 : MESSAGE_ENDS),
                  bytes_slice(data, 0, draft->len));
    message->code = draft->line.value;
    message_add(message, REDIS_FIELD_PUSH, draft->kind);
    if (draft->channel.ptr)
        message_add(message, REDIS_FIELD_CHANNEL, draft->channel);
    if (redis->database_len)
        message_add(message, REDIS_FIELD_DATABASE,
                    bytes_make(redis->database, redis->database_len));
    expect_rest(redis, draft->left, REDIS_MESSAGE);
    return (struct parse_result){.status = PARSE_MESSAGE, .used = draft->len, .skip = draft->skip};
}

/* Values that are nobody's answer. */
static struct parse_result pass_over(struct redis_state *redis, const struct draft *draft)
{
    expect_rest(redis, draft->left, REDIS_IGNORED);
    return redis_none(draft->len, draft->skip);
}

/* The values behind an aggregate's line, up to the channel; the last one is left for the end. */
static enum resp_match read_push(struct bytes data, struct draft *draft)
{
    unsigned channel = 0;

    for (unsigned i = 0; i <= channel && draft->left > 1 && !draft->skip; i++) {
        struct resp_line line;
        struct bytes text;
        size_t len;
        enum resp_match match =
            redis_read_value(bytes_skip(data, draft->len), &line, &len, &draft->skip, &text);

        if (match != RESP_FITS)
            return match;
        if (line.type != '$' && line.type != '+')
            return RESP_FITS; /* no push that is known */
        draft->len += len;
        draft->left--;
        if (draft->skip)
            break;
        if (i == 0) {
            const struct push *push = find_push(text);

            draft->kind = text;
            channel = push ? push->channel : 0;
        } else if (i == channel) {
            draft->channel = text;
        }
    }
    return RESP_FITS;
}

/* Does the next acknowledgement answer a request, or is it one of several to the same? */
static struct parse_result take_ack(struct redis_state *redis, const struct draft *draft,
                                    struct bytes data, struct message *message)
{
    redis->subscribed = true;
    if (redis->acks_left && redis->acks_left != UINT32_MAX)
        redis->acks_left--;
    else if (!redis->acks_left && redis->responses < redis->requests)
        return give_response(redis, draft, data, message);
    return pass_over(redis, draft);
}

static bool awaits_ack(const struct redis_state *redis)
{
    return redis->acks_left || (redis->n_specials &&
                                redis->specials[0].request == redis->responses + 1 &&
                                (redis->specials[0].kind == COMMAND_SUBSCRIBE ||
                                 redis->specials[0].kind == COMMAND_UNSUBSCRIBE));
}

/* A push, or an array that may be one. */
static struct parse_result take_push(struct redis_state *redis, const struct parse_input *input,
                                     struct draft *draft, struct message *message)
{
    struct draft as_array = *draft;
    enum resp_match match = read_push(input->data, draft);
    const struct push *push = find_push(draft->kind);

    if (match == RESP_MORE)
        return redis_more(input);
    if (match == RESP_NO)
        return redis_bad();
    if (push && push->channel)
        return give_push(redis, draft, input->data, message);
    if (push)
        return take_ack(redis, draft, input->data, message);
    return draft->line.type == '>' ? pass_over(redis, draft)
                                   : give_response(redis, &as_array, input->data, message);
}

static bool is_payload_needed(const struct resp_line *line)
{
    return line->type == '!' && line->value <= REDIS_WAIT_MAX;
}

/* Errors are told even where their line is cut. */
static struct parse_result take_partial(struct redis_state *redis, const struct parse_input *input,
                                        struct draft *draft, struct message *message)
{
    struct parse_result result;

    if (!input->cut || draft->line.type != '-' ||
        bytes_find(draft->line.text, ' ') == SIZE_MAX)
        return redis_more(input);
    draft->text = bytes_slice(draft->line.text, 0, bytes_find(draft->line.text, ' '));
    draft->len = input->data.len;
    result = give_response(redis, draft, input->data, message);
    message->flags |= MESSAGE_TRUNCATED;
    return result;
}

/* While it prepares what PSYNC asked for, a server sends line feeds to say that it lives. */
static bool is_sign_of_life(const struct redis_state *redis, struct bytes data)
{
    return data.ptr[0] == '\n' && redis->n_specials && redis->specials[0].kind == COMMAND_STREAM;
}

struct parse_result redis_parse_reply(struct redis_state *redis, const struct parse_input *input,
                                      struct message *ret_message)
{
    struct draft draft = {0};
    enum resp_match match = resp_line_match(input->data, &draft.line);
    const struct resp_line *line = &draft.line;

    if (is_sign_of_life(redis, input->data))
        return redis_none(1, 0);
    if (match == RESP_FITS && is_payload_needed(line))
        match = redis_read_value(input->data, &draft.line, &draft.len, &draft.skip, &draft.text);
    if (match == RESP_NO)
        return redis_bad();
    if (match == RESP_MORE)
        return take_partial(redis, input, &draft, ret_message);
    if (!is_payload_needed(line)) {
        draft.len = line->len;
        draft.text = line->text;
        draft.skip = line->class == RESP_PAYLOAD && !line->null ? (uint64_t)line->value + 2 : 0;
    }
    draft.left = line->class == RESP_AGGREGATE ? line->value : 0;
    if (line->type == '|')
        return pass_over(redis, &draft);
    if (line->type == '>' ||
        (line->type == '*' && line->value > 1 && (redis->subscribed || awaits_ack(redis))))
        return take_push(redis, input, &draft, ret_message);
    return give_response(redis, &draft, input->data, ret_message);
}
