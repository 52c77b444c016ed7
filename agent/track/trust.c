/* SPDX-License-Identifier: Apache-2.0 */
/*
 * May a response be the one of the request that it meets? First in, first out holds only as long as
 * nothing is missing. Behind a gap, and on a connection that was joined midway, a request may have
 * gone by unseen, and its response would be taken for the next one's:
 *
 *     requests    [1 lost]  2          3
 *     responses                1' (2')    3'       1' looks like the answer to 2
 *
 * So from there on the connection is *suspect* and its finished pairs are *held*, until turns prove
 * them right: a request comes when nothing is open, and the next bytes of the server begin its
 * response, with no response in between that has no request, and without a gap. Otherwise the held
 * exchanges lose their responses and are incomplete.
 *
 * Turns alone prove nothing of a client that always keeps two requests under way and sends one for
 * each answer: shifted by one it looks like one that waits. Either it has waited for its answers
 * before anything was lost, or one of the turns must come after a *pause*: both sides were silent
 * for so long that an answer under way would have come and been read.
 *
 * A response may also be *early*: another thread has read it before the sender's record was made.
 * Without a gap it belongs to the next request.
 */
#include "track/internal.h"

#include "base/macro.h"

/* So many turns: one may be pretended by two records that came in the wrong order. */
#define PROOF_TURNS 3u
#define PAUSE_NS UINT64_C(1000000000)
/* So many requests in a row have waited for the answers before them: the client takes turns. */
#define SHOWN_TURNS 16u
/* So many are held; a client that never lets a turn come proves nothing. */
#define HELD_MAX 64

static void strip_response(struct exchange *exchange)
{
    if (!exchange->has_response)
        return;
    exchange->has_response = false;
    exchange->end = EXCHANGE_INCOMPLETE;
    exchange->response = (struct message_copy){0};
}

static void release_held(struct track *track, struct connection *connection, bool proven)
{
    while (connection->held) {
        struct exchange *exchange = connection->held;

        connection->held = exchange->next;
        list_remove(&exchange->open);
        exchange->held = false;
        if (!proven)
            strip_response(exchange);
        track->options.sink.confirm(track->options.sink.arg, exchange);
    }
    connection->last_held = NULL;
    connection->n_held = 0;
    connection->n_turns = 0;
    connection->turned = connection->paused = connection->has_paused = false;
}

void trust_hold(struct track *track, struct connection *connection, struct exchange *exchange)
{
    if (!exchange->response_complete || exchange->unprovable ||
        (exchange->resumed && !exchange->request_complete)) {
        strip_response(exchange);
        return;
    }
    if (connection->n_held == HELD_MAX)
        release_held(track, connection, false);
    exchange->held = true;
    exchange->timer_ns = track->now_ns;
    exchange->connection = connection;
    exchange->next = NULL;
    if (connection->last_held)
        connection->last_held->next = exchange;
    else
        connection->held = exchange;
    connection->last_held = exchange;
    connection->n_held++;
    list_append(&track->held, &exchange->open);
}

static struct exchange *take_early(struct track *track, struct connection *connection)
{
    struct exchange *exchange = connection->early;

    track->n_early -= exchange != NULL;
    connection->early = NULL;
    return exchange;
}

void trust_end(struct track *track, struct connection *connection)
{
    struct exchange *early = take_early(track, connection);

    release_held(track, connection, false);
    if (!early)
        return;
    for (int dir = DIR_IN; dir <= DIR_OUT; dir++)
        if (connection->streams[dir].current == early)
            connection->streams[dir].current = NULL;
    track_release(track, early);
    counters_add(track->counters, COUNTER_responses_unpaired, 1);
}

void trust_lose(struct track *track, struct connection *connection)
{
    trust_end(track, connection);
    /* A request from before has its proof in front of the loss, or none. */
    for (struct exchange *exchange = connection->first_open; exchange; exchange = exchange->next)
        exchange->unprovable = exchange->suspect;
    connection->suspect = !connection->multiplexed;
}

void trust_advance(struct track *track, uint64_t now_ns)
{
    while (!list_empty(&track->held)) {
        struct exchange *exchange = container_of(track->held.next, struct exchange, open);

        if (exchange->timer_ns + track->options.exchange_timeout_ns > now_ns)
            return;
        release_held(track, exchange->connection, false);
    }
}

/*
 * Does this request come when nothing is open, and how long after the last answer? One that comes
 * otherwise, and not in one operation with the one before it, breaks the row of turns.
 */
static void note_turn(struct connection *connection)
{
    const struct exchange *last = connection->last_open;
    uint64_t begin_ns = connection->streams[connection->client_dir].head_time_ns,
             end_ns = connection->streams[!connection->client_dir].last_ns;
    bool waited = connection->n_open == 0 && !connection->early;

    if (!connection->suspect)
        connection->n_in_turn = waited ? MIN(connection->n_in_turn + 1, SHOWN_TURNS) : 0;
    connection->turned |= connection->held && connection->n_open == 0;
    connection->paused = connection->turned && begin_ns > end_ns + PAUSE_NS;
    if (last && last->start_ns != begin_ns) {
        connection->n_turns = 0;
        connection->turned = connection->paused = connection->has_paused = false;
    }
}

static bool is_proven(const struct connection *connection)
{
    return connection->n_turns >= PROOF_TURNS &&
           (connection->has_paused ||
            (connection->n_in_turn >= SHOWN_TURNS && !connection->pipelined));
}

struct exchange *trust_request(struct track *track, struct connection *connection)
{
    note_turn(connection);
    return take_early(track, connection);
}

/* Nobody knows which responses are still to come: until the next turn nothing is paired. */
static void lose_client(struct track *track, struct connection *connection)
{
    trust_lose(track, connection);
    if (!connection->streams[connection->client_dir].quiet)
        stream_forget(track, connection, connection->client_dir);
}

void trust_give_up_round(struct track *track, struct connection *connection)
{
    uint64_t now_ns = connection->streams[!connection->client_dir].last_ns;

    while (connection->first_open)
        exchange_finish(track, connection->first_open, EXCHANGE_INCOMPLETE, now_ns,
                        connection->first_open->exec.tid);
    lose_client(track, connection);
}

/* Will the request that comes next follow what was seen of the client, without a gap? */
static bool follows(const struct connection *connection)
{
    const struct stream *client = &connection->streams[connection->client_dir];

    return client->started ? !client->lost : connection->from_start;
}

/* A response without a request: an exchange that waits for it, or NULL, and trust is lost. */
static struct exchange *make_early(struct track *track, struct connection *connection)
{
    struct exchange *exchange = NULL;

    if (!connection->early && !connection->suspect && follows(connection))
        exchange = exchange_take(track);
    if (exchange) {
        connection->early = exchange;
        track->n_early++;
        return exchange;
    }
    lose_client(track, connection);
    return NULL;
}

/* A response that began before the request is another's, if it did not come early. */
static bool precedes(const struct connection *connection, const struct exchange *request)
{
    return (request->suspect || request->resumed) &&
           connection->streams[!connection->client_dir].head_time_ns < request->start_ns;
}

struct exchange *trust_response(struct track *track, struct connection *connection,
                                struct exchange *request)
{
    if (!request)
        return make_early(track, connection);
    if (precedes(connection, request)) {
        trust_give_up_round(track, connection);
        return NULL;
    }
    connection->n_turns += connection->turned;
    connection->has_paused |= connection->paused;
    connection->turned = connection->paused = false;
    if (connection->suspect && is_proven(connection)) {
        connection->suspect = false;
        release_held(track, connection, true);
    }
    return request;
}
