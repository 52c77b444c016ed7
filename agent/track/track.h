/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From events to exchanges: connections, their two streams, the protocol that they speak, and the
 * pairing of requests with responses. Knows no clock, no kernel and no protocol by name.
 *
 *   event -> connection (table, LRU) -> stream of its direction: position, gap, skip, window
 *         -> detect once -> parse until MORE -> message -> exchange: begin ... end
 *
 * Memory: connections, windows and exchanges are pools of fixed size. Where they are full the least
 * recently used idle connection gives way, then whoever came when there was hardly any room; all of
 * it is counted.
 */
#pragma once

#include "causality/causality.h"
#include "policy/policy.h"
#include "protocols/protocol.h"
#include "span/event.h"

#define EXCHANGE_CONTENT_MAX 1024 /* bytes of a request's body that are looked at for evidence */

/* What is kept of a message until it is described. */
struct message_copy {
    unsigned flags; /* enum message_flags */
    int64_t code;
    uint64_t stream;
    unsigned n_fields;
    const struct field *fields; /* they and their values are in the exchange's texts */
};

enum exchange_end {
    EXCHANGE_ANSWERED,   /* request and response are complete */
    EXCHANGE_CLOSED,     /* the connection ended first */
    EXCHANGE_TIMED_OUT,
    EXCHANGE_UNFINISHED, /* the run ended first */
    EXCHANGE_INCOMPLETE, /* bytes are missing: the true end is not known */
};

struct connection;
struct text_block;

/* One request and its response as one end of a connection saw them. */
struct exchange {
    struct cause cause; /* kind, execution context, position */
    struct list open;   /* track's: the unanswered or held ones by age; then the sink's */
    struct exchange *next; /* track's: the next younger one on the connection, open or held */
    struct connection *connection; /* NULL once ended and not held */
    const struct protocol *protocol;
    struct endpoint local;
    struct endpoint remote;
    bool has_endpoints;
    bool passive; /* `local` is the server's end, and `exec` stands for what is behind it */
    enum transport transport;
    struct bytes name; /* UNIX: the peer's, or where it has none, the own; TLS: the server's */
    bool name_is_remote;
    struct tls_facts tls;
    bool serves; /* this end is the connection's server, whoever sent the request */
    uint32_t netns;
    struct exec_context exec; /* who handled the request's first bytes */
    uint64_t start_ns; /* first byte of the request */
    uint64_t end_ns;   /* last byte of the response */
    uint64_t finished_ns, waits_since_ns; /* the sink's */
    enum exchange_end end;
    bool has_response;
    bool request_complete;
    uint64_t timer_ns; /* track's: when it was opened, or held, by the time that never steps */
    bool response_complete;
    bool resumed; /* track's: the first request behind bytes that were passed over */
    bool suspect; /* track's: begun where requests may have gone by unseen, */
    bool unprovable; /* and so may others since then */
    bool held; /* the response may be another's: `confirm` follows */
    uint32_t content_seen; /* track's: bytes of the body that `begin` had already, */
    uint32_t content_left; /* and those still to be looked at */
    bool uncertain; /* a gap among other streams' messages may have hidden its end */
    uint32_t repeats; /* how often a datagram's request was sent again before it was answered */
    struct message_copy request;
    struct message_copy response;
    unsigned n_texts;
    struct text_block *texts;
};

/* Rebuilds the message for protocol->describe. */
void message_from_copy(const struct message_copy *copy, enum message_kind kind,
                       struct message *ret_message);

struct track_sink {
    /* Is this connection wanted? Asked with its first facts, and again on LATER. */
    enum selection (*select)(void *arg, const struct event *event);

    /* A request's head is known. False: there is no room, forget the exchange (counted). */
    bool (*begin)(void *arg, struct exchange *exchange);

    /* More of the request's body, valid in the call: EXCHANGE_CONTENT_MAX bytes in all. */
    void (*content)(void *arg, struct exchange *exchange, struct bytes content);

    /*
     * It is over; `tid` handled its last bytes. It is the sink's from here, or, where it is held,
     * from `confirm` until track_release.
     */
    void (*end)(void *arg, struct exchange *exchange, uint32_t tid);

    /* It was held; now its response is proven to be its own, or gone. */
    void (*confirm)(void *arg, struct exchange *exchange);

    /* It is lost (and counted): release what begin took. Track releases the exchange itself. */
    void (*drop)(void *arg, struct exchange *exchange);

    /* A request may have come in unseen with this event; `for_good`: and so may all that follow. */
    void (*blind)(void *arg, const struct event *event, bool for_good);

    void (*set_verdict)(void *arg, uint64_t connection, struct verdict verdict);
    void *arg;
};

struct track_options {
    size_t max_connections;
    size_t max_exchanges;
    size_t max_windows;
    uint64_t exchange_timeout_ns;
    uint64_t linger_ns; /* how long a closed connection may still deliver what was unread */
    uint32_t keep_contexts; /* bit per enum context_name: stays among a request's fields */
    struct counters *counters;
    struct track_sink sink;
};

struct track;

int track_new(const struct track_options *options, struct track **ret_track);
void track_free(struct track *track); /* NULL is fine; open exchanges are dropped uncounted */

/*
 * The time that time-outs go by: it goes on as the events' times do, but never steps. Told before
 * the events of that time.
 */
void track_set_time(struct track *track, uint64_t now_ns);

/* DATA and CLOSE events. False: of a connection outside the selection, or unknown. */
bool track_event(struct track *track, const struct event *event);

/* Time has passed, see track_set_time: time-outs, and closed connections that have lingered. */
void track_advance(struct track *track, uint64_t now_ns);

/* The end of the run: ends all exchanges, those that are open as UNFINISHED. */
void track_flush(struct track *track, uint64_t now_ns);

/* The sink is done with an exchange that it was given by `end`. */
void track_release(struct track *track, struct exchange *exchange);

size_t track_open_exchanges(const struct track *track);
