/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Redis exchange as span attributes, by the OpenTelemetry semantic conventions for databases and,
 * for channels, for messaging:
 *
 *   SELECT 3, SET k v      name "SET 3", db.operation.name "SET", db.query.text "SET ? ?",
 *                          db.namespace "3"
 *   -WRONGTYPE ...         db.response.status_code, error.type "WRONGTYPE", status ERROR
 *   -MOVED 42 h:1          no error: the client goes on at the node that is named
 *   PUBLISH c hi           a PRODUCER at the client, messaging.destination.name "c"
 *   message c hi           sent: PRODUCER, received: CONSUMER
 *
 * Keys and values are never told. Unknown commands do not name the span.
 */
#include "protocols/redis/redis.h"

#include "base/macro.h"
#include "span/semconv.h"

#define FLOWTRACE_REDIRECT_SLOT BYTES_LITERAL("flowtrace.redis.redirect.slot")
#define FLOWTRACE_REDIRECT_ADDRESS BYTES_LITERAL("flowtrace.redis.redirect.address")

#define SHOWN_ARGUMENTS 16 /* of a command in db.query.text; " ..." stands for the others */

static void add_text(struct span *span, struct bytes key, struct bytes text)
{
    if (text.len)
        span_add_text(span, key, text);
}

static size_t append(uint8_t *out, size_t at, struct bytes text)
{
    memcpy(out + at, text.ptr, text.len);
    return at + text.len;
}

/* "SET ? ?", "CONFIG GET ?" */
static struct bytes masked_text(const struct message *request, struct arena *arena)
{
    struct bytes name = message_field(request, REDIS_FIELD_NAME);
    struct bytes keyword = message_field(request, REDIS_FIELD_KEYWORD);
    int64_t words = request->code - 1 - (keyword.len > 0);
    size_t n = (size_t)MAX(MIN(words, (int64_t)SHOWN_ARGUMENTS), INT64_C(0)), len = 0;
    bool more = words > SHOWN_ARGUMENTS;
    uint8_t *out = arena_alloc(arena, name.len + 1 + keyword.len + 2 * n + 4);

    if (!out)
        return BYTES_NULL;
    len = append(out, len, name);
    if (keyword.len) {
        len = append(out, len, BYTES_LITERAL(" "));
        len = append(out, len, keyword);
    }
    for (size_t i = 0; i < n; i++)
        len = append(out, len, BYTES_LITERAL(" ?"));
    if (more)
        len = append(out, len, BYTES_LITERAL(" ..."));
    return bytes_make(out, len);
}

static void describe_messaging(struct span *span, struct bytes name, const char *type,
                               struct bytes channel)
{
    span_add_text(span, SEMCONV_MESSAGING_SYSTEM, BYTES_LITERAL("redis"));
    span_add_text(span, SEMCONV_MESSAGING_OPERATION_NAME, name);
    span_add_text(span, SEMCONV_MESSAGING_OPERATION_TYPE, bytes_from_string(type));
    add_text(span, SEMCONV_MESSAGING_DESTINATION_NAME, channel);
}

/* What the server sent unasked: its end is the sender's. */
static void describe_push(const struct message *request, struct span *span)
{
    bool sent = span->kind == SPAN_KIND_CLIENT;

    span->name = message_field(request, REDIS_FIELD_PUSH);
    span->kind = sent ? SPAN_KIND_PRODUCER : SPAN_KIND_CONSUMER;
    describe_messaging(span, span->name, sent ? "send" : "process",
                       message_field(request, REDIS_FIELD_CHANNEL));
}

/* "SET 3", or "SET" where the database is not known. */
static struct bytes span_name(const struct message *request, struct arena *arena)
{
    struct bytes name = message_field(request, REDIS_FIELD_NAME);
    struct bytes database = message_field(request, REDIS_FIELD_DATABASE);
    uint8_t *out;

    if (!command_is_known(name))
        return BYTES_LITERAL("redis");
    out = database.len ? arena_alloc(arena, name.len + 1 + database.len) : NULL;
    if (!out)
        return name;
    append(out, append(out, append(out, 0, name), BYTES_LITERAL(" ")), database);
    return bytes_make(out, name.len + 1 + database.len);
}

static void describe_command(const struct message *request, struct span *span)
{
    struct bytes name = message_field(request, REDIS_FIELD_NAME);
    struct bytes channel = message_field(request, REDIS_FIELD_CHANNEL);

    span->name = span_name(request, span->arena);
    add_text(span, SEMCONV_DB_OPERATION_NAME, name);
    add_text(span, SEMCONV_DB_QUERY_TEXT, masked_text(request, span->arena));
    if (!channel.ptr)
        return;
    if (span->kind == SPAN_KIND_CLIENT)
        span->kind = SPAN_KIND_PRODUCER;
    describe_messaging(span, BYTES_LITERAL("publish"), "send", channel);
}

static void describe_error(const struct message *response, struct bytes error, struct span *span)
{
    struct bytes slot = message_field(response, REDIS_FIELD_SLOT);
    uint64_t number;

    span_add_text(span, SEMCONV_DB_RESPONSE_STATUS_CODE, error);
    if (!slot.ptr) {
        span->status = SPAN_STATUS_ERROR;
        span_add_text(span, SEMCONV_ERROR_TYPE, error);
        return;
    }
    if (bytes_parse_u64(slot, &number) == 0 && number <= INT64_MAX)
        span_add_integer(span, FLOWTRACE_REDIRECT_SLOT, (int64_t)number);
    add_text(span, FLOWTRACE_REDIRECT_ADDRESS, message_field(response, REDIS_FIELD_ADDRESS));
}

static void describe_response(const struct message *request, const struct message *response,
                              struct span *span)
{
    struct bytes error = message_field(response, REDIS_FIELD_ERROR);

    if (error.len)
        describe_error(response, error, span);
    if (response->code > 1 && bytes_equal_nocase(message_field(request, REDIS_FIELD_NAME),
                                                 BYTES_LITERAL("EXEC")))
        span_add_integer(span, SEMCONV_DB_OPERATION_BATCH_SIZE, response->code);
}

void redis_describe(const struct message *request, const struct message *response,
                    struct span *span)
{
    span_add_text(span, SEMCONV_DB_SYSTEM_NAME, BYTES_LITERAL("redis"));
    span_add_text(span, SEMCONV_NETWORK_PROTOCOL_NAME, BYTES_LITERAL("redis"));
    add_text(span, SEMCONV_DB_NAMESPACE, message_field(request, REDIS_FIELD_DATABASE));
    if (message_field(request, REDIS_FIELD_PUSH).ptr)
        describe_push(request, span);
    else
        describe_command(request, span);
    if (response)
        describe_response(request, response, span);
}
