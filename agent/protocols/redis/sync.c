/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where Redis begins: on a new connection (probe) and behind a gap or garbage (resync).
 *
 * Only a request in RESP is proof: an array whose first word is a command. Inline commands and
 * answers ("+OK") may be anybody's lines. An array of strings may also be an answer; so commands in
 * lower case that are words of everyday data only count where they come first on a connection, and
 * so does "subscribe", whose acknowledgement looks like its request.
 *
 *   *2 CR LF $3 CR LF GET CR LF ...     a request
 *   *2 CR LF $4 CR LF type CR LF ...    perhaps a hash with a field "type"
 */
#include "protocols/redis/redis.h"

#include "base/macro.h"

#define PROBE_WORDS_MAX 1000000 /* no client sends more in one command */

/* The array's line and the command's name. *ret_name is set with RESP_FITS. */
static enum resp_match match_request(struct bytes data, struct bytes *ret_name)
{
    struct resp_line line;
    enum resp_match match;
    uint64_t skip;
    size_t at, len;

    if (data.len && data.ptr[0] != '*')
        return RESP_NO;
    match = resp_line_match(data, &line);
    if (match != RESP_FITS)
        return match;
    if (line.null || line.value == 0 || line.value > PROBE_WORDS_MAX)
        return RESP_NO;
    at = line.len;
    match = redis_read_value(bytes_skip(data, at), &line, &len, &skip, ret_name);
    if (match == RESP_NO || (line.type && line.type != '$') || line.null ||
        line.value > COMMAND_NAME_MAX || (match == RESP_FITS && line.value == 0))
        return RESP_NO;
    return match;
}

enum probe_result redis_probe(struct bytes data, enum delivery delivery)
{
    struct bytes name;

    switch (match_request(data, &name)) {
    case RESP_NO:
        return PROBE_NO;
    case RESP_MORE:
        return PROBE_MORE;
    case RESP_FITS:
        break;
    }
    if (!command_is_known(name))
        return PROBE_NO;
    return command_is_telling(name) ? PROBE_CLIENT : PROBE_FIRST;
}

/* An error begins with a word in capitals; other texts could be any line. */
static bool is_answer(struct bytes data)
{
    struct resp_line line;
    enum resp_match match = resp_line_match(data, &line);

    if (match == RESP_NO || line.type == '|')
        return match != RESP_NO;
    if (line.type == '-')
        return line.text.len == 0 || (line.text.ptr[0] >= 'A' && line.text.ptr[0] <= 'Z');
    return true;
}

static bool starts_message(enum sender sender, struct bytes data, size_t offset)
{
    struct bytes name;

    if (sender == SENDER_CLIENT)
        return match_request(bytes_skip(data, offset), &name) != RESP_NO;
    return (offset == 0 || data.ptr[offset - 1] == '\n') && is_answer(bytes_skip(data, offset));
}

/*
 * Behind a gap between answers nobody knows which requests were answered. On a connection without
 * pipelining, the rule, it is all but the newest.
 */
static void keep_newest_request(struct redis_state *redis)
{
    struct redis_special *last = redis->n_specials ? &redis->specials[redis->n_specials - 1] : NULL;
    bool keep = last && last->request == redis->requests;

    if (keep) {
        redis->specials[0] = *last;
        redis->specials[0].request = 1;
    }
    redis->n_specials = keep;
    redis->requests = redis->requests > redis->responses;
    redis->responses = 0;
}

/* Was a SELECT among what is lost? Nobody knows; but what was silenced stays silenced. */
size_t redis_resync(void *state, const struct parse_input *input)
{
    struct redis_state *redis = state;
    size_t offset = 0;

    redis->left[input->sender] = 0;
    redis->acks_left = 0;
    redis->database_len = 0;
    if (input->sender == SENDER_SERVER) {
        keep_newest_request(redis);
    } else {
        redis->n_specials = 0;
        redis->requests = redis->responses = 0;
    }
    while (offset < input->data.len && !starts_message(input->sender, input->data, offset))
        offset++;
    return offset;
}
