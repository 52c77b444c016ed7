/* SPDX-License-Identifier: Apache-2.0 */
/* Process models; the contracts stand in process.h. */
#include "causality/process.h"

#include "base/hash.h"
#include "base/macro.h"

int process_models_init(struct process_models *models, size_t max, struct pool *traces)
{
    int r = pool_init(&models->pool, sizeof(struct process_model), max);

    models->traces = traces;
    list_init(&models->lru);
    return r < 0 ? r : table_init(&models->table, max);
}

void process_models_done(struct process_models *models)
{
    table_done(&models->table);
    pool_done(&models->pool);
}

struct process_model *process_models_find(struct process_models *models, uint32_t tgid,
                                          uint64_t start_ns)
{
    struct table_link *link = table_find(&models->table, hash_pair(tgid, start_ns));

    for (; link; link = table_next(link)) {
        struct process_model *model = container_of(link, struct process_model, link);

        if (model->tgid == tgid && model->start_ns == start_ns)
            return model;
    }
    return NULL;
}

static void forget_served(struct process_models *models, struct process_model *model)
{
    for (size_t i = 0; i < SERVED_MAX; i++)
        trace_unref(models->traces, model->served[i].trace);
}

/* The least recently used model without open requests, taken out of the table. */
static struct process_model *evict(struct process_models *models)
{
    for (struct list *node = models->lru.next; node != &models->lru; node = node->next) {
        struct process_model *model = container_of(node, struct process_model, lru);

        if (model->n_open == 0 && model->n_calls == 0) {
            table_remove(&models->table, &model->link);
            list_remove(&model->lru);
            forget_served(models, model);
            return model;
        }
    }
    return NULL;
}

struct process_model *process_models_get(struct process_models *models, uint32_t tgid,
                                         uint64_t start_ns)
{
    struct process_model *model = process_models_find(models, tgid, start_ns);

    if (model) {
        list_move_to_end(&models->lru, &model->lru);
        return model;
    }
    model = pool_take(&models->pool);
    if (!model)
        model = evict(models);
    if (!model)
        return NULL;
    *model = (struct process_model){
        .tgid = tgid, .start_ns = start_ns, .salt = hash_pair(start_ns, tgid)};
    list_init(&model->open);
    list_init(&model->calls);
    list_init(&model->spilled);
    list_init(&model->lru);
    list_append(&models->lru, &model->lru);
    table_insert(&models->table, hash_pair(tgid, start_ns), &model->link);
    return model;
}

struct cause *process_model_of_thread(const struct process_model *model, uint32_t tid,
                                      uint64_t own_key, bool *ret_another)
{
    struct cause *found = NULL;

    *ret_another = false;
    for (struct list *node = model->open.prev; node != &model->open; node = node->prev) {
        struct cause *cause = container_of(node, struct cause, open);

        if (cause->tid != tid || cause->key == own_key)
            continue;
        if (found) {
            *ret_another = true;
            break;
        }
        found = cause;
    }
    return found;
}

/* ---- thread-bound? --------------------------------------------------------------------------- */

static unsigned streak_needed(const struct streak *streak)
{
    return BOUND_STREAK << 2 * streak->strikes;
}

static bool streak_holds(const struct streak *streak)
{
    return streak->n >= streak_needed(streak);
}

/* After twice what it takes one strike is forgiven. */
static void streak_grow(struct streak *streak)
{
    if (streak->n < 2 * streak_needed(streak))
        streak->n++;
    else if (streak->strikes)
        streak->strikes--;
}

static void streak_break(struct streak *streak)
{
    streak->n = 0;
    streak->strikes = MIN(streak->strikes + 1, STRIKES_MAX);
}

/* A thread that waits for the answer to a call reads no request meanwhile, and answers none. */
static void note_not_waiting(struct process_model *model, uint32_t tid)
{
    unsigned n = 0;

    for (struct list *node = model->calls.prev; node != &model->calls && n < OPEN_SEARCH_MAX;
         node = node->prev, n++)
        if (container_of(node, struct cause, open)->tid == tid) {
            streak_break(&model->calls_bound);
            return;
        }
}

void process_model_note_contradiction(struct process_model *model)
{
    streak_break(&model->calls_bound);
}

void process_model_open(struct process_model *model, struct cause *cause)
{
    bool another;
    struct cause *same;

    note_not_waiting(model, cause->tid);

    cause->clean = model->n_open < OPEN_SEARCH_MAX;
    if (cause->clean) {
        same = process_model_of_thread(model, cause->tid, cause->key, &another);
        if (same)
            same->clean = cause->clean = false;
    }
    if (!cause->clean)
        streak_break(&model->requests_bound);
    list_append(&model->open, &cause->open);
    model->n_open++;
}

void process_model_note_hidden(struct process_model *model, uint64_t now_ns)
{
    uint64_t until_ns = now_ns > UINT64_MAX - HIDDEN_NS ? UINT64_MAX : now_ns + HIDDEN_NS;

    model->hides_until_ns = MAX(model->hides_until_ns, until_ns);
}

void process_model_close(struct process_model *model, struct cause *cause, bool answered,
                         uint32_t tid, uint64_t now_ns)
{
    list_remove(&cause->open);
    model->n_open--;
    if (answered)
        note_not_waiting(model, tid);
    if (answered && !cause->has_called && model->stray_ns > cause->start_ns)
        streak_break(&model->calls_bound);
    if (!answered || !cause->clean) /* which was struck when it was seen */
        model->requests_bound.n = 0;
    else if (tid == cause->tid)
        streak_grow(&model->requests_bound);
    else
        streak_break(&model->requests_bound);
    if (!answered)
        process_model_note_hidden(model, now_ns);
}

static bool is_open(const struct process_model *model, const struct span_id *id)
{
    for (const struct list *at = model->open.next; at != &model->open; at = at->next)
        if (span_id_equal(&container_of(at, struct cause, open)->span_id, id))
            return true;
    return false;
}

void process_model_begin_call(struct process_model *model, struct cause *cause)
{
    list_append(&model->calls, &cause->open);
    model->n_calls++;
}

void process_model_end_call(struct process_model *model, struct cause *cause, bool answered,
                            uint32_t tid)
{
    list_remove(&cause->open);
    model->n_calls--;
    if (!answered || span_id_is_zero(&cause->served))
        return;
    if (tid == cause->tid && model->n_open <= OPEN_SEARCH_MAX && is_open(model, &cause->served))
        streak_grow(&model->calls_bound);
    else
        streak_break(&model->calls_bound);
}

static struct served *find_served(struct process_model *model, uint32_t tid)
{
    for (size_t i = 0; i < SERVED_MAX; i++)
        if (model->served[i].trace && model->served[i].tid == tid)
            return &model->served[i];
    return &model->served[model->next_served++ % SERVED_MAX];
}

void process_model_note_served(struct process_models *models, struct process_model *model,
                               const struct cause *cause, uint32_t tid, uint64_t now_ns)
{
    struct served *served = find_served(model, tid);

    trace_unref(models->traces, served->trace);
    *served = (struct served){.tid = tid, .end_ns = now_ns, .span_id = cause->span_id,
                              .trace = trace_ref(trace_root(cause->trace))};
}

const struct served *process_model_last_served(const struct process_model *model, uint32_t tid,
                                               uint64_t now_ns)
{
    for (size_t i = 0; i < SERVED_MAX; i++) {
        const struct served *served = &model->served[i];

        if (served->trace && served->tid == tid && now_ns - served->end_ns < SERVED_NS)
            return served;
    }
    return NULL;
}

bool process_model_may_hide(const struct process_model *model, uint64_t now_ns)
{
    return now_ns < model->hides_until_ns;
}

bool process_model_is_bound(const struct process_model *model)
{
    return streak_holds(&model->requests_bound) && model->n_open <= OPEN_SEARCH_MAX;
}

bool process_model_calls_are_bound(const struct process_model *model)
{
    return process_model_is_bound(model) && streak_holds(&model->calls_bound);
}

size_t process_model_candidates(const struct process_model *model, uint64_t own_key)
{
    /* More than two are many: only none, one and a tie are told apart. */
    size_t n = 0;

    for (struct list *node = model->open.next; node != &model->open && n < 2; node = node->next)
        n += container_of(node, struct cause, open)->key != own_key;
    return n;
}

struct cause *process_model_oldest(const struct process_model *model, uint64_t own_key)
{
    struct cause *cause = container_of(model->open.next, struct cause, open);

    return cause->key != own_key ? cause : container_of(cause->open.next, struct cause, open);
}
