/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The windows, a pool that all connections share. When it is empty the one that has waited longest
 * is taken from its stream, so that connections that begin messages and never end them cost only
 * each other.
 */
#include "track/internal.h"

#include "base/macro.h"

/* The stream that loses its window does not know any more what it has begun to read. */
static void evict(struct track *track, struct window *window)
{
    struct connection *connection = window->connection;

    counters_add(track->counters, COUNTER_windows_evicted, 1);
    if (connection->state == CONNECTION_KNOWN) {
        trust_give_up_round(track, connection);
        stream_forget(track, connection, window->dir);
    } else {
        stream_drop_window(track, &connection->streams[window->dir]);
    }
}

/* The oldest one that is not of this connection, which is being worked on. */
static struct window *find_oldest(const struct track *track, const struct connection *connection)
{
    for (struct list *node = track->waiting.next; node != &track->waiting; node = node->next) {
        struct window *window = container_of(node, struct window, lru);

        if (window->connection != connection)
            return window;
    }
    return NULL;
}

struct window *window_take(struct track *track, struct connection *connection, enum direction dir)
{
    struct window *window = pool_take(&track->windows), *oldest;

    if (!window) {
        oldest = find_oldest(track, connection);
        if (oldest)
            evict(track, oldest);
        window = pool_take(&track->windows);
    }
    if (!window)
        return NULL;
    window->connection = connection;
    window->dir = dir;
    window->len = 0;
    list_init(&window->lru);
    list_append(&track->waiting, &window->lru);
    return window;
}

void window_give(struct track *track, struct window *window)
{
    if (!window)
        return;
    list_remove(&window->lru);
    pool_give(&track->windows, window);
}
