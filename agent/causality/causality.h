/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who caused this exchange? One object per exchange end seen here (a *cause*), one total order of
 * begin and end calls, and one rule that turns evidence into a parent.
 *
 *      client process               |            server process
 *   C: CLIENT cause  -- same wire key (position, start of the other direction) --  S: SERVER cause
 *      parent: R of its process     |            parent: C
 *
 * Where a CLIENT cause's parent R comes from, best first: *header* (the request carries a context),
 * *thread* (the thread that serves R sends, in a process that has shown itself thread-bound),
 * *content* (the call has a rare token of R, and of no other open request), *only* (R is the one
 * open request of a process that is not thread-bound and hides none). The rule that fuses them
 * stands in evidence.h: two candidates of one class are a tie, and a tie is unknown. A SERVER
 * cause's parent: *header*, or *wire* (its CLIENT end is known here).
 *
 * Ids are derived, never drawn: both ends, on any hosts, compute the same from what the connection
 * shows to both. Span ids are known at once; a trace id is bound at its first use
 * (causality_settle), because the other end's record may come later than this end's.
 */
#pragma once

#include "base/counters.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/table.h"
#include "span/context.h"

/* Strongest first. */
enum evidence { EVIDENCE_NONE, EVIDENCE_HEADER, EVIDENCE_WIRE, EVIDENCE_THREAD, EVIDENCE_CONTENT,
                EVIDENCE_ONLY, EVIDENCE_COUNT };

struct trace;
struct process_model;
struct token_set;

/* Embedded in an exchange. The caller sets the first group, causality the second. */
struct cause {
    enum span_kind kind; /* SERVER or CLIENT */
    uint32_t tgid;
    uint32_t tid;              /* who read (SERVER) or sent (CLIENT) the request's first bytes */
    uint64_t process_start_ns;
    uint64_t start_ns;
    uint64_t position;         /* of the request's first byte, as both ends see it */
    uint64_t other_start;      /* of the stream in the other direction */
    bool on_wire;              /* position and other_start are known: ids can be derived */
    bool carried;              /* `context` was read from the request, */
    bool denied;               /* or only that the trace it begins shall not be sampled */
    struct trace_context context;
    struct bytes head;         /* of the request, and what is known of its body: */
    struct bytes content;      /* looked at by causality_begin only */

    uint64_t key;              /* of the exchange, the same at both ends */
    enum evidence evidence;
    enum evidence tied;        /* no parent: the class that found more than one */
    bool had_candidates;       /* no parent, though something was open that may have been it */
    bool start_moved;
    struct span_id served;     /* CLIENT: the one open request of its thread when it began, or 0 */
    bool clean;                /* SERVER: its thread read no other request while it was open, */
    bool has_called;           /* and sent a call meanwhile */
    bool ended;
    struct span_id span_id;
    struct span_id parent_span_id; /* zero: none known */
    struct trace *trace;
    struct cause *peer;        /* the other end, while both are known */
    struct process_model *process;
    struct list open;          /* among its process's open requests, or calls */
    struct token_set *tokens;  /* SERVER: while it is open */
    struct trace *linked;      /* CLIENT: of the request that its thread served before, or NULL, */
    struct span_id linked_span_id; /* and its span; SERVER under a carried context: its client */
    bool wired;                /* `wire` is in the table */
    struct table_link wire;
};

struct causality;

struct causality_options {
    size_t max_causes;
    size_t max_processes;
    struct counters *counters;
};

int causality_new(const struct causality_options *options, struct causality **ret_causality);
void causality_free(struct causality *causality); /* NULL is fine */

/*
 * The request's head is known. False: no room (nothing is held, nothing to release). The cause must
 * stay where it is until causality_release.
 */
bool causality_begin(struct causality *causality, struct cause *cause);

/* More bytes of the request's body: evidence that comes after the head. */
void causality_content(struct causality *causality, struct cause *cause, struct bytes content);

/*
 * A SERVER cause is open until here. `answered`: the response is complete, sent or read by thread
 * `tid`; otherwise the exchange went out of sight, and its process may serve it still.
 */
void causality_end(struct causality *causality, struct cause *cause, bool answered, uint32_t tid,
                   uint64_t now_ns);

/*
 * A request may have come into this process unseen at `now_ns`, and be served for a minute;
 * UINT64_MAX: and so may others for good (a connection outside the selection, or one whose
 * protocol is not known). The only open request that is seen may not be the only one.
 */
void causality_note_blind(struct causality *causality, uint32_t tgid, uint64_t process_start_ns,
                          uint64_t now_ns);

/* Records were lost: for a while, what seems to be the only candidate may not be. */
void causality_note_loss(struct causality *causality, uint64_t now_ns);

/* What the span will say; from here on the trace id is fixed. */
struct lineage {
    struct trace_id trace_id;
    struct span_id span_id;
    struct span_id parent_span_id;
    uint8_t flags;
    enum evidence evidence;
    bool parent_unknown;        /* say so: there were candidates, or a tie */
    struct span_id peer_span_id; /* SERVER without parent: its client's derived id, or zero */
    struct trace_id linked_trace_id; /* SERVER under a carried context: its client; a CLIENT's */
    struct span_id linked_span_id;   /* parent: what its thread answered just before; or zero */
    uint64_t start_ns;          /* never after that of a child */
    bool start_moved;
};
void causality_settle(struct causality *causality, struct cause *cause,
                      struct lineage *ret_lineage);

/*
 * The span of this CLIENT cause is not exported: its SERVER end, if that is not settled yet, must
 * not name it as its parent.
 */
void causality_withhold(struct causality *causality, struct cause *cause);

/* The cause goes away, settled or not. */
void causality_release(struct causality *causality, struct cause *cause);

/* "header", "wire", "thread", "content", "only", or "unknown". */
struct bytes evidence_name(enum evidence evidence);
