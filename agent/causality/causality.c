/* SPDX-License-Identifier: Apache-2.0 */
/* The fusing rule and the meeting of the two ends; the contracts stand in causality.h. */
#include "causality/causality.h"

#include "base/hash.h"
#include "base/macro.h"
#include "causality/ids.h"
#include "causality/process.h"
#include "causality/trace.h"

#include <errno.h>
#include <stdlib.h>

/* How long after a loss a single candidate proves nothing: the lost record may be another one. */
#define LOSS_SHADOW_NS UINT64_C(1000000000)

struct causality {
    struct counters *counters;
    struct process_models processes;
    struct pool traces;
    struct table wires; /* causes by exchange key: at most one of each kind */
    uint64_t silent_until_ns;
};

int causality_new(const struct causality_options *options, struct causality **ret_causality)
{
    struct causality *causality = calloc(1, sizeof(*causality));
    int r;

    if (!causality)
        return -ENOMEM;
    causality->counters = options->counters;
    r = process_models_init(&causality->processes, options->max_processes);
    if (r == 0)
        r = pool_init(&causality->traces, sizeof(struct trace), 2 * options->max_causes);
    if (r == 0)
        r = table_init(&causality->wires, options->max_causes);
    if (r < 0) {
        causality_free(causality);
        return r;
    }
    *ret_causality = causality;
    return 0;
}

void causality_free(struct causality *causality)
{
    if (!causality)
        return;
    process_models_done(&causality->processes);
    pool_done(&causality->traces);
    table_done(&causality->wires);
    free(causality);
}

struct bytes evidence_name(enum evidence evidence)
{
    static const char *const names[] = {"unknown", "header", "wire", "thread", "only"};

    _Static_assert(ELEMENTSOF(names) == EVIDENCE_COUNT, "a name for every evidence");
    return bytes_from_string(names[evidence]);
}

/* ---- the parent of a CLIENT cause ------------------------------------------------------------ */

/* The strongest class that names exactly one candidate; a tie within a class is unknown. */
static struct cause *find_parent(struct causality *causality, struct cause *cause)
{
    struct process_model *model =
        process_models_find(&causality->processes, cause->tgid, cause->process_start_ns);
    size_t n = model ? process_model_candidates(model, cause->key) : 0;
    struct cause *parent;

    if (n == 0)
        return NULL;
    cause->had_candidates = true;
    if (cause->start_ns < causality->silent_until_ns)
        return NULL;
    if (process_model_is_bound(model)) {
        parent = process_model_of_thread(model, cause->tid, cause->key);
        if (parent)
            cause->evidence = EVIDENCE_THREAD;
        /* A thread that serves nothing here calls for nobody: that only one is open proves nothing. */
        return parent;
    }
    if (n == 1 && !model->blind) {
        cause->evidence = EVIDENCE_ONLY;
        return process_model_oldest(model, cause->key);
    }
    counters_add(causality->counters, COUNTER_parents_tie, 1);
    return NULL;
}

static bool start_trace(struct causality *causality, struct cause *cause)
{
    struct trace_id id = ids_trace(cause->key);

    cause->trace = trace_new(&causality->traces, &id);
    return cause->trace;
}

/* Both ends of an exchange under a carried context are children of what it names. */
static bool adopt_context(struct causality *causality, struct cause *cause)
{
    cause->trace = trace_new(&causality->traces, &cause->context.trace_id);
    if (!cause->trace)
        return false;
    cause->trace->bound = true;
    cause->trace->flags = cause->context.flags;
    cause->parent_span_id = cause->context.span_id;
    cause->evidence = EVIDENCE_HEADER;
    return true;
}

static bool begin_client(struct causality *causality, struct cause *cause)
{
    struct cause *parent = find_parent(causality, cause);

    if (!parent)
        return start_trace(causality, cause);
    cause->trace = trace_ref(trace_root(parent->trace));
    cause->parent_span_id = parent->span_id;
    return true;
}

static void open_request(struct causality *causality, struct cause *cause)
{
    cause->process =
        process_models_get(&causality->processes, cause->tgid, cause->process_start_ns);
    if (cause->process)
        process_model_open(cause->process, cause);
}

/* ---- the meeting of the two ends ------------------------------------------------------------- */

static struct cause *find_other_end(struct causality *causality, const struct cause *cause)
{
    struct table_link *link = table_find(&causality->wires, cause->key);

    for (; link; link = table_next(link)) {
        struct cause *other = container_of(link, struct cause, wire);

        if (other->kind != cause->kind && !other->peer)
            return other;
    }
    return NULL;
}

static void join(struct causality *causality, struct cause *client, struct cause *server)
{
    client->peer = server;
    server->peer = client;
    if (server->start_ns < client->start_ns) {
        client->start_ns = server->start_ns;
        client->start_moved = true;
    }
    if (server->carried)
        return;
    if (!trace_join(server->trace, client->trace)) {
        counters_add(causality->counters, COUNTER_joins_late, 1);
        return;
    }
    server->parent_span_id = client->span_id;
    server->evidence = EVIDENCE_WIRE;
}

static void meet_other_end(struct causality *causality, struct cause *cause)
{
    struct cause *other;

    if (!cause->on_wire)
        return;
    other = find_other_end(causality, cause);
    table_insert(&causality->wires, cause->key, &cause->wire);
    if (!other)
        return;
    if (cause->kind == SPAN_KIND_CLIENT)
        join(causality, cause, other);
    else
        join(causality, other, cause);
}

/* ---- the life of a cause --------------------------------------------------------------------- */

static void reset(struct cause *cause)
{
    cause->key = cause->on_wire
                     ? ids_key(cause->position, cause->other_start)
                     : hash_pair(hash_pair(cause->tgid, cause->position), cause->start_ns);
    cause->evidence = EVIDENCE_NONE;
    cause->had_candidates = cause->start_moved = cause->clean = cause->ended = false;
    cause->span_id = ids_span(cause->key, cause->kind);
    cause->parent_span_id = (struct span_id){0};
    cause->trace = NULL;
    cause->peer = NULL;
    cause->process = NULL;
    list_init(&cause->open);
    cause->wire = (struct table_link){0};
}

bool causality_begin(struct causality *causality, struct cause *cause)
{
    bool ok;

    reset(cause);
    if (cause->carried)
        ok = adopt_context(causality, cause);
    else if (cause->kind == SPAN_KIND_CLIENT)
        ok = begin_client(causality, cause);
    else
        ok = start_trace(causality, cause);
    if (!ok)
        return false;
    if (cause->kind == SPAN_KIND_SERVER)
        open_request(causality, cause);
    meet_other_end(causality, cause);
    return true;
}

void causality_end(struct causality *causality, struct cause *cause, uint32_t tid)
{
    cause->ended = true;
    if (cause->process)
        process_model_close(cause->process, cause, true, tid);
    cause->process = NULL;
}

void causality_note_blind(struct causality *causality, uint32_t tgid, uint64_t process_start_ns)
{
    struct process_model *model =
        process_models_get(&causality->processes, tgid, process_start_ns);

    if (model)
        model->blind = true;
}

void causality_note_loss(struct causality *causality, uint64_t now_ns)
{
    causality->silent_until_ns = now_ns + LOSS_SHADOW_NS;
}

static void count_parent(struct causality *causality, const struct cause *cause)
{
    static const enum counter by_evidence[] = {
        [EVIDENCE_HEADER] = COUNTER_parents_header,
        [EVIDENCE_WIRE] = COUNTER_parents_wire,
        [EVIDENCE_THREAD] = COUNTER_parents_thread,
        [EVIDENCE_ONLY] = COUNTER_parents_only,
    };

    if (cause->evidence != EVIDENCE_NONE)
        counters_add(causality->counters, by_evidence[cause->evidence], 1);
    else if (cause->had_candidates)
        counters_add(causality->counters, COUNTER_parents_none, 1);
    if (cause->start_moved)
        counters_add(causality->counters, COUNTER_starts_moved, 1);
}

void causality_settle(struct causality *causality, struct cause *cause,
                      struct lineage *ret_lineage)
{
    struct trace *trace = trace_root(cause->trace);
    bool orphan = cause->kind == SPAN_KIND_SERVER && cause->on_wire &&
                  cause->evidence == EVIDENCE_NONE;
    bool linked = cause->kind == SPAN_KIND_SERVER && cause->carried && cause->peer;

    trace->bound = true;
    *ret_lineage = (struct lineage){
        .trace_id = trace->id,
        .span_id = cause->span_id,
        .parent_span_id = cause->parent_span_id,
        .flags = trace->flags,
        .evidence = cause->evidence,
        .parent_unknown = cause->evidence == EVIDENCE_NONE && cause->had_candidates,
        .start_ns = cause->start_ns,
        .start_moved = cause->start_moved,
    };
    if (orphan)
        ret_lineage->peer_span_id = ids_span(cause->key, SPAN_KIND_CLIENT);
    if (linked)
        ret_lineage->linked_span_id = cause->peer->span_id;
    count_parent(causality, cause);
}

void causality_release(struct causality *causality, struct cause *cause)
{
    if (cause->process)
        process_model_close(cause->process, cause, false, 0);
    if (cause->on_wire)
        table_remove(&causality->wires, &cause->wire);
    if (cause->peer)
        cause->peer->peer = NULL;
    trace_unref(&causality->traces, cause->trace);
}
