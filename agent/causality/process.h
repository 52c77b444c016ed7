/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has been learnt of a process: its open requests, and whether it is *thread-bound*, so that
 * "the same thread" proves something. Thread-bound: over the last BOUND_STREAK requests no thread
 * had two of them open at once, and each was answered by the thread that read it. One exception
 * ends it at once, and each one quadruples what it takes to learn it anew. Its *calls* are bound too,
 * if each of the last BOUND_STREAK was over, on the thread that began it, before that thread's open
 * request was answered or another one was read: where loops hand calls to each other, a call
 * outlives the request that its thread happens to serve. So does content that names another request
 * than the thread's speak against it, and a request without a call of its own thread, while another
 * one that serves requests called and had none open: for whom, if not for this one?
 *
 * A process may *hide* requests: it has connections whose requests are not seen, or a request went
 * out of sight without its answer (a time-out, a client that hung up) and may be served still.
 *
 * The open requests are found by a bounded search: a process with more than OPEN_SEARCH_MAX of them
 * is not thread-bound for as long as that lasts.
 */
#pragma once

#include "causality/causality.h"
#include "causality/tokens.h"
#include "causality/trace.h"

#define BOUND_STREAK 16u
#define STRIKES_MAX 3u                      /* 1,024 in a row at most */
#define OPEN_SEARCH_MAX 512
#define SERVED_MAX 8                        /* threads whose last request is remembered, */
#define SERVED_NS UINT64_C(1000000000)      /* for so long */
#define HIDDEN_NS UINT64_C(60000000000)     /* how long a request may be served out of sight */

/* The last request that a thread has answered. */
struct served {
    uint32_t tid;
    uint64_t end_ns;
    struct span_id span_id;
    struct trace *trace; /* a reference, or NULL: empty */
};

/* Good signs in a row, and how often such a row was broken. */
struct streak {
    unsigned n;
    unsigned strikes;
};

struct process_model {
    struct table_link link;
    struct list lru;
    uint32_t tgid;
    uint64_t start_ns;
    struct list open; /* SERVER causes, oldest first */
    size_t n_open;
    struct list calls; /* CLIENT causes that began while something was open, oldest first */
    size_t n_calls;
    struct streak requests_bound;
    struct streak calls_bound;
    uint64_t stray_ns; /* of the last call of a thread that serves, but had nothing open then */
    uint64_t hides_until_ns; /* requests may be open until then that are not known here */
    uint64_t salt; /* of its tokens */
    struct list spilled; /* token sets, see tokens.h */
    unsigned next_served;
    struct served served[SERVED_MAX];
    struct sketch sketch;
};

struct process_models {
    struct table table;
    struct pool pool;
    struct list lru;
    struct pool *traces;
};

/* `traces`: where the references of served requests go back to. */
int process_models_init(struct process_models *models, size_t max, struct pool *traces);
void process_models_done(struct process_models *models);

/* The model, made where it is new; NULL where all are in use with open requests. */
struct process_model *process_models_get(struct process_models *models, uint32_t tgid,
                                         uint64_t start_ns);
struct process_model *process_models_find(struct process_models *models, uint32_t tgid,
                                          uint64_t start_ns);

void process_model_open(struct process_model *model, struct cause *cause);

/*
 * `answered`: by `tid`; otherwise the request just goes out of sight, teaches nothing good, and may
 * be served still.
 */
void process_model_close(struct process_model *model, struct cause *cause, bool answered,
                         uint32_t tid, uint64_t now_ns);

/* A call begins, while something is open. */
void process_model_begin_call(struct process_model *model, struct cause *cause);

/* It ends; `answered`: its answer was read by `tid`. */
void process_model_end_call(struct process_model *model, struct cause *cause, bool answered,
                            uint32_t tid);

/* Content names another request than the thread does. */
void process_model_note_contradiction(struct process_model *model);

/* Remembers what the thread has served last. */
void process_model_note_served(struct process_models *models, struct process_model *model,
                               const struct cause *cause, uint32_t tid, uint64_t now_ns);

/* What this thread served last, if that is not long ago, or NULL. */
const struct served *process_model_last_served(const struct process_model *model, uint32_t tid,
                                               uint64_t now_ns);

/* A request may be served out of sight from `now_ns` on; UINT64_MAX: for good. */
void process_model_note_hidden(struct process_model *model, uint64_t now_ns);

bool process_model_is_bound(const struct process_model *model);

/* Thread-bound, and so are its calls. */
bool process_model_calls_are_bound(const struct process_model *model);

/* May there be open requests that are not known here? */
bool process_model_may_hide(const struct process_model *model, uint64_t now_ns);

/*
 * Candidates for the parent of a request that this process sends. `own_key` is that exchange's:
 * where a process calls itself, the other end of the call is not its cause.
 */

/* How many open requests there are to choose from: none, one, or 2 for more than one. */
size_t process_model_candidates(const struct process_model *model, uint64_t own_key);

/* The newest open request that this thread read, or NULL, and whether there is another one. */
struct cause *process_model_of_thread(const struct process_model *model, uint32_t tid,
                                      uint64_t own_key, bool *ret_another);

/* The oldest open request; there must be one. */
struct cause *process_model_oldest(const struct process_model *model, uint64_t own_key);
