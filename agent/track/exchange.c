/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pairing: requests open exchanges, responses find theirs by stream id, or first in, first out
 * where the protocol has none, and the end of the response ends the exchange.
 */
#include "track/internal.h"

#include "base/macro.h"
#include "span/context.h"

/* ---- messages are copied into the exchange's texts ------------------------------------------ */

/* Of the contexts, which have been read already, only some are kept. */
static bool is_kept(const struct track *track, const struct field *field)
{
    return field->id >= FIELD_PROTOCOL || track->options.keep_contexts >> field->id & 1;
}

/* What `n_old` fields and the message's need; ret_n is their number. */
static size_t text_size(const struct track *track, const struct message *message, unsigned n_old,
                        unsigned *ret_n)
{
    size_t size = 0;
    unsigned n = n_old;

    for (unsigned i = 0; i < message->n_fields; i++)
        if (is_kept(track, &message->fields[i])) {
            size += message->fields[i].value.len;
            n++;
        }
    *ret_n = MIN(n, (unsigned)MESSAGE_FIELDS_MAX);
    return size + *ret_n * sizeof(struct field);
}

/* False: a context that has no room. It is left out whole, and nothing else is missing. */
static bool copy_field(struct arena *arena, const struct field *from, struct field *ret_field,
                       unsigned *flags)
{
    if (from->id < FIELD_PROTOCOL && from->value.len > arena->size - arena->used)
        return false;
    ret_field->id = from->id;
    ret_field->value = arena_copy(arena, from->value);
    if (ret_field->value.len < from->value.len)
        *flags |= MESSAGE_TRUNCATED;
    return true;
}

/* Adds the message's fields to those that the copy has. */
static void copy_fields(struct track *track, struct exchange *exchange,
                        const struct message *message, struct message_copy *copy)
{
    unsigned n_max, n = copy->n_fields;
    size_t size = text_size(track, message, n, &n_max);
    struct arena arena = {0};
    struct field *fields;

    if (n_max == n)
        return;
    if (exchange->n_texts < TEXTS_PER_EXCHANGE)
        arena = texts_take(&track->texts, size, &exchange->texts);
    fields = arena_alloc(&arena, n_max * sizeof(*fields));
    if (!fields) {
        copy->flags |= MESSAGE_TRUNCATED;
        return;
    }
    exchange->n_texts++;
    if (n)
        memcpy(fields, copy->fields, n * sizeof(*fields));
    for (unsigned i = 0; i < message->n_fields && n < n_max; i++)
        if (is_kept(track, &message->fields[i]))
            n += copy_field(&arena, &message->fields[i], &fields[n], &copy->flags);
    copy->fields = fields;
    copy->n_fields = n;
}

static void copy_message(struct track *track, struct exchange *exchange,
                         const struct message *message, struct message_copy *copy)
{
    copy->flags |= message->flags;
    copy->stream = message->stream;
    if (message->code)
        copy->code = message->code;
    copy_fields(track, exchange, message, copy);
}

void message_from_copy(const struct message_copy *copy, enum message_kind kind,
                       struct message *ret_message)
{
    ret_message->kind = kind;
    ret_message->flags = copy->flags;
    ret_message->stream = copy->stream;
    ret_message->code = copy->code;
    ret_message->head = BYTES_NULL;
    ret_message->n_fields = copy->n_fields;
    if (copy->n_fields)
        memcpy(ret_message->fields, copy->fields, copy->n_fields * sizeof(*copy->fields));
}

/* ---- the lists of open exchanges ------------------------------------------------------------- */

static void link_open(struct track *track, struct connection *connection,
                      struct exchange *exchange)
{
    exchange->connection = connection;
    exchange->suspect = connection->suspect;
    exchange->resumed = connection->streams[connection->client_dir].resumed;
    exchange->next = NULL;
    if (connection->last_open)
        connection->last_open->next = exchange;
    else
        connection->first_open = exchange;
    connection->last_open = exchange;
    if (connection->n_open++ == 0)
        connection_set_busy(track, connection, true);
    exchange->timer_ns = track->now_ns;
    list_append(track->exchanges.in_use > places_to_stay(&track->exchanges) ? &track->guests
                                                                            : &track->open,
                &exchange->open);
}

static void unlink_open(struct track *track, struct exchange *exchange)
{
    struct connection *connection = exchange->connection;
    struct exchange **slot = &connection->first_open, *previous = NULL;

    while (*slot != exchange) {
        previous = *slot;
        slot = &previous->next;
    }
    *slot = exchange->next;
    if (connection->last_open == exchange)
        connection->last_open = previous;
    if (--connection->n_open == 0)
        connection_set_busy(track, connection, false);
    for (int dir = DIR_IN; dir <= DIR_OUT; dir++)
        if (connection->streams[dir].current == exchange)
            connection->streams[dir].current = NULL;
    exchange->connection = NULL;
    list_remove(&exchange->open);
}

static struct exchange *find_open(const struct connection *connection, uint64_t stream)
{
    struct exchange *exchange = connection->first_open;

    while (exchange && stream && exchange->request.stream != stream)
        exchange = exchange->next;
    return exchange;
}

void exchange_doubt(struct track *track, struct connection *connection)
{
    for (struct exchange *exchange = connection->first_open; exchange; exchange = exchange->next) {
        exchange->uncertain = true;
        /* Nobody knows whether the rest of a long response will be seen: its time runs again. */
        if (exchange->has_response)
            list_move_to_end(&track->open, &exchange->open);
    }
}

/* ---- the end of an exchange ------------------------------------------------------------------ */

void exchange_finish(struct track *track, struct exchange *exchange, enum exchange_end end,
                     uint64_t end_ns, uint32_t tid)
{
    struct connection *connection = exchange->connection;

    unlink_open(track, exchange);
    exchange->end = end;
    exchange->end_ns = MAX(end_ns, exchange->start_ns);
    if (exchange->suspect && connection->suspect)
        trust_hold(track, connection, exchange);
    track->options.sink.end(track->options.sink.arg, exchange, tid);
}

void exchange_drop(struct track *track, struct exchange *exchange, enum counter cause)
{
    unlink_open(track, exchange);
    counters_add(track->counters, cause, 1);
    track->options.sink.drop(track->options.sink.arg, exchange);
    track_release(track, exchange);
}

void track_release(struct track *track, struct exchange *exchange)
{
    texts_give(&track->texts, &exchange->texts);
    pool_give(&track->exchanges, exchange);
}

/* ---- messages -------------------------------------------------------------------------------- */

static void read_context(struct track *track, const struct message *message, struct cause *cause)
{
    struct context_carrier carrier;
    unsigned n = 0, invalid;

    while (n < message->n_fields && message->fields[n].id >= FIELD_PROTOCOL)
        n++;
    if (n == message->n_fields)
        return;
    carrier = (struct context_carrier){0};
    for (; n < message->n_fields; n++)
        if (message->fields[n].id < FIELD_PROTOCOL)
            context_carrier_add(&carrier, message->fields[n].id, message->fields[n].value);
    cause->carried = context_read(&carrier, &cause->context, &invalid);
    cause->denied = !cause->carried && context_denies(&carrier);
    counters_add(track->counters, COUNTER_contexts_invalid, invalid);
}

/* From between the two ends, the server's side is told, whichever end the source took for it. */
static void fill_ends(struct exchange *exchange, const struct connection *connection,
                      enum direction dir)
{
    bool turned = connection->passive && connection->client_dir == DIR_OUT;

    exchange->local = turned ? connection->remote : connection->local;
    exchange->remote = turned ? connection->local : connection->remote;
    exchange->transport = connection->transport;
    exchange->tls = connection->tls;
    exchange->netns = connection->netns;
    exchange->has_endpoints = connection->has_facts;
    exchange->passive = connection->passive;
    exchange->serves = connection->passive || connection->client_dir == DIR_IN;
    exchange->exec = connection->passive ? endpoint_exec(&exchange->local)
                                         : connection->streams[dir].head_exec;
}

/*
 * The start of the stream against `dir`, the same at both ends: the one who connected counts its
 * SYN (docs/bpf.md), which shows where it receives what the other side sent unasked.
 */
static uint64_t other_start(const struct connection *connection, enum direction dir)
{
    bool counts_syn = dir == DIR_IN && connection->client_dir == DIR_OUT &&
                      connection->transport == TRANSPORT_TCP && !connection->passive;

    return connection->starts[!dir] + counts_syn;
}

static void fill_cause(struct exchange *exchange, const struct connection *connection,
                       enum direction dir)
{
    const struct stream *stream = &connection->streams[dir];
    bool sent = connection->passive ? dir != connection->client_dir : dir == DIR_OUT;

    exchange->cause = (struct cause){
        .kind = sent ? SPAN_KIND_CLIENT : SPAN_KIND_SERVER,
        .tgid = exchange->exec.tgid,
        .tid = exchange->exec.tid,
        .process_start_ns = exchange->exec.process_start_ns,
        .start_ns = stream->head_time_ns,
        .position = stream->head_position,
        .other_start = other_start(connection, dir),
        .on_wire = connection->has_starts,
    };
}

static void copy_name(struct track *track, const struct connection *connection,
                      struct exchange *exchange)
{
    struct arena arena;

    if (connection->name.len == 0)
        return;
    arena = texts_take(&track->texts, connection->name.len, &exchange->texts);
    exchange->name = arena_copy(&arena, connection->name);
    exchange->name_is_remote = connection->name_is_remote;
}

/*
 * The guest that has waited longest gives way, or where there is none, whoever has. Of requests
 * that are answered in order it is the next one of its connection; its response is no other's.
 */
static bool evict(struct track *track)
{
    const struct list *from = list_empty(&track->guests) ? &track->open : &track->guests;
    struct exchange *victim = container_of(from->next, struct exchange, open);

    if (list_empty(from))
        return false;
    if (victim->request.stream == 0) {
        victim = victim->connection->first_open;
        while (victim->has_response)
            victim = victim->next;
        victim->connection->n_stale++;
    }
    exchange_drop(track, victim, COUNTER_exchanges_evicted);
    return true;
}

struct exchange *exchange_take(struct track *track)
{
    struct exchange *exchange = pool_take(&track->exchanges);

    if (!exchange && evict(track))
        exchange = pool_take(&track->exchanges);
    if (exchange) {
        *exchange = (struct exchange){0};
        list_init(&exchange->open);
    }
    return exchange;
}

static struct exchange *open_exchange(struct track *track, struct connection *connection,
                                      enum direction dir, const struct message *message,
                                      struct bytes content)
{
    struct exchange *exchange = trust_request(track, connection);

    if (!exchange)
        exchange = exchange_take(track);
    if (!exchange)
        return NULL;
    exchange->protocol = connection->protocol;
    exchange->start_ns = connection->streams[dir].head_time_ns;
    copy_message(track, exchange, message, &exchange->request);
    fill_ends(exchange, connection, dir);
    copy_name(track, connection, exchange);
    if (connection->secure)
        exchange->request.flags |= MESSAGE_SECURE;
    fill_cause(exchange, connection, dir);
    read_context(track, message, &exchange->cause);
    content = bytes_slice(content, 0, EXCHANGE_CONTENT_MAX);
    exchange->content_seen = (uint32_t)content.len;
    exchange->content_left = EXCHANGE_CONTENT_MAX - exchange->content_seen;
    exchange->cause.head = message->head;
    exchange->cause.content = content;
    if (track->options.sink.begin(track->options.sink.arg, exchange))
        return exchange;
    track_release(track, exchange);
    return NULL;
}

/*
 * Two open requests alone prove no pipelining: the first one's response may be lost. Two in one
 * operation do, and so does a response that comes without a gap while a younger request is open.
 */
static void note_pipelining(struct connection *connection, const struct exchange *exchange)
{
    const struct exchange *last = connection->last_open;

    if (exchange->request.stream == 0 && last && last->start_ns == exchange->start_ns)
        connection->pipelined = true;
}

/* Its response came before it. */
static void answer_early(struct track *track, struct exchange *exchange)
{
    list_remove(&exchange->open);
    if (exchange->response_complete)
        exchange_finish(track, exchange, EXCHANGE_ANSWERED, exchange->end_ns, exchange->exec.tid);
}

/* What comes next in this direction is the beginning of a message. */
static void turn(struct stream *stream)
{
    stream->turned = stream->quiet;
    stream->quiet = false;
}

/* Nobody has answered yet, so it was sent again: the open request, or NULL. */
static struct exchange *find_repeated(const struct connection *connection,
                                      const struct message *message)
{
    if (connection_delivery(connection) == DELIVERY_STREAM || !message->stream)
        return NULL;
    return find_open(connection, message->stream);
}

static void take_request(struct track *track, struct connection *connection, enum direction dir,
                         const struct message *message, struct bytes content,
                         const struct event *event)
{
    struct exchange *exchange = find_repeated(connection, message);

    connection->streams[dir].current = NULL;
    if (exchange) {
        exchange->repeats++;
        counters_add(track->counters, COUNTER_requests_repeated, 1);
        return;
    }
    if (connection->n_open == OPEN_MAX) {
        connection_give_up(track, connection, CONNECTION_DESYNCHRONIZED, event);
        return;
    }
    counters_add(track->counters, COUNTER_exchanges, 1);
    if (message->stream) {
        connection->multiplexed = true;
        connection->suspect = false;
    }
    turn(&connection->streams[!dir]);
    exchange = open_exchange(track, connection, dir, message, content);
    connection->streams[dir].current = exchange;
    if (!exchange) {
        counters_add(track->counters, COUNTER_exchanges_evicted, 1);
        /* Whoever serves it may call others all the same. */
        track->options.sink.blind(track->options.sink.arg, event, false);
        return;
    }
    note_pipelining(connection, exchange);
    link_open(track, connection, exchange);
    if (exchange->has_response)
        answer_early(track, exchange);
}

static void take_response(struct track *track, struct connection *connection, enum direction dir,
                          const struct message *message)
{
    struct exchange *exchange = find_open(connection, message->stream);

    connection->streams[dir].current = NULL;
    if (message->flags & MESSAGE_INTERIM)
        return;
    if (connection->n_stale && message->stream == 0) {
        connection->n_stale--;
        exchange = NULL;
    } else if (message->stream == 0) {
        exchange = trust_response(track, connection, exchange);
    }
    if (!exchange) {
        counters_add(track->counters, COUNTER_responses_unpaired, 1);
        return;
    }
    if (connection->n_open > 1 && exchange->request.stream == 0)
        connection->pipelined = true;
    exchange->has_response = true;
    list_remove(&exchange->open); /* a long response is no time-out */
    copy_message(track, exchange, message, &exchange->response);
    connection->streams[dir].current = exchange;
}

/*
 * The exchange whose message goes on. What a server sends unasked may have come between the parts
 * of a response.
 */
static struct exchange *find_continued(const struct connection *connection, enum direction dir,
                                       uint64_t stream)
{
    struct exchange *current = connection->streams[dir].current, *first = connection->first_open;

    if (stream)
        return find_open(connection, stream);
    if (!current && dir != connection->client_dir && first && first->has_response)
        return first;
    return current;
}

static void take_part(struct track *track, struct connection *connection, enum direction dir,
                      const struct message *message)
{
    struct exchange *exchange = find_continued(connection, dir, message->stream);

    connection->streams[dir].current = exchange;
    if (!exchange)
        return;
    if (dir == connection->client_dir) {
        copy_message(track, exchange, message, &exchange->request);
    } else {
        exchange->has_response = !(exchange->request.flags & MESSAGE_ONE_WAY);
        copy_message(track, exchange, message, &exchange->response);
    }
}

void exchange_message(struct track *track, struct connection *connection, enum direction dir,
                      const struct message *message, struct bytes content,
                      const struct event *event)
{
    switch (message->kind) {
    case MESSAGE_REQUEST:
        take_request(track, connection, dir, message, content, event);
        break;
    case MESSAGE_RESPONSE:
        take_response(track, connection, dir, message);
        break;
    case MESSAGE_PART:
        take_part(track, connection, dir, message);
        break;
    }
}

void exchange_content(struct track *track, struct connection *connection, enum direction dir,
                      struct bytes content)
{
    struct exchange *exchange = connection->streams[dir].current;
    uint32_t seen;

    if (dir != connection->client_dir || !exchange || exchange->content_left == 0)
        return;
    seen = (uint32_t)MIN(content.len, (size_t)exchange->content_seen);
    exchange->content_seen -= seen;
    content = bytes_slice(content, seen, exchange->content_left);
    if (content.len == 0)
        return;
    exchange->content_left -= (uint32_t)content.len;
    track->options.sink.content(track->options.sink.arg, exchange, content);
}

void exchange_message_end(struct track *track, struct connection *connection, enum direction dir,
                          const struct event *event)
{
    struct exchange *exchange = connection->streams[dir].current;
    bool truncated;

    connection->streams[dir].current = NULL;
    if (!exchange)
        return;
    if (dir == connection->client_dir) {
        exchange->request_complete = true;
        /* Behind a loss, the rest of a body may have swallowed the request that came with it. */
        exchange->unprovable |= exchange->resumed && exchange->start_ns != event->time_ns;
        if (!(exchange->request.flags & (MESSAGE_ONE_WAY | MESSAGE_OVER)))
            return;
    }
    exchange->response_complete = dir != connection->client_dir;
    if (exchange == connection->early) {
        exchange->end_ns = event->time_ns;
        return;
    }
    truncated = (exchange->request.flags | exchange->response.flags) & MESSAGE_TRUNCATED;
    exchange_finish(track, exchange, truncated ? EXCHANGE_INCOMPLETE : EXCHANGE_ANSWERED,
                    event->time_ns, event->exec.tid);
}
