/* SPDX-License-Identifier: Apache-2.0 */
/* The table of connections: made at the first event, evicted when full, finished behind a close. */
#include "track/internal.h"

#include "base/macro.h"

/* Few connections have a name, and with datagrams it comes each time. */
static void learn_name(struct track *track, struct connection *connection,
                       const struct socket_name *name)
{
    struct bytes text = bytes_make(name->bytes, name->len);
    struct arena arena;

    if (bytes_equal(connection->name, text))
        return;
    texts_give(&track->texts, &connection->texts);
    arena = texts_take(&track->texts, text.len, &connection->texts);
    connection->name = arena_copy(&arena, text);
}

static void learn_facts(struct track *track, struct connection *connection,
                        const struct connection_facts *facts)
{
    connection->has_facts = true;
    connection->has_starts = facts->has_starts;
    connection->passive = facts->passive;
    connection->secure = facts->secure;
    connection->tls = facts->tls;
    connection->local = facts->local;
    connection->remote = facts->remote;
    connection->transport = facts->transport;
    learn_name(track, connection, &facts->name);
    connection->name_is_remote = facts->name_is_remote;
    connection->netns = facts->netns;
    connection->starts[DIR_IN] = facts->starts[DIR_IN];
    connection->starts[DIR_OUT] = facts->starts[DIR_OUT];
}

static void set_verdict(struct track *track, uint64_t connection, enum verdict_kind kind,
                        uint32_t head)
{
    track->options.sink.set_verdict(track->options.sink.arg, connection,
                                    (struct verdict){kind, head});
}

static void release(struct track *track, struct connection *connection)
{
    texts_give(&track->texts, &connection->texts);
    stream_drop_window(track, &connection->streams[DIR_IN]);
    stream_drop_window(track, &connection->streams[DIR_OUT]);
    connection_set_protocol(track, connection, NULL);
    table_remove(&track->table, &connection->link);
    list_remove(&connection->use);
    list_remove(&connection->closing);
    pool_give(&track->connections, connection);
}

void connection_drop_exchanges(struct track *track, struct connection *connection,
                               enum counter cause)
{
    trust_end(track, connection);
    while (connection->first_open)
        exchange_drop(track, connection->first_open, cause);
}

void connection_set_busy(struct track *track, struct connection *connection, bool busy)
{
    bool crowded = track->n_busy >= places_to_stay(&track->connections);

    track->n_busy += busy ? 1 : (size_t)-1;
    list_move_to_end(!busy ? &track->idle : crowded ? &track->crowd : &track->busy,
                     &connection->use);
}

/* An idle one loses nothing where it is seen again; of the others those that came last give way. */
static struct connection *find_victim(const struct track *track)
{
    const struct list *from = !list_empty(&track->idle)    ? &track->idle
                              : !list_empty(&track->crowd) ? &track->crowd
                                                           : &track->busy;

    return container_of(from->next, struct connection, use);
}

static void evict(struct track *track)
{
    struct connection *victim = find_victim(track);

    rest_remember(track, victim);
    connection_drop_exchanges(track, victim, COUNTER_exchanges_evicted);
    counters_add(track->counters, COUNTER_connections_evicted, 1);
    release(track, victim);
}

static struct connection *make(struct track *track, const struct event *event)
{
    struct connection *connection = pool_take(&track->connections);

    if (!connection) {
        evict(track);
        connection = pool_take(&track->connections);
    }
    *connection = (struct connection){0};
    connection->id = event->connection;
    connection->last_dir = event->dir;
    list_init(&connection->use);
    list_init(&connection->closing);
    list_append(&track->idle, &connection->use);
    table_insert(&track->table, connection->id, &connection->link);
    counters_add(track->counters, COUNTER_connections, 1);
    if (rest_recall(track, connection, event))
        counters_add(track->counters, COUNTER_connections_recalled, 1);
    else if (!event->connection_facts) /* known to the kernel side, but no longer here */
        set_verdict(track, connection->id, VERDICT_DESCRIBE, 0);
    return connection;
}

static void select_connection(struct track *track, struct connection *connection,
                              const struct event *event)
{
    connection->selection = track->options.sink.select(track->options.sink.arg, event);
    connection->inbound = event->dir == DIR_IN;
    if (connection->selection == SELECTION_NO)
        connection_give_up(track, connection, CONNECTION_UNSELECTED, event);
}

struct connection *connection_get(struct track *track, const struct event *event)
{
    struct table_link *link = table_find(&track->table, event->connection);
    struct connection *connection =
        link ? container_of(link, struct connection, link) : make(track, event);

    if (connection->n_open == 0)
        list_move_to_end(&track->idle, &connection->use);
    if (event->connection_facts) {
        bool first = !connection->has_facts;

        learn_facts(track, connection, event->connection_facts);
        if (first) {
            connection->from_start = connection_begins_at(connection, event->dir, event->position);
            connection->suspect = !connection->from_start &&
                                  !transport_is_datagram(connection->transport);
            select_connection(track, connection, event);
        }
    }
    return connection;
}

void connection_set_state(struct track *track, struct connection *connection,
                          enum connection_state state)
{
    connection->state = state;
    switch (state) {
    case CONNECTION_DETECTING:
        return;
    case CONNECTION_KNOWN:
        if (connection->protocol->traits.capture_head)
            set_verdict(track, connection->id, VERDICT_HEAD,
                        (uint32_t)MIN(connection->protocol->traits.capture_head,
                                      (size_t)CAPTURE_HEAD_MAX));
        return;
    case CONNECTION_UNDETECTED:
        counters_add(track->counters, COUNTER_connections_undetected, 1);
        break;
    case CONNECTION_DESYNCHRONIZED:
        counters_add(track->counters, COUNTER_connections_desynchronized, 1);
        connection_drop_exchanges(track, connection, COUNTER_exchanges_desynchronized);
        break;
    case CONNECTION_OPAQUE:
    case CONNECTION_UNSELECTED:
        break;
    }
    stream_drop_window(track, &connection->streams[DIR_IN]);
    stream_drop_window(track, &connection->streams[DIR_OUT]);
    connection_set_protocol(track, connection, NULL);
    set_verdict(track, connection->id,
                state == CONNECTION_UNSELECTED ? VERDICT_IGNORE : VERDICT_GIVE_UP, 0);
}

void connection_note_hidden(struct track *track, struct connection *connection,
                            const struct event *event)
{
    if (!connection->inbound || connection->hidden)
        return;
    connection->hidden = true;
    track->options.sink.blind(track->options.sink.arg, event, true);
}

void connection_give_up(struct track *track, struct connection *connection,
                        enum connection_state state, const struct event *event)
{
    connection_note_hidden(track, connection, event);
    connection_set_state(track, connection, state);
}

/* How an exchange ends whose connection is closed, and when. */
static void finish_exchange(struct track *track, struct connection *connection,
                            struct exchange *exchange)
{
    struct stream *server = &connection->streams[!connection->client_dir];
    enum exchange_end end = EXCHANGE_CLOSED;
    uint64_t end_ns = connection->closed_ns;

    if (server->current == exchange && server->skip == SKIP_UNTIL_CLOSE) {
        end = EXCHANGE_ANSWERED;
        end_ns = server->last_ns;
    } else if (server->lost || exchange->uncertain) {
        end = EXCHANGE_INCOMPLETE;
    }
    exchange_finish(track, exchange, end, end_ns, exchange->exec.tid);
}

void connection_finish(struct track *track, struct connection *connection, uint64_t now_ns)
{
    if (!connection->closed_ns)
        connection->closed_ns = now_ns;
    while (connection->first_open)
        finish_exchange(track, connection, connection->first_open);
    trust_end(track, connection);
    counters_add(track->counters, COUNTER_connections_closed, 1);
    release(track, connection);
}
