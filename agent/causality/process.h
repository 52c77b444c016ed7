/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has been learnt of a process: its open requests, and whether it is *thread-bound*, so that
 * "the same thread" proves something. Thread-bound: over the last BOUND_STREAK requests no thread
 * had two of them open at once, and each was answered by the thread that read it. One exception
 * ends it at once; it is learnt anew by as many requests.
 *
 * The open requests are found by a bounded search: a process with more than OPEN_SEARCH_MAX of them
 * is not thread-bound for as long as that lasts.
 */
#pragma once

#include "causality/causality.h"

#define BOUND_STREAK 8
#define OPEN_SEARCH_MAX 512

struct process_model {
    struct table_link link;
    struct list lru;
    uint32_t tgid;
    uint64_t start_ns;
    struct list open; /* SERVER causes, oldest first */
    size_t n_open;
    unsigned streak;
    bool blind; /* has connections whose requests are not seen */
};

struct process_models {
    struct table table;
    struct pool pool;
    struct list lru;
};

int process_models_init(struct process_models *models, size_t max);
void process_models_done(struct process_models *models);

/* The model, made where it is new; NULL where all are in use with open requests. */
struct process_model *process_models_get(struct process_models *models, uint32_t tgid,
                                         uint64_t start_ns);
struct process_model *process_models_find(struct process_models *models, uint32_t tgid,
                                          uint64_t start_ns);

void process_model_open(struct process_model *model, struct cause *cause);

/* `answered`: by `tid`; otherwise the request just goes away and teaches nothing good. */
void process_model_close(struct process_model *model, struct cause *cause, bool answered,
                         uint32_t tid);

bool process_model_is_bound(const struct process_model *model);

/*
 * Candidates for the parent of a request that this process sends. `own_key` is that exchange's:
 * where a process calls itself, the other end of the call is not its cause.
 */

/* How many open requests there are to choose from: none, one, or 2 for more than one. */
size_t process_model_candidates(const struct process_model *model, uint64_t own_key);

/* The one open request that this thread read; NULL where there is none or more than one. */
struct cause *process_model_of_thread(const struct process_model *model, uint32_t tid,
                                      uint64_t own_key);

/* The oldest open request; there must be one. */
struct cause *process_model_oldest(const struct process_model *model, uint64_t own_key);
