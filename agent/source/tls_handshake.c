/* SPDX-License-Identifier: Apache-2.0 */
/* A small record per connection, and while its handshake goes on, the bytes of both directions. */
#include "source/tls_handshake.h"

#include "base/list.h"
#include "base/macro.h"
#include "base/pool.h"
#include "base/table.h"

#include <errno.h>

#define HANDSHAKE 22   /* RFC 8446, 5.1 */
#define AT_ONCE_MAX 512 /* handshakes in progress */

struct streams {
    struct list lru; /* in handshakes->busy */
    struct handshake *owner;
    struct tls_hello_stream of[2]; /* by enum direction */
};

struct handshake {
    struct table_link link;
    struct list lru;
    uint64_t connection;
    struct streams *streams; /* NULL: it is read */
    struct tls_hello hello;
};

struct tls_handshakes {
    struct counters *counters;
    struct table table;
    struct pool pool, streams;
    struct list lru, busy;
};

int tls_handshakes_new(size_t max_connections, struct counters *counters,
                       struct tls_handshakes **ret_handshakes)
{
    struct tls_handshakes *handshakes = calloc(1, sizeof(*handshakes));
    int r;

    if (!handshakes)
        return -ENOMEM;
    handshakes->counters = counters;
    list_init(&handshakes->lru);
    list_init(&handshakes->busy);
    r = table_init(&handshakes->table, max_connections);
    if (r == 0)
        r = pool_init(&handshakes->pool, sizeof(struct handshake), max_connections);
    if (r == 0)
        r = pool_init(&handshakes->streams, sizeof(struct streams), AT_ONCE_MAX);
    if (r < 0) {
        tls_handshakes_free(handshakes);
        return r;
    }
    *ret_handshakes = handshakes;
    return 0;
}

void tls_handshakes_free(struct tls_handshakes *handshakes)
{
    if (!handshakes)
        return;
    table_done(&handshakes->table);
    pool_done(&handshakes->pool);
    pool_done(&handshakes->streams);
    free(handshakes);
}

static struct handshake *find(struct tls_handshakes *handshakes, uint64_t connection)
{
    struct table_link *link =
        handshakes->table.n_members ? table_find(&handshakes->table, connection) : NULL;

    return link ? container_of(link, struct handshake, link) : NULL;
}

static void drop_streams(struct tls_handshakes *handshakes, struct handshake *handshake)
{
    if (!handshake->streams)
        return;
    list_remove(&handshake->streams->lru);
    pool_give(&handshakes->streams, handshake->streams);
    handshake->streams = NULL;
}

static void drop(struct tls_handshakes *handshakes, struct handshake *handshake)
{
    drop_streams(handshakes, handshake);
    table_remove(&handshakes->table, &handshake->link);
    list_remove(&handshake->lru);
    pool_give(&handshakes->pool, handshake);
}

static struct streams *take_streams(struct tls_handshakes *handshakes)
{
    struct streams *streams = pool_take(&handshakes->streams);

    if (streams)
        return streams;
    streams = container_of(handshakes->busy.next, struct streams, lru);
    drop_streams(handshakes, streams->owner);
    counters_add(handshakes->counters, COUNTER_tls_handshakes_evicted, 1);
    return pool_take(&handshakes->streams);
}

static struct handshake *make(struct tls_handshakes *handshakes, uint64_t connection)
{
    struct handshake *handshake = pool_take(&handshakes->pool);

    if (!handshake) {
        drop(handshakes, container_of(handshakes->lru.next, struct handshake, lru));
        handshake = pool_take(&handshakes->pool);
    }
    *handshake = (struct handshake){.connection = connection};
    list_append(&handshakes->lru, &handshake->lru);
    table_insert(&handshakes->table, connection, &handshake->link);
    handshake->streams = take_streams(handshakes);
    memset(handshake->streams, 0, sizeof(*handshake->streams));
    handshake->streams->owner = handshake;
    list_append(&handshakes->busy, &handshake->streams->lru);
    return handshake;
}

void tls_handshakes_take(struct tls_handshakes *handshakes, const struct event *event)
{
    struct handshake *handshake = find(handshakes, event->connection);
    struct streams *streams;

    if (!handshake && event->data.len && event->data.ptr[0] == HANDSHAKE)
        handshake = make(handshakes, event->connection);
    if (!handshake || !handshake->streams)
        return;
    streams = handshake->streams;
    tls_hello_feed(&streams->of[event->dir], event->position, event->data, &handshake->hello);
    if (streams->of[DIR_IN].done && streams->of[DIR_OUT].done)
        drop_streams(handshakes, handshake);
}

void tls_handshakes_tell(struct tls_handshakes *handshakes, uint64_t connection,
                         struct connection_facts *facts)
{
    struct handshake *handshake = find(handshakes, connection);

    if (!handshake)
        return;
    facts->tls = handshake->hello.facts;
    facts->name = handshake->hello.server_name;
}

void tls_handshakes_forget(struct tls_handshakes *handshakes, uint64_t connection)
{
    struct handshake *handshake = find(handshakes, connection);

    if (handshake)
        drop(handshakes, handshake);
}
