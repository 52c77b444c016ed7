/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client sends: arrays of bulk strings, or inline commands (a line of words).
 *
 *   *3 CR LF $3 CR LF SET CR LF $3 CR LF key CR LF $9999 CR LF ....(9999 bytes).... CR LF
 *   '------------- used: the request, ENDS ----------------' '---------- skip ----------'
 *
 * A request is told when its first REDIS_ARGUMENTS words are there, or at the first long one; what
 * is left of it follows word by word (redis_parse_rest). An inline command must be a known one:
 * anything else may be the rest of a payload.
 */
#include "protocols/redis/redis.h"

#include "base/macro.h"

#define INLINE_MAX 1024 /* bytes of an inline command; Redis allows 64 KiB */

struct words {
    uint32_t count; /* of the whole command */
    unsigned n;     /* that were read */
    struct bytes at[REDIS_ARGUMENTS]; /* NULL: a long one */
    size_t len;     /* bytes read, */
    uint64_t skip;  /* and the long word behind them */
};

static bool is_name(struct bytes word)
{
    for (size_t i = 0; i < word.len; i++)
        if (word.ptr[i] <= ' ' || word.ptr[i] >= 0x7f)
            return false;
    return word.len > 0 && word.len <= COMMAND_NAME_MAX;
}

/* With RESP_MORE the words that are complete are in *ret_words. */
static enum resp_match read_array(struct bytes data, struct words *ret_words)
{
    struct resp_line line;
    enum resp_match match = resp_line_match(data, &line);

    *ret_words = (struct words){0};
    if (match != RESP_FITS)
        return match;
    ret_words->count = line.null ? 0 : line.value;
    ret_words->len = line.len;
    while (ret_words->n < MIN(ret_words->count, (uint32_t)REDIS_ARGUMENTS) && !ret_words->skip) {
        struct bytes text;
        size_t len;

        match = redis_read_value(bytes_skip(data, ret_words->len), &line, &len, &ret_words->skip,
                                 &text);
        if (match == RESP_NO || (line.type && line.type != '$') || line.null)
            return RESP_NO;
        if (match == RESP_MORE)
            return RESP_MORE;
        if (ret_words->n == 0 && !is_name(text))
            return RESP_NO;
        ret_words->at[ret_words->n++] = ret_words->skip ? BYTES_NULL : text;
        ret_words->len += len;
    }
    return RESP_FITS;
}

/* A line of words: quoting is not undone, for nothing but keywords is looked at. */
static enum resp_match read_line(struct bytes data, struct words *ret_words)
{
    size_t end = bytes_find(bytes_slice(data, 0, INLINE_MAX), '\n'), at = 0;
    struct bytes line = bytes_slice(data, 0, MIN(end, (size_t)INLINE_MAX));

    *ret_words = (struct words){.len = line.len + 1};
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    while (at < line.len) {
        size_t n = MIN(bytes_find(bytes_skip(line, at), ' '), line.len - at);

        if (n > 0 && ret_words->n < REDIS_ARGUMENTS)
            ret_words->at[ret_words->n++] = bytes_slice(line, at, n);
        ret_words->count += n > 0;
        at += n + 1;
    }
    if (ret_words->n && !is_name(ret_words->at[0]))
        return RESP_NO;
    if (end == SIZE_MAX)
        return data.len < INLINE_MAX ? RESP_MORE : RESP_NO;
    return ret_words->n == 0 || command_is_known(ret_words->at[0]) ? RESP_FITS : RESP_NO;
}

static bool word_is(const struct words *words, unsigned i, const char *text)
{
    return i < words->n && bytes_equal_nocase(words->at[i], bytes_from_string(text));
}

static uint16_t special_number(const struct command *command, const struct words *words)
{
    uint64_t index;

    if (command->kind != COMMAND_SELECT)
        return (uint16_t)MIN(words->count - 1, (uint32_t)UINT16_MAX);
    if (words->n < 2 || bytes_parse_u64(words->at[1], &index) < 0)
        return UINT16_MAX;
    return (uint16_t)MIN(index, (uint64_t)UINT16_MAX);
}

/* Remembers the request where its answer will mean something. */
static void note_special(struct redis_state *redis, const struct command *command,
                         const struct words *words)
{
    bool special = command->kind == COMMAND_SELECT || command->kind == COMMAND_RESET ||
                   command->kind == COMMAND_SUBSCRIBE || command->kind == COMMAND_UNSUBSCRIBE ||
                   command->kind == COMMAND_STREAM;

    if (!special)
        return;
    if (redis->n_specials == REDIS_SPECIALS) {
        redis->database_len = 0; /* what is forgotten may be a SELECT */
        return;
    }
    redis->specials[redis->n_specials++] = (struct redis_special){
        .request = redis->requests,
        .kind = (uint16_t)command->kind,
        .n = special_number(command, words),
    };
}

/* CLIENT REPLY ON | OFF | SKIP. ON alone is answered. */
static bool silences(struct redis_state *redis, const struct words *words)
{
    if (!word_is(words, 1, "REPLY"))
        return false;
    redis->silent = word_is(words, 2, "OFF");
    redis->skip_next = word_is(words, 2, "SKIP");
    return redis->silent || redis->skip_next;
}

/* True: it will be answered. */
static bool note_request(struct redis_state *redis, const struct command *command,
                         const struct words *words)
{
    enum command_kind kind = command ? command->kind : COMMAND_PLAIN;
    bool skipped = redis->skip_next;

    redis->skip_next = false;
    if (redis->acks_left == UINT32_MAX)
        redis->acks_left = 0;
    if (kind != COMMAND_SUBSCRIBE && kind != COMMAND_UNSUBSCRIBE && kind != COMMAND_KEEP)
        redis->subscribed = false;
    if (kind == COMMAND_CLIENT && silences(redis, words))
        return false;
    if (skipped || redis->silent)
        return false;
    redis->requests++;
    if (command)
        note_special(redis, command, words);
    return true;
}

static void add_word(struct message *message, unsigned id, const struct words *words, unsigned i)
{
    if (i < words->n && words->at[i].ptr)
        message_add(message, id, words->at[i]);
}

static void write_message(struct redis_state *redis, const struct words *words,
                          struct bytes data, unsigned flags, struct message *message)
{
    const struct command *command = command_find(words->at[0]);
    enum command_kind kind = command ? command->kind : COMMAND_PLAIN;

    message_start(message, MESSAGE_REQUEST, flags, bytes_slice(data, 0, words->len));
    message->code = words->count;
    add_word(message, REDIS_FIELD_NAME, words, 0);
    if (kind == COMMAND_CONTAINER || kind == COMMAND_CLIENT)
        add_word(message, REDIS_FIELD_KEYWORD, words, 1);
    if (kind == COMMAND_PUBLISH)
        add_word(message, REDIS_FIELD_CHANNEL, words, 1);
    if (redis->database_len)
        message_add(message, REDIS_FIELD_DATABASE,
                    bytes_make(redis->database, redis->database_len));
    if (!note_request(redis, command, words))
        message->flags |= MESSAGE_ONE_WAY;
}

struct parse_result redis_parse_request(struct redis_state *redis, const struct parse_input *input,
                                        struct message *ret_message)
{
    bool is_array = input->data.ptr[0] == '*', truncated;
    struct words words;
    enum resp_match match =
        is_array ? read_array(input->data, &words) : read_line(input->data, &words);

    truncated = match == RESP_MORE;
    if (match == RESP_NO || (truncated && is_array && input->cut && words.n == 0))
        return redis_bad();
    if (truncated && (!input->cut || !is_array))
        return redis_more(input);
    if (words.n == 0)
        return redis_none(words.len, 0);
    if (truncated) {
        words.len = input->data.len;
        words.skip = 0;
    }
    redis->left[SENDER_CLIENT] = truncated ? 0 : words.count - words.n;
    redis->pending[SENDER_CLIENT] = REDIS_MESSAGE;
    write_message(redis, &words, input->data,
                  (redis->left[SENDER_CLIENT] ? 0 : MESSAGE_ENDS) |
                      (truncated ? MESSAGE_TRUNCATED : 0),
                  ret_message);
    return (struct parse_result){.status = PARSE_MESSAGE, .used = words.len, .skip = words.skip};
}
