/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share; nobody else includes it. */
#pragma once

#include "track/text.h"
#include "track/track.h"

#define WINDOW_SIZE 16384     /* bytes of one unfinished message head */
#define TEXTS_PER_EXCHANGE 8  /* messages and parts whose fields are kept */
#define OPEN_MAX 1024         /* requests that wait for their responses on one connection */
#define DETECT_OPERATIONS 32  /* after so many without a known protocol a connection is given up */

/* The unparsed bytes of one direction, from the start of a message on. */
struct window {
    struct list lru; /* in track->waiting, but while it is being parsed */
    struct connection *connection;
    enum direction dir;
    uint32_t len;
    uint8_t bytes[WINDOW_SIZE];
};

struct stream {
    bool started;
    bool lost;              /* behind a gap: a message start is being looked for, */
    bool quiet;             /* but not yet: until the next turn it can only be a body, */
    bool turned;            /* and now only at the beginning of the operation */
    bool resumed;           /* the message being read is the first one behind a loss */
    bool ends;              /* the message being read is complete when skip is 0 */
    uint64_t next;          /* position of the next byte to come */
    uint64_t last_ns;       /* time of the last operation */
    uint64_t skip;          /* bytes to pass over, or SKIP_UNTIL_CLOSE */
    struct window *window;  /* or NULL: nothing is pending */
    uint64_t head_position; /* where the message that is being read began, */
    uint64_t head_time_ns;  /* when, */
    struct exec_context head_exec; /* and by whom */
    struct exchange *current; /* the exchange whose message is being read */
};

enum connection_state {
    CONNECTION_DETECTING,
    CONNECTION_KNOWN,      /* `protocol` is set */
    CONNECTION_UNDETECTED, /* given up */
    CONNECTION_OPAQUE,     /* speaks something else behind an upgrade */
    CONNECTION_UNSELECTED,
    CONNECTION_DESYNCHRONIZED, /* a gap among pipelined requests: pairing is not trusted again */
};

/* What the bytes of one direction looked like. */
struct guess {
    const struct protocol *protocol;
    enum direction dir;
    bool client;
};

struct connection {
    struct table_link link;
    struct list lru;
    struct list closing; /* in track->closing once CLOSE was seen */
    uint64_t id;
    uint64_t closed_ns; /* 0: open */
    uint64_t closing_ns; /* the same by track->now_ns */
    enum connection_state state;
    enum selection selection;
    bool has_facts;
    bool has_starts;
    bool passive;       /* seen from between the two ends */
    bool hidden;        /* its process was told to have requests that are not seen */
    bool secure;        /* its bytes were encrypted on the way */
    bool inbound;       /* the first operation seen was a receive */
    bool from_start;    /* its first operation was seen */
    bool multiplexed;   /* messages have stream ids */
    size_t n_stale;     /* requests given up whose responses may still come, before all others */
    bool pipelined;     /* certainly: requests were sent before earlier ones were answered */
    unsigned detect_operations;
    struct guess guess;
    struct endpoint local;
    struct endpoint remote;
    enum transport transport;
    struct bytes name; /* of a UNIX socket or a TLS server, in `texts` */
    struct tls_facts tls;
    struct text_block *texts;
    bool name_is_remote;
    uint32_t netns;
    uint64_t starts[2];
    const struct protocol *protocol;
    enum direction client_dir; /* the direction in which the client's bytes go */
    struct stream streams[2];  /* by enum direction */
    struct exchange *first_open; /* oldest first */
    struct exchange *last_open;
    size_t n_open;
    enum direction last_dir; /* of the operation before */
    bool suspect; /* requests may wait for their responses unseen: see trust.c */
    unsigned n_in_turn; /* so many requests in a row have waited for the answer before, at most 16 */
    bool turned;  /* a request came behind the held ones, when nothing was open, */
    bool paused;  /* long after the last answer; */
    unsigned n_turns; /* before that, so many with their responses, */
    bool has_paused;  /* and such a pause among them */
    struct exchange *held; /* finished and unproven, oldest first */
    struct exchange *last_held;
    size_t n_held;
    struct exchange *early; /* a response whose request is still to come, or NULL */
    void *parser_state; /* the protocol's traits.state_size bytes, or NULL */
};

struct track {
    struct track_options options;
    struct counters *counters;
    struct table table;
    struct pool connections;
    struct pool *states; /* of parser states, one pool per protocol that has any */
    struct rest_table *rests;
    struct pool exchanges;
    struct texts texts;
    struct pool windows;
    struct arena scratch; /* the parsers', for one call */
    struct list lru;     /* connections, least recently used first */
    struct list closing; /* connections, by the time of their CLOSE */
    struct list open;    /* exchanges without a response, by age */
    struct list waiting; /* windows, the one that has waited longest first */
    uint64_t now_ns;     /* the time that time-outs go by; it never steps */
    struct list held;    /* exchanges whose response is unproven, by their end */
    size_t n_early;      /* exchanges in use that have no request yet */
    bool operation_counted; /* the operation in hand has its one counter */
};

/* Each operation gets exactly one counter; the first call decides. */
static inline void track_count_operation(struct track *track, enum counter id)
{
    if (!track->operation_counted)
        counters_add(track->counters, id, 1);
    track->operation_counted = true;
}

/*
 * Is this the first byte's position? An opener's own start counts its SYN and is one less
 * (docs/bpf.md).
 */
static inline bool connection_begins_at(const struct connection *connection, enum direction dir,
                                        uint64_t position)
{
    return connection->has_starts &&
           (position == connection->starts[dir] ||
            (dir == DIR_OUT && position == connection->starts[dir] + 1));
}

/* state.c: 0 or -ENOMEM; states_done(track) releases, also after a failure. */
int states_init(struct track *track);
void states_done(struct track *track);
/* From now on the connection speaks `protocol`, or nothing known (NULL): with a fresh state. */
void connection_set_protocol(struct track *track, struct connection *connection,
                             const struct protocol *protocol);

/* connection.c */
struct connection *connection_get(struct track *track, const struct event *event);
void connection_finish(struct track *track, struct connection *connection, uint64_t now_ns);
void connection_set_state(struct track *track, struct connection *connection,
                          enum connection_state state);
/* Requests that nobody sees may come in here: the side that speaks second may be the one asked. */
void connection_note_hidden(struct track *track, struct connection *connection,
                            const struct event *event);
/* For a state in which requests are not seen. */
void connection_give_up(struct track *track, struct connection *connection,
                        enum connection_state state, const struct event *event);
void connection_drop_exchanges(struct track *track, struct connection *connection,
                               enum counter cause);

/* stream.c: one DATA event of a selected connection whose protocol is known. */
void stream_feed(struct track *track, struct connection *connection, const struct event *event);
/* The message boundary is lost: forgets the unfinished message, and is quiet until a turn. */
void stream_forget(struct track *track, struct connection *connection, enum direction dir);
void stream_drop_window(struct track *track, struct stream *stream);

/* detect.c: true when the protocol is known from now on. */
bool detect(struct track *track, struct connection *connection, const struct event *event);

/* exchange.c */
struct exchange *exchange_take(struct track *track); /* an empty one, or NULL */
/* `content`: the beginning of the message's body, as far as it is there. */
void exchange_message(struct track *track, struct connection *connection, enum direction dir,
                      const struct message *message, struct bytes content,
                      const struct event *event);
/* Bytes of the body of the message that is being read in this direction. */
void exchange_content(struct track *track, struct connection *connection, enum direction dir,
                      struct bytes content);
/* The message being read in this direction is complete. */
void exchange_message_end(struct track *track, struct connection *connection, enum direction dir,
                          const struct event *event);
void exchange_finish(struct track *track, struct exchange *exchange, enum exchange_end end,
                     uint64_t end_ns, uint32_t tid);
/* Messages of the connection are missing: an open exchange may have ended unseen. */
void exchange_doubt(struct track *track, struct connection *connection);
void exchange_drop(struct track *track, struct exchange *exchange, enum counter cause);

/* rest.c */
struct rest_table;
int rest_table_new(size_t n, struct rest_table **ret_table);
void rest_table_free(struct rest_table *table); /* NULL is fine */
/* The connection is about to be evicted. */
void rest_remember(struct track *track, const struct connection *connection);
/*
 * A connection that is made for this event: was it evicted at rest, and is nothing missing since?
 */
bool rest_recall(struct track *track, struct connection *connection, const struct event *event);

/* window.c */
/* An empty window, if need be another connection's; NULL where there is none. */
struct window *window_take(struct track *track, struct connection *connection, enum direction dir);
void window_give(struct track *track, struct window *window); /* NULL is fine */

/* trust.c */
/* The responses to what is open may not be told apart any more: all of it ends here, incomplete. */
void trust_give_up_round(struct track *track, struct connection *connection);
/* An ended exchange of a suspect connection: holds it, or takes a response away that has no end. */
void trust_hold(struct track *track, struct connection *connection, struct exchange *exchange);
/* Messages may be missing from here on. */
void trust_lose(struct track *track, struct connection *connection);
/* The connection ends: nothing more will be proven. */
void trust_end(struct track *track, struct connection *connection);
void trust_advance(struct track *track, uint64_t now_ns);
/*
 * A request comes; it is not yet among the open ones. Returns the exchange of its early response.
 */
struct exchange *trust_request(struct track *track, struct connection *connection);
/*
 * A response begins and has met a request, or NULL. Returns the exchange that it belongs to, which
 * may be one that waits for its request; NULL: it belongs to none.
 */
struct exchange *trust_response(struct track *track, struct connection *connection,
                                struct exchange *request);
