/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parser states: each protocol has a pool of its own, for they differ from nothing to kilobytes,
 * and a connection takes one only when its protocol is known. Pools touch what they hand out alone,
 * so ten thousand connections of a small protocol cost nothing for a large one.
 */
#include "track/internal.h"

#include <errno.h>
#include <stdlib.h>

static size_t count_protocols(void)
{
    size_t n = 0;

    while (protocols[n])
        n++;
    return n;
}

int states_init(struct track *track)
{
    size_t n = count_protocols();
    int r = 0;

    track->states = calloc(n ? n : 1, sizeof(*track->states));
    if (!track->states)
        return -ENOMEM;
    for (size_t i = 0; r == 0 && i < n; i++)
        if (protocols[i]->traits.state_size)
            r = pool_init(&track->states[i], protocols[i]->traits.state_size,
                          track->options.max_connections);
    return r;
}

void states_done(struct track *track)
{
    for (size_t i = 0; track->states && protocols[i]; i++)
        pool_done(&track->states[i]);
    free(track->states);
}

static struct pool *pool_of(struct track *track, const struct protocol *protocol)
{
    size_t i = 0;

    while (protocols[i] != protocol)
        i++;
    return &track->states[i];
}

/* Each pool has room for every connection: taking cannot fail. */
void connection_set_protocol(struct track *track, struct connection *connection,
                             const struct protocol *protocol)
{
    if (connection->parser_state)
        pool_give(pool_of(track, connection->protocol), connection->parser_state);
    connection->parser_state = NULL;
    connection->protocol = protocol;
    if (protocol && protocol->traits.state_size) {
        connection->parser_state = pool_take(pool_of(track, protocol));
        memset(connection->parser_state, 0, protocol->traits.state_size);
    }
}
