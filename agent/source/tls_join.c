/* SPDX-License-Identifier: Apache-2.0 */
/* TLS connections without clear text, sessions without a connection, and their votes. */
#include "source/tls_join.h"

#include "base/hash.h"
#include "base/list.h"
#include "base/macro.h"
#include "base/pool.h"
#include "base/table.h"

#include <errno.h>

#define JOIN_VOTES 3
#define FIRST_VOTES 2 /* what a session's first vote is worth at a connection's first operation */
#define MAJORITY 8    /* times the votes for any other one */
#define CANDIDATES_MAX 4      /* connections for which one session has votes */
#define THREADS 4096          /* remembered by hash: a collision forgets the older one */
#define PATIENCE_UNVOTED 32   /* operations without any vote until a connection is given up */
#define PATIENCE_VOTED 1024
#define HEADER_LEN 5          /* RFC 8446, 5.1: type, version, length */
#define RECORD_MAX 16384      /* clear bytes of one record */
#define RECORD_OVERHEAD_MIN 21 /* header and tag, and in 1.3 a type */

struct connection {
    struct table_link link;
    struct list lru;
    uint64_t id;
    uint64_t session; /* 0: not joined */
    uint32_t tgid;
    bool voted;
    bool told;   /* the core has the facts */
    bool closed; /* but what was unread may still be read */
    unsigned operations;
    bool begun[2]; /* by enum direction */
    uint64_t bases[2];
    struct connection_facts facts;
};

struct candidate {
    uint64_t connection;
    unsigned receives;
    unsigned sends;
};

struct session {
    struct table_link link;
    struct list lru;
    uint64_t id;
    uint64_t connection; /* 0: not joined */
    bool heard;          /* clear text went by before it was joined */
    struct candidate candidates[CANDIDATES_MAX];
};

/* What a thread did last. */
struct thread {
    uint32_t tgid, tid;
    uint64_t received; /* the connection, 0: nothing, or used */
    uint64_t called;   /* the session */
    uint64_t written;  /* clear bytes of it since the last send */
};

struct tls_join {
    struct tls_join_options options;
    struct table connections, sessions;
    struct pool connection_pool, session_pool;
    struct list connection_lru, session_lru;
    struct thread threads[THREADS];
};

/* ---- memory ---------------------------------------------------------------------------------- */

int tls_join_new(const struct tls_join_options *options, struct tls_join **ret_join)
{
    struct tls_join *join = calloc(1, sizeof(*join));
    int r;

    if (!join)
        return -ENOMEM;
    join->options = *options;
    list_init(&join->connection_lru);
    list_init(&join->session_lru);
    r = table_init(&join->connections, options->max_connections);
    if (r == 0)
        r = table_init(&join->sessions, options->max_sessions);
    if (r == 0)
        r = pool_init(&join->connection_pool, sizeof(struct connection), options->max_connections);
    if (r == 0)
        r = pool_init(&join->session_pool, sizeof(struct session), options->max_sessions);
    if (r < 0) {
        tls_join_free(join);
        return r;
    }
    *ret_join = join;
    return 0;
}

void tls_join_free(struct tls_join *join)
{
    if (!join)
        return;
    table_done(&join->connections);
    table_done(&join->sessions);
    pool_done(&join->connection_pool);
    pool_done(&join->session_pool);
    free(join);
}

static struct connection *find_connection(struct tls_join *join, uint64_t id)
{
    struct table_link *link =
        join->connections.n_members ? table_find(&join->connections, id) : NULL;

    return link ? container_of(link, struct connection, link) : NULL;
}

static struct session *find_session(struct tls_join *join, uint64_t id)
{
    struct table_link *link = table_find(&join->sessions, id);

    return link ? container_of(link, struct session, link) : NULL;
}

static void drop_connection(struct tls_join *join, struct connection *connection)
{
    struct session *session = find_session(join, connection->session);

    if (session) {
        session->connection = 0;
        memset(session->candidates, 0, sizeof(session->candidates));
    }
    table_remove(&join->connections, &connection->link);
    list_remove(&connection->lru);
    pool_give(&join->connection_pool, connection);
}

static void drop_session(struct tls_join *join, struct session *session)
{
    table_remove(&join->sessions, &session->link);
    list_remove(&session->lru);
    pool_give(&join->session_pool, session);
}

static struct connection *make_connection(struct tls_join *join, const struct event *event)
{
    struct connection *connection = pool_take(&join->connection_pool);

    if (!connection) {
        drop_connection(join, container_of(join->connection_lru.next, struct connection, lru));
        connection = pool_take(&join->connection_pool);
    }
    *connection = (struct connection){.id = event->connection, .tgid = event->exec.tgid,
                                      .facts = *event->connection_facts};
    connection->facts.secure = true;
    list_append(&join->connection_lru, &connection->lru);
    table_insert(&join->connections, connection->id, &connection->link);
    return connection;
}

static struct session *get_session(struct tls_join *join, uint64_t id)
{
    struct session *session = find_session(join, id);

    if (!session) {
        session = pool_take(&join->session_pool);
        if (!session) {
            drop_session(join, container_of(join->session_lru.next, struct session, lru));
            session = pool_take(&join->session_pool);
        }
        *session = (struct session){.id = id};
        list_init(&session->lru);
        table_insert(&join->sessions, id, &session->link);
    }
    list_move_to_end(&join->session_lru, &session->lru);
    return session;
}

static struct thread *get_thread(struct tls_join *join, const struct exec_context *exec)
{
    struct thread *thread = &join->threads[hash_pair(exec->tgid, exec->tid) & (THREADS - 1)];

    if (thread->tgid != exec->tgid || thread->tid != exec->tid)
        *thread = (struct thread){.tgid = exec->tgid, .tid = exec->tid};
    return thread;
}

/* ---- votes ----------------------------------------------------------------------------------- */

static unsigned votes_of(const struct candidate *candidate)
{
    return candidate->receives + candidate->sends;
}

static struct candidate *get_candidate(struct session *session, uint64_t connection)
{
    struct candidate *weakest = &session->candidates[0];

    for (size_t i = 0; i < CANDIDATES_MAX; i++) {
        struct candidate *candidate = &session->candidates[i];

        if (candidate->connection == connection)
            return candidate;
        if (votes_of(candidate) < votes_of(weakest))
            weakest = candidate;
    }
    *weakest = (struct candidate){.connection = connection};
    return weakest;
}

/* The most votes for another connection that is still to be had. */
static unsigned votes_against(struct tls_join *join, const struct session *session,
                              const struct candidate *candidate)
{
    unsigned most = 0;

    for (size_t i = 0; i < CANDIDATES_MAX; i++) {
        const struct candidate *other = &session->candidates[i];
        struct connection *connection = find_connection(join, other->connection);

        if (other != candidate && connection && !connection->session)
            most = MAX(most, votes_of(other));
    }
    return most;
}

static bool is_sure(struct tls_join *join, const struct session *session,
                    const struct candidate *candidate)
{
    unsigned against = votes_against(join, session, candidate);

    return candidate->receives && candidate->sends && votes_of(candidate) >= JOIN_VOTES &&
           votes_of(candidate) >= MAJORITY * against;
}

static bool has_votes(const struct session *session)
{
    for (size_t i = 0; i < CANDIDATES_MAX; i++)
        if (votes_of(&session->candidates[i]))
            return true;
    return false;
}

static void join_both(struct tls_join *join, struct session *session,
                      struct connection *connection)
{
    session->connection = connection->id;
    connection->session = session->id;
    connection->facts.has_starts &= !session->heard;
    join->options.set_verdict(join->options.arg, connection->id, FT_VERDICT_CIPHER_TEXT, 0);
    join->options.set_verdict(join->options.arg, session->id, FT_VERDICT_DEFAULT, 0);
    counters_add(join->options.counters, COUNTER_tls_sessions_joined, 1);
}

static void vote(struct tls_join *join, uint64_t session_id, uint64_t connection_id, bool send)
{
    struct session *session = find_session(join, session_id);
    struct connection *connection = find_connection(join, connection_id);
    struct candidate *candidate;
    unsigned weight;

    if (!session || !connection || session->connection || connection->session)
        return;
    weight = connection->operations == 1 && !has_votes(session) ? FIRST_VOTES : 1;
    connection->voted = true;
    candidate = get_candidate(session, connection_id);
    *(send ? &candidate->sends : &candidate->receives) += weight;
    if (is_sure(join, session, candidate))
        join_both(join, session, connection);
}

/* Can a send of this length carry the clear bytes? Handshake records may go with them. */
static bool can_carry(uint32_t length, uint64_t clear)
{
    uint64_t records = (clear + RECORD_MAX - 1) / RECORD_MAX;

    return length >= clear + records * RECORD_OVERHEAD_MIN;
}

/* ---- the socket's side ----------------------------------------------------------------------- */

static bool is_record_header(struct bytes data)
{
    return data.len >= HEADER_LEN && data.ptr[0] >= 20 && data.ptr[0] <= 24 && data.ptr[1] == 3 &&
           data.ptr[2] <= 4 && (data.ptr[3] << 8 | data.ptr[4]) <= RECORD_MAX + 2048;
}

/* The opener's own start counts its SYN and is one less. */
static bool begins_at(const struct connection_facts *facts, enum direction dir, uint64_t position)
{
    return position == facts->starts[dir] ||
           (dir == DIR_OUT && position == facts->starts[dir] + 1);
}

static void note_operation(struct tls_join *join, struct connection *connection,
                           const struct event *event)
{
    struct thread *thread = get_thread(join, &event->exec);

    connection->operations++;
    connection->tgid = event->exec.tgid;
    if (!connection->begun[event->dir]) {
        connection->begun[event->dir] = true;
        connection->bases[event->dir] = event->position;
        connection->facts.has_starts &=
            begins_at(&connection->facts, event->dir, event->position);
    }
    if (event->dir == DIR_IN) {
        thread->received = connection->id;
        return;
    }
    if (thread->called && can_carry(event->length, thread->written))
        vote(join, thread->called, connection->id, true);
    thread->called = 0;
    thread->written = 0;
}

static void report_untraceable(struct tls_join *join, const struct connection *connection)
{
    counters_add(join->options.counters, COUNTER_connections_tls_untraceable, 1);
    join->options.untraceable(join->options.arg, connection->tgid, connection->facts.comm);
}

/* True: the connection is left to the core, as one that it does not understand. */
static bool is_given_up(struct tls_join *join, struct connection *connection)
{
    unsigned patience = connection->voted ? PATIENCE_VOTED : PATIENCE_UNVOTED;

    if (connection->session || connection->closed || connection->operations < patience)
        return false;
    report_untraceable(join, connection);
    drop_connection(join, connection);
    return true;
}

static bool take_operation(struct tls_join *join, struct event *event)
{
    struct connection *connection = find_connection(join, event->connection);

    /* Datagrams may begin like a record by chance: with a number that is drawn. */
    if (!connection && event->connection_facts &&
        !transport_is_datagram(event->connection_facts->transport) &&
        is_record_header(event->data))
        connection = make_connection(join, event);
    if (!connection)
        return true;
    if (is_given_up(join, connection))
        return true;
    list_move_to_end(&join->connection_lru, &connection->lru);
    note_operation(join, connection, event);
    join->options.cipher_text(join->options.arg, event);
    counters_add(join->options.counters, COUNTER_operations_tls_unjoined, 1);
    return false;
}

static bool take_close(struct tls_join *join, struct event *event)
{
    struct connection *connection;
    struct session *session;

    if (event->connection & FT_SESSION_ID) {
        session = find_session(join, event->connection);
        if (session)
            drop_session(join, session);
        return false;
    }
    connection = find_connection(join, event->connection);
    /* OUT: the kernel side knows its session, and has the clear text. */
    if (connection && !connection->closed && !connection->session && event->dir == DIR_IN)
        report_untraceable(join, connection);
    if (connection)
        connection->closed = true;
    return true;
}

/* ---- the library's side ---------------------------------------------------------------------- */

static bool deliver_clear(struct tls_join *join, struct session *session,
                          struct connection *connection, struct event *event)
{
    list_move_to_end(&join->connection_lru, &connection->lru);
    if (!connection->begun[event->dir]) {
        connection->begun[event->dir] = true;
        connection->bases[event->dir] = connection->facts.starts[event->dir];
        connection->facts.has_starts = false;
    }
    event->connection = connection->id;
    event->position += connection->bases[event->dir];
    event->connection_facts = connection->told ? NULL : &connection->facts;
    connection->told = true;
    return true;
}

/* A call that moved clear text, or only went to and fro (kind CALL). */
static bool take_call(struct tls_join *join, enum ft_kind kind, struct event *event)
{
    struct session *session = get_session(join, event->connection);
    struct thread *thread = get_thread(join, &event->exec);
    struct connection *connection;

    if (!session->connection && thread->received) {
        vote(join, session->id, thread->received, false);
        thread->received = 0;
    }
    if (thread->called != session->id)
        thread->written = 0;
    thread->called = session->id;
    if (kind == FT_KIND_CALL)
        return false;
    if (event->dir == DIR_OUT)
        thread->written += event->length;
    connection = find_connection(join, session->connection);
    if (connection)
        return deliver_clear(join, session, connection, event);
    session->heard = true;
    counters_add(join->options.counters, COUNTER_operations_tls_unjoined, 1);
    return false;
}

bool tls_join_take(struct tls_join *join, enum ft_kind kind, struct event *event)
{
    struct connection *connection;

    if (kind == FT_KIND_DATA)
        return take_operation(join, event); /* an id of datagrams can look like a session's */
    if (kind == FT_KIND_CLOSE)
        return take_close(join, event);
    if (event->connection & FT_SESSION_ID)
        return take_call(join, kind, event);
    connection = find_connection(join, event->connection);
    if (connection)
        drop_connection(join, connection); /* the kernel side knows its session by now */
    return kind == FT_KIND_CLEAR;
}

bool tls_join_set_verdict(struct tls_join *join, uint64_t id, struct verdict verdict)
{
    struct connection *connection = find_connection(join, id);

    if (!connection || !connection->session)
        return false;
    if (verdict.kind == VERDICT_DESCRIBE)
        connection->told = false;
    else
        join->options.set_verdict(join->options.arg, connection->session,
                                  (enum ft_verdict_kind)verdict.kind, verdict.head);
    return true;
}
