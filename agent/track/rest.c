/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections at rest: nothing is open, nothing is half read, and the parser is as it was at the
 * beginning. When such a one is evicted, a little of it is remembered, and when it is seen again at
 * exactly the positions that it had, it goes on as if nothing had been. More connections than the
 * table holds are then no loss, as long as they are idle in between.
 *
 * Where there is no place left the younger one is remembered. What closes meanwhile gives its place
 * back.
 */
#include "track/internal.h"

#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>

#define NEIGHBORS 64 /* where half of the places are taken, as many in a row never are */

struct rest {
    uint64_t next[2];
    const struct protocol *protocol;
    enum direction client_dir;
    enum selection selection;
    bool inbound, passive, has_starts;
    enum transport transport;
    struct endpoint local, remote;
    uint32_t netns;
    uint64_t starts[2];
};

struct rest_table {
    struct pool memory; /* one object, mapped and untouched until it is needed: */
    uint64_t *ids;      /* 0: nothing is remembered there */
    struct rest *rests;
    size_t n;
};

int rest_table_new(size_t n, struct rest_table **ret_table)
{
    struct rest_table *table = calloc(1, sizeof(*table));
    int r = -ENOMEM;

    n += NEIGHBORS;
    if (table)
        r = pool_init(&table->memory, n * (sizeof(struct rest) + sizeof(uint64_t)), 1);

    if (r < 0) {
        free(table);
        return r;
    }
    table->rests = pool_take(&table->memory);
    table->ids = (uint64_t *)(table->rests + n);
    table->n = n;
    *ret_table = table;
    return 0;
}

void rest_table_free(struct rest_table *table)
{
    if (!table)
        return;
    pool_done(&table->memory);
    free(table);
}

/*
 * Where this one is, or where it would go: one of a few neighbors, the first where all are taken.
 */
static size_t place_of(const struct rest_table *table, uint64_t id)
{
    size_t begin = hash_mix(id) % (table->n - NEIGHBORS), free_place = SIZE_MAX;

    for (size_t i = begin; i < begin + NEIGHBORS; i++) {
        if (table->ids[i] == id)
            return i;
        if (table->ids[i] == 0 && free_place == SIZE_MAX)
            free_place = i;
    }
    return free_place != SIZE_MAX ? free_place : begin;
}

static bool is_as_new(const struct connection *connection)
{
    const uint8_t *state = connection->parser_state;

    for (size_t i = 0; i < connection->protocol->traits.state_size; i++)
        if (state[i])
            return false;
    return true;
}

static bool is_still(const struct stream *stream)
{
    return stream->started && !stream->lost && !stream->window && !stream->skip && !stream->ends &&
           !stream->current;
}

static bool is_at_rest(const struct connection *connection)
{
    return connection->state == CONNECTION_KNOWN && connection->has_facts &&
           !connection->closed_ns &&
           connection->name.len == 0 && !transport_is_datagram(connection->transport) &&
           !connection->n_open && !connection->held && !connection->early && !connection->n_stale &&
           !connection->suspect && !connection->pipelined && !connection->multiplexed &&
           is_still(&connection->streams[DIR_IN]) && is_still(&connection->streams[DIR_OUT]) &&
           is_as_new(connection);
}

void rest_remember(struct track *track, const struct connection *connection)
{
    size_t place = place_of(track->rests, connection->id);

    if (!is_at_rest(connection))
        return;
    track->rests->ids[place] = connection->id;
    track->rests->rests[place] = (struct rest){
        .next = {connection->streams[DIR_IN].next, connection->streams[DIR_OUT].next},
        .protocol = connection->protocol,
        .client_dir = connection->client_dir,
        .selection = connection->selection,
        .inbound = connection->inbound,
        .passive = connection->passive,
        .has_starts = connection->has_starts,
        .transport = connection->transport,
        .local = connection->local,
        .remote = connection->remote,
        .netns = connection->netns,
        .starts = {connection->starts[DIR_IN], connection->starts[DIR_OUT]},
    };
}

bool rest_recall(struct track *track, struct connection *connection, const struct event *event)
{
    size_t place = place_of(track->rests, event->connection);
    const struct rest *rest = &track->rests->rests[place];

    if (track->rests->ids[place] != event->connection || event->connection == 0)
        return false;
    track->rests->ids[place] = 0;
    if (event->position != rest->next[event->dir])
        return false;
    connection->state = CONNECTION_KNOWN;
    connection_set_protocol(track, connection, rest->protocol);
    connection->client_dir = rest->client_dir;
    connection->selection = rest->selection;
    connection->inbound = rest->inbound;
    connection->has_facts = true;
    connection->passive = rest->passive;
    connection->has_starts = rest->has_starts;
    connection->transport = rest->transport;
    connection->local = rest->local;
    connection->remote = rest->remote;
    connection->netns = rest->netns;
    for (int dir = DIR_IN; dir <= DIR_OUT; dir++) {
        connection->starts[dir] = rest->starts[dir];
        connection->streams[dir].started = true;
        connection->streams[dir].next = rest->next[dir];
    }
    return true;
}

void rest_forget(struct track *track, uint64_t connection)
{
    size_t place = place_of(track->rests, connection);

    if (track->rests->ids[place] == connection)
        track->rests->ids[place] = 0;
}
