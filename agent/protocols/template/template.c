/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smallest real parser, to be copied: a store of counters that is asked in lines.
 *
 *   client  GET apples LF              server  OK 17 LF
 *   client  ADD apples LF              server  ERR full LF
 *
 * One line is one message; answers come in the order of the requests. docs/add-a-protocol.md walks
 * through this file.
 */
#include "protocols/template/template.h"

#include "base/macro.h"
#include "span/semconv.h"

#define LINE_MAX_LEN 512

enum template_field { TEMPLATE_FIELD_VERB = FIELD_PROTOCOL, TEMPLATE_FIELD_REST };

/* The words a line may begin with. */
static const struct word {
    struct bytes text;
    enum sender sender;
    int64_t code;
} words[] = {
    {{(const uint8_t *)"GET ", 4}, SENDER_CLIENT, 0},
    {{(const uint8_t *)"ADD ", 4}, SENDER_CLIENT, 0},
    {{(const uint8_t *)"OK ", 3}, SENDER_SERVER, 0},
    {{(const uint8_t *)"ERR ", 4}, SENDER_SERVER, 1},
};

/* The word that `data` begins with or is a beginning of, or NULL. */
static const struct word *find_word(struct bytes data)
{
    for (size_t i = 0; i < ELEMENTSOF(words); i++)
        if (bytes_starts_with(data, bytes_slice(words[i].text, 0, data.len)))
            return &words[i];
    return NULL;
}

static enum probe_result template_probe(struct bytes data, enum delivery delivery)
{
    const struct word *word = find_word(data);
    size_t end = bytes_find(data, '\n');

    if (!word || (end == SIZE_MAX ? data.len : end) >= LINE_MAX_LEN)
        return PROBE_NO;
    if (end == SIZE_MAX)
        return PROBE_MORE;
    return word->sender == SENDER_CLIENT ? PROBE_CLIENT : PROBE_SERVER;
}

static struct parse_result template_parse(void *state, const struct parse_input *input,
                                          struct message *ret_message)
{
    struct bytes data = input->data;
    const struct word *word = find_word(data);
    size_t end = bytes_find(data, '\n');
    struct bytes line = bytes_slice(data, 0, end);

    if (!word || word->sender != input->sender || line.len >= LINE_MAX_LEN)
        return (struct parse_result){.status = PARSE_BAD};
    if (end == SIZE_MAX && !input->cut)
        return (struct parse_result){.status = PARSE_MORE, .need = data.len + 1};
    if (line.len < word->text.len)
        return (struct parse_result){.status = PARSE_BAD};

    ret_message->kind = input->sender == SENDER_CLIENT ? MESSAGE_REQUEST : MESSAGE_RESPONSE;
    ret_message->flags = MESSAGE_ENDS | (end == SIZE_MAX ? MESSAGE_TRUNCATED : 0);
    ret_message->stream = 0;
    ret_message->code = word->code;
    ret_message->head = line;
    ret_message->n_fields = 0;
    message_add(ret_message, TEMPLATE_FIELD_VERB, bytes_slice(line, 0, word->text.len - 1));
    message_add(ret_message, TEMPLATE_FIELD_REST, bytes_skip(line, word->text.len));
    return (struct parse_result){.status = PARSE_MESSAGE,
                                 .used = end == SIZE_MAX ? data.len : end + 1};
}

/* The next place where a line with the sender's words may begin. */
static size_t template_resync(void *state, const struct parse_input *input)
{
    size_t offset = 0;

    while (offset < input->data.len) {
        const struct word *word = find_word(bytes_skip(input->data, offset));

        if (word && word->sender == input->sender)
            break;
        offset++;
    }
    return offset;
}

static void template_describe(const struct message *request, const struct message *response,
                              struct span *span)
{
    span->name = message_field(request, TEMPLATE_FIELD_VERB);
    span_add_text(span, SEMCONV_NETWORK_PROTOCOL_NAME, BYTES_LITERAL("template"));
    span_add_text(span, BYTES_LITERAL("template.counter"),
                  message_field(request, TEMPLATE_FIELD_REST));
    if (response && response->code != 0) {
        span->status = SPAN_STATUS_ERROR;
        span_add_text(span, SEMCONV_ERROR_TYPE, message_field(response, TEMPLATE_FIELD_REST));
    }
}

const struct protocol template_protocol = {
    .name = "template",
    .probe = template_probe,
    .parse = template_parse,
    .resync = template_resync,
    .describe = template_describe,
};
