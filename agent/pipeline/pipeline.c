/* SPDX-License-Identifier: Apache-2.0 */
/* The core's loop body; the picture stands in pipeline.h. */
#include "pipeline/internal.h"

#include "otlp/otlp.h"
#include "pipeline/pipeline.h"
#include "span/semconv.h"

#include <errno.h>

/* ---- batches --------------------------------------------------------------------------------- */

static void seal(struct pipeline *pipeline)
{
    struct batch *batch;

    if (batch_builder_count(pipeline->batch) == 0)
        return;
    if (batch_builder_seal(pipeline->batch, &batch) < 0)
        return; /* no memory now: the spans stay in the builder for the next try */
    pipeline->options.take_batch(pipeline->options.arg, batch);
    batch_unref(batch);
}

static int add_to_batch(struct pipeline *pipeline, struct process *process)
{
    struct batch_origin origin = {.resource = processes_resource(&pipeline->processes, process)};

    return batch_builder_add(pipeline->batch, process->resource_key, &origin,
                             buffer_bytes(&pipeline->encoded));
}

static void batch_span(struct pipeline *pipeline, struct process *process)
{
    int r = add_to_batch(pipeline, process);

    if (r == -ENOBUFS) {
        seal(pipeline);
        r = add_to_batch(pipeline, process);
    }
    if (r < 0) {
        counters_add(pipeline->counters, COUNTER_exchanges_unencodable, 1);
        return;
    }
    counters_add(pipeline->counters, COUNTER_spans, 1);
    if (batch_builder_count(pipeline->batch) == 1)
        pipeline->batch_begun_ns = pipeline->now_ns;
    if (batch_builder_count(pipeline->batch) >= pipeline->options.settings->batch_spans)
        seal(pipeline);
}

/* ---- finished exchanges ---------------------------------------------------------------------- */

static struct policy_subject subject_of(const struct process *process,
                                        const struct endpoint *local,
                                        const struct endpoint *remote, uint32_t netns)
{
    return (struct policy_subject){
        .comm = bytes_make(process->comm, strnlen(process->comm, COMM_LEN)),
        .executable = process->facts.executable,
        .cgroup = process->facts.cgroup,
        .facts_known = process->described,
        .local_port = local->port,
        .remote_port = remote->port,
        .netns = netns,
    };
}

/* A connection was let in while its process was unknown: is it still wanted? */
static bool is_selected(const struct pipeline *pipeline, const struct exchange *exchange,
                        const struct process *process)
{
    struct policy_subject subject =
        subject_of(process, &exchange->local, &exchange->remote, exchange->netns);

    subject.facts_known = true;
    return policy_select(pipeline->policy, &subject) != SELECTION_NO;
}

static void release(struct pipeline *pipeline, struct exchange *exchange)
{
    list_remove(&exchange->open);
    causality_release(pipeline->causality, &exchange->cause);
    track_release(pipeline->track, exchange);
}

/* In a capture a server's name is what its clients call it; where they do not, its address. */
static void name_server(struct pipeline *pipeline, const struct exchange *exchange,
                        struct process *process, const struct span *span)
{
    const struct attribute *server = span_find(span, SEMCONV_SERVER_ADDRESS);
    struct bytes answer = told_name(&pipeline->told, exchange->local.address);

    if (server && !is_address(server->text))
        processes_name(process, server->text, NAME_REQUEST);
    else if (answer.len)
        processes_name(process, answer, NAME_ANSWER);
    else
        processes_name(process, endpoint_text(&exchange->local, &pipeline->span_text),
                       NAME_ADDRESS);
    told_learn(&pipeline->told, span);
}

/* A service has so many names; its other spans are called by what does not vary. */
static void limit_name(struct pipeline *pipeline, struct process *process, struct span *span)
{
    uint64_t service;

    if (span->plain_name.len == 0 || bytes_equal(span->name, span->plain_name))
        return;
    service = processes_service(&pipeline->processes, process);
    if (names_admit(&pipeline->names, service, span->name))
        return;
    span->name = span->plain_name;
    counters_add(pipeline->counters, COUNTER_names_limited, 1);
}

/* What was added last is left out first: what people look for comes before what explains it. */
static void limit_attributes(struct pipeline *pipeline, struct span *span)
{
    const struct settings *settings = pipeline->options.settings;

    span->max_attributes = (unsigned)settings->span_attributes;
    span->max_text = settings->span_value_length;
    if (span->n_attributes > span->max_attributes) {
        span->dropped_attributes += span->n_attributes - span->max_attributes;
        span->n_attributes = span->max_attributes;
    }
}

static void export_span(struct pipeline *pipeline, struct process *process, struct span *span)
{
    int r;

    if (!(span->flags & CONTEXT_FLAG_SAMPLED) && !pipeline->options.settings->export_unsampled) {
        counters_add(pipeline->counters, COUNTER_exchanges_unsampled, 1);
        return;
    }
    limit_name(pipeline, process, span);
    limit_attributes(pipeline, span);
    buffer_reset(&pipeline->encoded);
    r = otlp_encode_span(span, &pipeline->encoded);
    if (r < 0) {
        counters_add(pipeline->counters, COUNTER_exchanges_unencodable, 1);
        return;
    }
    counters_add(pipeline->counters, COUNTER_attributes_dropped,
                 span->dropped_attributes + (unsigned)r);
    batch_span(pipeline, process);
}

/* No span names a parent that is not wanted and so will never be there. */
static void withhold_parent(struct pipeline *pipeline, const struct exchange *exchange)
{
    struct exchange *client = other_end(exchange);

    if (client && !is_selected(pipeline, client,
                               processes_get(&pipeline->processes, &client->exec, NULL)))
        causality_withhold(pipeline->causality, &client->cause);
}

void finish_exchange(struct pipeline *pipeline, struct exchange *exchange)
{
    struct process *process = processes_get(&pipeline->processes, &exchange->exec, NULL);
    struct span span;

    if (is_selected(pipeline, exchange, process)) {
        withhold_parent(pipeline, exchange);
        make_span(pipeline, exchange, &span);
        if (exchange->passive)
            name_server(pipeline, exchange, process, &span);
        export_span(pipeline, process, &span);
    } else {
        causality_withhold(pipeline->causality, &exchange->cause);
        counters_add(pipeline->counters, COUNTER_exchanges_unselected, 1);
    }
    release(pipeline, exchange);
}

/* ---- what track tells ------------------------------------------------------------------------ */

static enum selection on_select(void *arg, const struct event *event)
{
    struct pipeline *pipeline = arg;
    const struct connection_facts *facts = event->connection_facts;
    struct process *process = processes_get(&pipeline->processes, &event->exec, facts->comm);
    struct policy_subject subject =
        subject_of(process, &facts->local, &facts->remote, facts->netns);

    return policy_select(pipeline->policy, &subject);
}

static bool on_begin(void *arg, struct exchange *exchange)
{
    struct pipeline *pipeline = arg;

    return causality_begin(pipeline->causality, &exchange->cause);
}

static void on_confirm(void *arg, struct exchange *exchange)
{
    struct pipeline *pipeline = arg;

    linger(pipeline, exchange);
}

static void on_end(void *arg, struct exchange *exchange, uint32_t tid)
{
    struct pipeline *pipeline = arg;

    causality_end(pipeline->causality, &exchange->cause, exchange->response_complete, tid,
                  pipeline->event_ns);
    if (!exchange->held)
        on_confirm(arg, exchange);
}

static void on_content(void *arg, struct exchange *exchange, struct bytes content)
{
    struct pipeline *pipeline = arg;

    causality_content(pipeline->causality, &exchange->cause, content);
}

static void on_drop(void *arg, struct exchange *exchange)
{
    struct pipeline *pipeline = arg;

    causality_release(pipeline->causality, &exchange->cause);
}

static void on_blind(void *arg, const struct event *event, bool for_good)
{
    struct pipeline *pipeline = arg;

    causality_note_blind(pipeline->causality, event->exec.tgid, event->exec.process_start_ns,
                         for_good ? UINT64_MAX : event->time_ns);
}

static void on_verdict(void *arg, uint64_t connection, struct verdict verdict)
{
    struct pipeline *pipeline = arg;

    pipeline->options.set_verdict(pipeline->options.arg, connection, verdict);
}

/* ---- events ---------------------------------------------------------------------------------- */

static void advance(struct pipeline *pipeline)
{
    const struct settings *settings = pipeline->options.settings;

    if (pipeline->now_ns - pipeline->advanced_ns < ADVANCE_NS)
        return;
    pipeline->advanced_ns = pipeline->now_ns;
    track_advance(pipeline->track, pipeline->now_ns);
    linger_advance(pipeline);
    if (batch_builder_count(pipeline->batch) &&
        pipeline->now_ns - pipeline->batch_begun_ns >= settings->batch_age)
        seal(pipeline);
}

/*
 * Time-outs go by a time that never steps: backward steps of the clock are left out, and forward
 * ones that are longer than the pauses between events while something is open.
 */
static void tell_time(struct pipeline *pipeline, uint64_t time_ns)
{
    int64_t passed = (int64_t)(time_ns - pipeline->event_ns);

    if (passed < 0 && passed > -CPU_SKEW_NS)
        return;
    if (pipeline->event_ns == 0)
        pipeline->now_ns = time_ns;
    else if (passed > 0 && (passed < CLOCK_STEP_NS || pipeline_is_idle(pipeline)))
        pipeline->now_ns += (uint64_t)passed;
    pipeline->event_ns = time_ns;
    track_set_time(pipeline->track, pipeline->now_ns);
}

bool pipeline_event(struct pipeline *pipeline, const struct event *event)
{
    bool wanted = true;

    tell_time(pipeline, event->time_ns);
    switch (event->kind) {
    case EVENT_DATA:
        if (event->connection_facts)
            processes_get(&pipeline->processes, &event->exec, event->connection_facts->comm);
        wanted = track_event(pipeline->track, event);
        break;
    case EVENT_CLOSE:
        wanted = track_event(pipeline->track, event);
        break;
    case EVENT_PROCESS:
        processes_describe(&pipeline->processes, event);
        break;
    case EVENT_HOST:
        processes_set_host(&pipeline->processes, event->host_facts);
        break;
    case EVENT_LOSS:
        causality_note_loss(pipeline->causality, pipeline->event_ns);
        break;
    case EVENT_TICK:
        linger_tick(pipeline);
        break;
    case EVENT_COUNT:
        break;
    }
    advance(pipeline);
    return wanted;
}

void pipeline_flush(struct pipeline *pipeline)
{
    track_flush(pipeline->track, pipeline->now_ns);
    linger_flush(pipeline);
    seal(pipeline);
}

bool pipeline_is_idle(const struct pipeline *pipeline)
{
    return list_empty(&pipeline->lingering) && list_empty(&pipeline->undescribed) &&
           batch_builder_count(pipeline->batch) == 0 &&
           track_open_exchanges(pipeline->track) == 0;
}

size_t pipeline_open_exchanges(const struct pipeline *pipeline)
{
    return track_open_exchanges(pipeline->track);
}

/* ---- making and freeing ---------------------------------------------------------------------- */

static int make_rooms(struct pipeline *pipeline, const struct settings *settings)
{
    struct causality_options causality = {
        .max_causes = settings->max_exchanges,
        .max_processes = settings->max_processes,
        .counters = pipeline->counters,
    };
    struct track_options track = {
        .max_connections = settings->max_connections,
        .max_exchanges = settings->max_exchanges,
        .max_windows = settings->max_windows,
        .exchange_timeout_ns = settings->exchange_timeout,
        .linger_ns = settings->grace,
        .keep_contexts = UINT32_C(1) << CONTEXT_TRACESTATE |
                         (uint32_t)(settings->baggage_keys.n > 0) << CONTEXT_BAGGAGE,
        .counters = pipeline->counters,
        .sink = {on_select, on_begin, on_content, on_end, on_confirm, on_drop, on_blind,
                 on_verdict, pipeline},
    };
    int r = policy_new(settings, &pipeline->policy);

    if (r == 0)
        r = causality_new(&causality, &pipeline->causality);
    if (r == 0)
        r = track_new(&track, &pipeline->track);
    if (r == 0)
        r = processes_init(&pipeline->processes, settings->max_processes,
                           pipeline->options.configured, pipeline->options.agent,
                           pipeline->counters);
    if (r == 0)
        r = told_init(&pipeline->told);
    if (r == 0)
        r = names_init(&pipeline->names, settings->max_processes, settings->names_per_service);
    if (r == 0)
        r = batch_builder_new(settings->batch_spans, settings->batch_bytes, &pipeline->batch);
    return r < 0 ? r : arena_init(&pipeline->span_text, SPAN_TEXT_MAX);
}

int pipeline_new(const struct pipeline_options *options, struct pipeline **ret_pipeline)
{
    struct pipeline *pipeline = calloc(1, sizeof(*pipeline));
    int r;

    if (!pipeline)
        return -ENOMEM;
    pipeline->options = *options;
    pipeline->counters = options->counters;
    pipeline->encoded = buffer_make(SPAN_BYTES_MAX);
    list_init(&pipeline->lingering);
    list_init(&pipeline->undescribed);
    r = make_rooms(pipeline, options->settings);
    if (r < 0) {
        pipeline_free(pipeline);
        return r;
    }
    *ret_pipeline = pipeline;
    return 0;
}

void pipeline_free(struct pipeline *pipeline)
{
    if (!pipeline)
        return;
    track_free(pipeline->track);
    causality_free(pipeline->causality);
    policy_free(pipeline->policy);
    processes_done(&pipeline->processes);
    told_done(&pipeline->told);
    names_done(&pipeline->names);
    batch_builder_free(pipeline->batch);
    buffer_done(&pipeline->encoded);
    arena_done(&pipeline->span_text);
    free(pipeline);
}
