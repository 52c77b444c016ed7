/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a cause and the meeting of its two ends; the contracts stand in causality.h. */
#include "causality/causality.h"

#include "base/hash.h"
#include "base/macro.h"
#include "causality/evidence.h"
#include "causality/ids.h"
#include "causality/process.h"
#include "causality/tokens.h"
#include "causality/trace.h"

#include <errno.h>
#include <stdlib.h>

/* How long after a loss a single candidate proves nothing: the lost record may be another one. */
#define WIRE_CHAIN_MAX 16 /* causes with one key that are looked at */
#define LOSS_SHADOW_NS UINT64_C(1000000000)

struct causality {
    struct counters *counters;
    struct process_models processes;
    struct pool traces;
    struct token_index tokens;
    struct table wires; /* causes by exchange key: at most one of each kind */
    uint64_t silent_until_ns;
    uint64_t now_ns; /* the latest time that a call told */
};

/* A cause's own and the one that it links; and what the threads of each process have served. */
static size_t max_traces(const struct causality_options *options)
{
    return 3 * options->max_causes + SERVED_MAX * options->max_processes;
}

int causality_new(const struct causality_options *options, struct causality **ret_causality)
{
    struct causality *causality = calloc(1, sizeof(*causality));
    int r;

    if (!causality)
        return -ENOMEM;
    causality->counters = options->counters;
    r = process_models_init(&causality->processes, options->max_processes, &causality->traces);
    if (r == 0)
        r = pool_init(&causality->traces, sizeof(struct trace), max_traces(options));
    if (r == 0)
        r = token_index_init(&causality->tokens, options->max_causes);
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
    token_index_done(&causality->tokens);
    table_done(&causality->wires);
    free(causality);
}

struct bytes evidence_name(enum evidence evidence)
{
    static const char *const names[] = {"unknown", "header", "wire", "thread", "content", "only"};

    _Static_assert(ELEMENTSOF(names) == EVIDENCE_COUNT, "a name for every evidence");
    return bytes_from_string(names[evidence]);
}

/* ---- the parent of a CLIENT cause ------------------------------------------------------------ */

static struct inquiry inquire(const struct causality *causality, struct process_model *model,
                              const struct cause *cause)
{
    return (struct inquiry){.tokens = &causality->tokens, .model = model, .call = cause,
                            .texts = {cause->head, cause->content}};
}

/* What the thread answered just before, where that tells something: a link, never a parent. */
static void link_served(const struct process_model *model, struct cause *cause)
{
    const struct served *served =
        process_model_last_served(model, cause->tid, cause->start_ns);

    if (!served || !process_model_is_bound(model))
        return;
    cause->linked = trace_ref(trace_root(served->trace));
    cause->linked_span_id = served->span_id;
}

/* Of what the call's thread serves, whether or not that proves anything yet. */
static void note_served(struct process_model *model, struct cause *cause)
{
    bool another;
    struct cause *served = process_model_of_thread(model, cause->tid, cause->key, &another);

    if (!served && process_model_last_served(model, cause->tid, cause->start_ns))
        model->stray_ns = cause->start_ns;
    if (!served || another)
        return;
    served->has_called = true;
    cause->served = served->span_id;
}

static struct cause *find_parent(struct causality *causality, struct cause *cause)
{
    struct process_model *model =
        process_models_find(&causality->processes, cause->tgid, cause->process_start_ns);
    struct inquiry inquiry;
    struct finding found;

    if (!model)
        return NULL;
    note_served(model, cause);
    cause->process = model;
    process_model_begin_call(model, cause);
    inquiry = inquire(causality, model, cause);
    found = evidence_weigh(&inquiry);
    cause->had_candidates = process_model_candidates(model, cause->key) > 0;
    if (found.count == FOUND_NONE)
        link_served(model, cause);
    if (cause->start_ns < causality->silent_until_ns)
        return NULL;
    if (found.count == FOUND_ONE) {
        cause->evidence = found.evidence;
        return found.cause;
    }
    if (found.count == FOUND_TIE) {
        cause->tied = found.evidence;
        counters_add(causality->counters, COUNTER_parents_tie, 1);
    }
    return NULL;
}

static bool start_trace(struct causality *causality, struct cause *cause)
{
    struct trace_id id = ids_trace(cause->key);

    cause->trace = trace_new(&causality->traces, &id);
    if (cause->trace && cause->denied)
        cause->trace->flags &= (uint8_t)~CONTEXT_FLAG_SAMPLED;
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

static void learn_tokens(struct causality *causality, struct cause *cause, struct bytes text)
{
    struct process_model *model = cause->process;
    uint64_t tokens[TOKEN_READ_MAX];

    while (text.len && cause->tokens) {
        size_t n = tokens_read(&text, model->salt, cause->start_ns, tokens);

        for (size_t i = 0; i < n; i++) {
            sketch_add(&model->sketch, tokens[i], SKETCH_REQUEST);
            token_set_add(&causality->tokens, cause->tokens, &model->spilled, tokens[i]);
        }
    }
}

static void open_request(struct causality *causality, struct cause *cause)
{
    cause->process =
        process_models_get(&causality->processes, cause->tgid, cause->process_start_ns);
    if (!cause->process)
        return;
    process_model_open(cause->process, cause);
    cause->tokens = token_set_new(&causality->tokens, cause);
    learn_tokens(causality, cause, cause->head);
    learn_tokens(causality, cause, cause->content);
}

/* ---- the meeting of the two ends ------------------------------------------------------------- */

/* *ret_n: how many share the key, up to WIRE_CHAIN_MAX. */
static struct cause *find_other_end(struct causality *causality, const struct cause *cause,
                                    unsigned *ret_n)
{
    struct table_link *link = table_find(&causality->wires, cause->key);
    unsigned n = 0;

    for (; link && n < WIRE_CHAIN_MAX; link = table_next(link), n++) {
        struct cause *other = container_of(link, struct cause, wire);

        if (other->kind != cause->kind && !other->peer)
            return other;
    }
    *ret_n = n;
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
    if (server->carried) {
        server->linked_span_id = client->span_id; /* also when the client's end is gone first */
        return;
    }
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
    unsigned n = 0;

    if (!cause->on_wire)
        return;
    other = find_other_end(causality, cause, &n);
    if (n == WIRE_CHAIN_MAX)
        return; /* sequence numbers that somebody made alike: no end is found among so many */
    table_insert(&causality->wires, cause->key, &cause->wire);
    cause->wired = true;
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
    cause->evidence = cause->tied = EVIDENCE_NONE;
    cause->had_candidates = cause->start_moved = cause->ended = false;
    cause->clean = cause->has_called = false;
    cause->span_id = ids_span(cause->key, cause->kind);
    cause->parent_span_id = (struct span_id){0};
    cause->trace = NULL;
    cause->peer = NULL;
    cause->process = NULL;
    cause->tokens = NULL;
    cause->linked = NULL;
    cause->linked_span_id = cause->served = (struct span_id){0};
    list_init(&cause->open);
    cause->wire = (struct table_link){0};
    cause->wired = false;
}

/* Out of its process's lists. */
static void close_cause(struct causality *causality, struct cause *cause, bool answered,
                        uint32_t tid, uint64_t now_ns)
{
    if (!cause->process)
        return;
    if (cause->kind == SPAN_KIND_CLIENT)
        process_model_end_call(cause->process, cause, answered, tid);
    else
        process_model_close(cause->process, cause, answered, tid, now_ns);
    token_set_free(&causality->tokens, cause->tokens);
    cause->tokens = NULL;
    cause->process = NULL;
}

bool causality_begin(struct causality *causality, struct cause *cause)
{
    bool ok;

    reset(cause);
    causality->now_ns = MAX(causality->now_ns, cause->start_ns);
    if (cause->carried)
        ok = adopt_context(causality, cause);
    else if (cause->kind == SPAN_KIND_CLIENT && !cause->denied)
        ok = begin_client(causality, cause);
    else
        ok = start_trace(causality, cause);
    if (!ok) {
        close_cause(causality, cause, false, 0, causality->now_ns);
        trace_unref(&causality->traces, cause->linked);
        return false;
    }
    if (cause->kind == SPAN_KIND_SERVER)
        open_request(causality, cause);
    meet_other_end(causality, cause);
    cause->head = cause->content = BYTES_NULL;
    return true;
}

/* Only where the head left it open, or tied by a weaker class: what was said is not taken back. */
static void find_late_parent(struct causality *causality, struct cause *cause, struct bytes content)
{
    struct process_model *model =
        process_models_find(&causality->processes, cause->tgid, cause->process_start_ns);
    struct inquiry inquiry;
    struct finding found;

    if (!model || cause->denied || cause->evidence != EVIDENCE_NONE ||
        (cause->tied != EVIDENCE_NONE && cause->tied <= EVIDENCE_CONTENT) ||
        cause->start_ns < causality->silent_until_ns)
        return;
    inquiry = inquire(causality, model, cause);
    inquiry.texts[0] = content;
    inquiry.texts[1] = BYTES_NULL;
    found = evidence_of_content(&inquiry);
    if (found.count == FOUND_TIE)
        cause->tied = found.evidence;
    if (found.count != FOUND_ONE)
        return;
    if (!trace_join(cause->trace, found.cause->trace)) {
        counters_add(causality->counters, COUNTER_joins_late, 1);
        return;
    }
    cause->parent_span_id = found.cause->span_id;
    cause->evidence = found.evidence;
}

void causality_content(struct causality *causality, struct cause *cause, struct bytes content)
{
    if (cause->kind == SPAN_KIND_CLIENT)
        find_late_parent(causality, cause, content);
    else if (cause->process)
        learn_tokens(causality, cause, content);
}

void causality_end(struct causality *causality, struct cause *cause, bool answered, uint32_t tid,
                   uint64_t now_ns)
{
    cause->ended = true;
    causality->now_ns = MAX(causality->now_ns, now_ns);
    if (cause->process && cause->kind == SPAN_KIND_SERVER)
        process_model_note_served(&causality->processes, cause->process, cause,
                                  answered ? tid : cause->tid, now_ns);
    close_cause(causality, cause, answered, tid, now_ns);
}

void causality_note_blind(struct causality *causality, uint32_t tgid, uint64_t process_start_ns,
                          uint64_t now_ns)
{
    struct process_model *model =
        process_models_get(&causality->processes, tgid, process_start_ns);

    if (model)
        process_model_note_hidden(model, now_ns);
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
        [EVIDENCE_CONTENT] = COUNTER_parents_content,
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
    bool linked = cause->kind == SPAN_KIND_SERVER && !span_id_is_zero(&cause->linked_span_id);

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
    if (linked) {
        ret_lineage->linked_trace_id = trace->id;
        ret_lineage->linked_span_id = cause->linked_span_id;
    } else if (cause->linked && cause->evidence == EVIDENCE_NONE) {
        trace = trace_root(cause->linked);
        trace->bound = true;
        ret_lineage->linked_trace_id = trace->id;
        ret_lineage->linked_span_id = cause->linked_span_id;
    }
    count_parent(causality, cause);
}

void causality_withhold(struct causality *causality, struct cause *cause)
{
    struct cause *server = cause->kind == SPAN_KIND_CLIENT ? cause->peer : NULL;

    if (!server)
        return;
    server->linked_span_id = (struct span_id){0};
    if (server->evidence != EVIDENCE_WIRE)
        return;
    server->parent_span_id = (struct span_id){0};
    server->evidence = EVIDENCE_NONE;
}

void causality_release(struct causality *causality, struct cause *cause)
{
    close_cause(causality, cause, false, 0, causality->now_ns);
    trace_unref(&causality->traces, cause->linked);
    if (cause->wired)
        table_remove(&causality->wires, &cause->wire);
    if (cause->peer)
        cause->peer->peer = NULL;
    trace_unref(&causality->traces, cause->trace);
}
