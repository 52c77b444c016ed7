/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PostgreSQL exchange as span attributes, by the OpenTelemetry semantic conventions for
 * databases:
 *
 *   select * from t where a = 'x'      name and db.query.summary "select t", db.operation.name,
 *                                      db.collection.name,
 *                                      db.query.text "select * from t where a = ?"
 *   two and more executions            "BATCH select t", or "BATCH" where they differ
 *   Parse without Execute              "PREPARE select t"
 *   a start-up                         "CONNECT"
 *   SQLSTATE of an error               db.response.status_code, error.type, status ERROR
 *   NOTIFY c                           a PRODUCER at the client, messaging.destination.name "c"
 *   a notification                     sent: PRODUCER, received: CONSUMER
 *
 * A statement of which only the beginning is known ends in "..." and names neither operation nor
 * table: what is missing may have more of them.
 */
#include "protocols/postgres/postgres.h"
#include "protocols/sql/mask.h"
#include "protocols/sql/summary.h"

#include "base/macro.h"
#include "span/semconv.h"

#define MASKED_MAX 4096 /* bytes of db.query.text */
#define FLOWTRACE_STATEMENT_UNKNOWN BYTES_LITERAL("flowtrace.db.statement.unknown")

/* The statements of a request. */
struct texts {
    struct bytes text[POSTGRES_TEXTS];
    unsigned n;
    bool cut;     /* the only one, or the last, is */
    bool unknown; /* there are others, whose text is not known */
    bool more;    /* ... or was left out */
};

static struct texts read_texts(const struct message *request)
{
    struct texts texts = {0};

    for (unsigned i = 0; i < request->n_fields; i++) {
        const struct field *field = &request->fields[i];
        bool is_cut = field->id == POSTGRES_FIELD_TEXT_CUT;

        texts.unknown |= field->id == POSTGRES_FIELD_UNKNOWN;
        texts.more |= field->id == POSTGRES_FIELD_MORE;
        if ((field->id != POSTGRES_FIELD_TEXT && !is_cut) || texts.n == POSTGRES_TEXTS)
            continue;
        texts.text[texts.n++] = field->value;
        texts.cut |= is_cut;
    }
    /* track cuts long fields */
    texts.cut |= texts.n && (request->flags & MESSAGE_TRUNCATED);
    return texts;
}

static void add_text(struct span *span, struct bytes key, struct bytes text)
{
    if (text.len)
        span_add_text(span, key, text);
}

static size_t append(uint8_t *out, size_t len, size_t size, struct bytes text)
{
    size_t n = MIN(text.len, size - len);

    if (n)
        memcpy(out + len, text.ptr, n);
    return len + n;
}

/* Two strings with a blank between in the arena; the second one alone where it has no room. */
static struct bytes join(struct arena *arena, struct bytes first, struct bytes second)
{
    size_t size = first.len + 1 + second.len, len;
    uint8_t *out = arena_alloc(arena, size);

    if (!out)
        return second;
    len = append(out, 0, size, first);
    len = append(out, len, size, BYTES_LITERAL(" "));
    len = append(out, len, size, second);
    return bytes_make(out, len);
}

/* All of them, masked, with "; " between. */
static void describe_text(const struct texts *texts, struct span *span)
{
    bool open = texts->cut || texts->more || texts->unknown;
    size_t size = 3, len = 0;
    uint8_t *out;

    for (unsigned i = 0; i < texts->n; i++)
        size += texts->text[i].len + 2;
    size = MIN(size, (size_t)MASKED_MAX);
    out = texts->n ? arena_alloc(span->arena, size) : NULL;
    if (!out)
        return;
    for (unsigned i = 0; i < texts->n; i++) {
        if (i > 0)
            len = append(out, len, size, BYTES_LITERAL("; "));
        len += sql_mask(texts->text[i], SQL_POSTGRES, out + len, size - len).len;
    }
    if (open)
        len = append(out, len, size, BYTES_LITERAL("..."));
    add_text(span, SEMCONV_DB_QUERY_TEXT, bytes_make(out, len));
}

/* NOTIFY channel: the word behind the operation. */
static void describe_notify(struct bytes text, struct span *span)
{
    struct sql_reader reader = {.text = text, .dialect = SQL_POSTGRES};
    struct sql_token channel;

    sql_next_solid(&reader);
    channel = sql_next_solid(&reader);
    if (channel.kind != SQL_WORD && channel.kind != SQL_QUOTED)
        return;
    if (span->kind == SPAN_KIND_CLIENT)
        span->kind = SPAN_KIND_PRODUCER;
    span_add_text(span, SEMCONV_MESSAGING_SYSTEM, BYTES_LITERAL("postgresql"));
    span_add_text(span, SEMCONV_MESSAGING_OPERATION_NAME, BYTES_LITERAL("NOTIFY"));
    span_add_text(span, SEMCONV_MESSAGING_OPERATION_TYPE, BYTES_LITERAL("send"));
    span_add_text(span, SEMCONV_MESSAGING_DESTINATION_NAME, channel.text);
}

/* One statement, once or several times: `before` is BATCH, PREPARE or empty. */
static void describe_one(const struct texts *texts, struct bytes before, struct span *span)
{
    uint8_t *out = arena_alloc(span->arena, SQL_SUMMARY_MAX);
    struct sql_summary summary;
    struct bytes operation;

    if (!out)
        return;
    sql_summarize(texts->text[0], SQL_POSTGRES, out, &summary);
    if (!texts->cut && bytes_equal_nocase(summary.operation, BYTES_LITERAL("NOTIFY")))
        describe_notify(texts->text[0], span);
    operation = texts->cut ? BYTES_NULL : summary.operation;
    if (summary.text.len == 0)
        return;
    if (before.len)
        summary.text = join(span->arena, before, summary.text);
    if (before.len && operation.len)
        operation = join(span->arena, before, operation);
    span->name = summary.text;
    add_text(span, SEMCONV_DB_QUERY_SUMMARY, summary.text);
    add_text(span, SEMCONV_DB_OPERATION_NAME, operation);
    if (!texts->cut)
        add_text(span, SEMCONV_DB_COLLECTION_NAME, summary.collection);
}

static void name_operation(struct bytes name, struct span *span)
{
    span->name = name;
    span_add_text(span, SEMCONV_DB_OPERATION_NAME, name);
}

/* Statements: a simple query, or what stands before a Sync. */
static void describe_statements(const struct message *request, struct span *span)
{
    struct texts texts = read_texts(request);
    bool one = texts.n == 1 && !texts.unknown && !texts.more;

    describe_text(&texts, span);
    if (texts.unknown)
        span_add_boolean(span, FLOWTRACE_STATEMENT_UNKNOWN, true);
    if (request->code > 1)
        span_add_integer(span, SEMCONV_DB_OPERATION_BATCH_SIZE, request->code);
    if (one && request->code == 0)
        describe_one(&texts, BYTES_LITERAL("PREPARE"), span);
    else if (one)
        describe_one(&texts, request->code > 1 ? BYTES_LITERAL("BATCH") : BYTES_NULL, span);
    else if (texts.n > 0 && request->code > 1)
        name_operation(BYTES_LITERAL("BATCH"), span);
    else if (request->code == 0)
        name_operation(texts.n ? BYTES_LITERAL("PREPARE") : BYTES_LITERAL("SYNC"), span);
}

/* What the server sent unasked. */
static void describe_notification(struct bytes channel, struct span *span)
{
    bool sent = span->kind == SPAN_KIND_CLIENT;

    span->kind = sent ? SPAN_KIND_PRODUCER : SPAN_KIND_CONSUMER;
    span->name = BYTES_LITERAL("notification");
    span_add_text(span, SEMCONV_MESSAGING_SYSTEM, BYTES_LITERAL("postgresql"));
    span_add_text(span, SEMCONV_MESSAGING_OPERATION_NAME, span->name);
    span_add_text(span, SEMCONV_MESSAGING_OPERATION_TYPE,
                  sent ? BYTES_LITERAL("send") : BYTES_LITERAL("process"));
    add_text(span, SEMCONV_MESSAGING_DESTINATION_NAME, channel);
}

static void describe_response(const struct message *response, struct span *span)
{
    struct bytes code = message_field(response, POSTGRES_FIELD_CODE);
    struct bytes tag = message_field(response, POSTGRES_FIELD_TAG);
    bool reads = bytes_starts_with(tag, BYTES_LITERAL("SELECT ")) ||
                 bytes_starts_with(tag, BYTES_LITERAL("FETCH "));

    if (response->code > 0 || reads)
        span_add_integer(span, SEMCONV_DB_RESPONSE_RETURNED_ROWS, response->code);
    if (!code.len)
        return;
    span->status = SPAN_STATUS_ERROR;
    span_add_text(span, SEMCONV_DB_RESPONSE_STATUS_CODE, code);
    span_add_text(span, SEMCONV_ERROR_TYPE, code);
}

void postgres_describe(const struct message *request, const struct message *response,
                       struct span *span)
{
    struct bytes channel = message_field(request, POSTGRES_FIELD_CHANNEL);

    span->name = BYTES_LITERAL("postgresql");
    span_add_text(span, SEMCONV_DB_SYSTEM_NAME, BYTES_LITERAL("postgresql"));
    span_add_text(span, SEMCONV_NETWORK_PROTOCOL_NAME, BYTES_LITERAL("postgresql"));
    add_text(span, SEMCONV_DB_NAMESPACE, message_field(request, POSTGRES_FIELD_DATABASE));
    if (channel.ptr)
        describe_notification(channel, span);
    else if (message_field(request, POSTGRES_FIELD_STARTUP).ptr)
        name_operation(BYTES_LITERAL("CONNECT"), span);
    else if (message_field(request, POSTGRES_FIELD_CANCEL).ptr)
        name_operation(BYTES_LITERAL("CANCEL"), span);
    else if (message_field(request, POSTGRES_FIELD_FUNCTION).ptr)
        name_operation(BYTES_LITERAL("FUNCTION CALL"), span);
    else
        describe_statements(request, span);
    if (response)
        describe_response(response, span);
}
