/* SPDX-License-Identifier: Apache-2.0 */
/* The room's front: events in, time, and the end of the run; the contracts stand in track.h. */
#include "track/track.h"

#include "base/macro.h"
#include "track/internal.h"

#include <errno.h>

int track_new(const struct track_options *options, struct track **ret_track)
{
    struct track *track = calloc(1, sizeof(*track));
    int r;

    if (!track)
        return -ENOMEM;
    track->options = *options;
    track->counters = options->counters;
    list_init(&track->idle);
    list_init(&track->busy);
    list_init(&track->crowd);
    list_init(&track->closing);
    list_init(&track->open);
    list_init(&track->guests);
    list_init(&track->held);
    list_init(&track->waiting);
    r = table_init(&track->table, options->max_connections);
    if (r == 0)
        r = pool_init(&track->connections, sizeof(struct connection), options->max_connections);
    if (r == 0)
        r = states_init(track);
    if (r == 0)
        r = rest_table_new(4 * options->max_connections, &track->rests);
    if (r == 0)
        r = pool_init(&track->exchanges, sizeof(struct exchange), options->max_exchanges);
    if (r == 0)
        r = texts_init(&track->texts, options->max_exchanges);
    if (r == 0)
        r = pool_init(&track->windows, sizeof(struct window), options->max_windows);
    if (r == 0)
        r = arena_init(&track->scratch, SCRATCH_SIZE);
    if (r < 0) {
        track_free(track);
        return r;
    }
    *ret_track = track;
    return 0;
}

void track_free(struct track *track)
{
    if (!track)
        return;
    table_done(&track->table);
    pool_done(&track->connections);
    rest_table_free(track->rests);
    states_done(track);
    pool_done(&track->exchanges);
    texts_done(&track->texts);
    pool_done(&track->windows);
    arena_done(&track->scratch);
    free(track);
}

static bool take_data(struct track *track, struct connection *connection,
                      const struct event *event)
{
    static const enum counter by_state[] = {
        [CONNECTION_UNDETECTED] = COUNTER_operations_unknown_protocol,
        [CONNECTION_OPAQUE] = COUNTER_operations_opaque,
        [CONNECTION_UNSELECTED] = COUNTER_operations_unselected,
        [CONNECTION_DESYNCHRONIZED] = COUNTER_operations_desynchronized,
    };

    track->operation_counted = false;
    if (connection->state == CONNECTION_DETECTING && !detect(track, connection, event))
        ; /* not yet */
    else if (connection->state == CONNECTION_KNOWN)
        stream_feed(track, connection, event);
    else
        track_count_operation(track, by_state[connection->state]);
    connection->last_dir = event->dir;
    return connection->state != CONNECTION_UNSELECTED;
}

/* Unread data may still be read after the state has changed: the end waits a moment. */
static bool take_close(struct track *track, const struct event *event)
{
    struct table_link *link = table_find(&track->table, event->connection);
    struct connection *connection;

    if (!link) {
        rest_forget(track, event->connection);
        return false;
    }
    connection = container_of(link, struct connection, link);
    if (!connection->closed_ns) {
        connection->closed_ns = event->time_ns;
        connection->closing_ns = track->now_ns;
        list_append(&track->closing, &connection->closing);
    }
    return connection->state != CONNECTION_UNSELECTED;
}

void track_set_time(struct track *track, uint64_t now_ns)
{
    track->now_ns = now_ns;
}

bool track_event(struct track *track, const struct event *event)
{
    if (event->kind == EVENT_CLOSE)
        return take_close(track, event);
    return take_data(track, connection_get(track, event), event);
}

static void end_lingering(struct track *track, uint64_t now_ns)
{
    while (!list_empty(&track->closing)) {
        struct connection *connection =
            container_of(track->closing.next, struct connection, closing);

        if (now_ns - connection->closing_ns < track->options.linger_ns)
            return;
        connection_finish(track, connection, now_ns);
    }
}

static void end_unanswered(struct track *track, const struct list *unanswered, uint64_t now_ns)
{
    while (!list_empty(unanswered)) {
        struct exchange *exchange = container_of(unanswered->next, struct exchange, open);

        if (exchange->timer_ns + track->options.exchange_timeout_ns > now_ns)
            return;
        /* Its response may still come, and is no other's then. */
        if (exchange->request.stream == 0)
            exchange->connection->n_stale++;
        exchange_finish(track, exchange,
                        exchange->uncertain ? EXCHANGE_INCOMPLETE : EXCHANGE_TIMED_OUT,
                        exchange->start_ns + (now_ns - exchange->timer_ns), exchange->exec.tid);
    }
}

void track_advance(struct track *track, uint64_t now_ns)
{
    track->now_ns = now_ns;
    end_lingering(track, now_ns);
    end_unanswered(track, &track->open, now_ns);
    end_unanswered(track, &track->guests, now_ns);
    trust_advance(track, now_ns);
}

/* What others were caused by must not be missing: it is told as far as it was seen. */
static void end_unfinished(struct track *track, const struct list *connections, uint64_t now_ns)
{
    while (!list_empty(connections)) {
        struct connection *connection = container_of(connections->next, struct connection, use);
        struct exchange *exchange;

        trust_end(track, connection);
        /* With the last one the connection leaves the list. */
        while ((exchange = connection->first_open)) {
            counters_add(track->counters, COUNTER_exchanges_unfinished, 1);
            exchange_finish(track, exchange, EXCHANGE_UNFINISHED,
                            exchange->start_ns + (now_ns - exchange->timer_ns),
                            exchange->exec.tid);
        }
    }
}

void track_flush(struct track *track, uint64_t now_ns)
{
    track->options.linger_ns = 0;
    end_lingering(track, now_ns);
    end_unfinished(track, &track->busy, now_ns);
    end_unfinished(track, &track->crowd, now_ns);
    for (struct list *node = track->idle.next; node != &track->idle; node = node->next)
        trust_end(track, container_of(node, struct connection, use));
}

size_t track_open_exchanges(const struct track *track)
{
    return track->exchanges.in_use - track->n_early;
}
