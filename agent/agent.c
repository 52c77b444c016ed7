/* SPDX-License-Identifier: Apache-2.0 */
/* Wiring and running the rooms; the picture stands in agent.h. */
#include "agent.h"

#include "base/clock.h"
#include "base/log.h"
#include "exporters/find.h"
#include "exporters/worker.h"
#include "pipeline/pipeline.h"
#include "memory.h"
#include "report.h"
#include "resource.h"
#include "source/receiver/receiver.h"
#include "source/record.h"
#include "source/source.h"
#include "status/status.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>

#define WORKERS_MAX 32
#define BUSY_TIMEOUT_MS 20  /* something waits for time to pass */
#define IDLE_TIMEOUT_MS 500 /* nothing does: the doorbell wakes */
#define COUNTERS_EVERY 16   /* drains between two looks at the kernel's counters */
#define REPORT_MAX (1u << 20)
#define REPLAY_WAIT_US 200

struct agent {
    const struct settings *settings;
    const struct source_ops *source_ops;
    const char *file; /* what is played, or NULL: what happens now */
    void *source;
    struct recorder *recorder;
    struct own_resource resource;
    struct pipeline *pipeline;
    struct exporter_choice choices[WORKERS_MAX];
    struct worker *workers[WORKERS_MAX];
    size_t n_workers;
    pthread_mutex_t giving; /* a batch to the workers, and their metrics, are of one moment */
    struct receiver *receiver;
    struct status *status;
    int signal_fd;
    bool stopping;
    struct memory memory;
    struct counters counters;
};

/* ---- the wires ------------------------------------------------------------------------------- */

static void take_event(void *arg, const struct event *event)
{
    struct agent *agent = arg;

    if (pipeline_event(agent->pipeline, event) && agent->recorder)
        recorder_write(agent->recorder, event);
}

static void take_verdict(void *arg, uint64_t connection, struct verdict verdict)
{
    struct agent *agent = arg;

    agent->source_ops->set_verdict(agent->source, connection, verdict);
}

static bool is_asked_to_stop(struct agent *agent)
{
    struct signalfd_siginfo info;

    agent->stopping |= read(agent->signal_fd, &info, sizeof(info)) == sizeof(info);
    return agent->stopping;
}

/*
 * A recording can wait, live events cannot: no replay loses a batch to a full queue. Two batches may
 * be under way where the queue certainly holds them and the next one.
 */
static void wait_for_room(struct agent *agent, const struct worker *worker)
{
    const struct settings *settings = agent->settings;
    bool roomy = settings->queue_bytes / settings->batch_bytes >= 4;
    uint64_t most = roomy ? 2 * settings->batch_spans : 0;

    while (atomic_load(&worker_stats(worker)->queued) > most && !is_asked_to_stop(agent))
        usleep(REPLAY_WAIT_US);
}

/* All workers have the batch, or none: the metrics are never of a moment between. */
static void take_batch(void *arg, struct batch *batch)
{
    struct agent *agent = arg;

    for (size_t i = 0; i < agent->n_workers && agent->file; i++)
        wait_for_room(agent, agent->workers[i]);
    pthread_mutex_lock(&agent->giving);
    for (size_t i = 0; i < agent->n_workers; i++)
        worker_put(agent->workers[i], batch);
    pthread_mutex_unlock(&agent->giving);
}

/* One is enough: the others count what they lose. */
static bool has_room(void *arg, size_t bytes)
{
    struct agent *agent = arg;

    for (size_t i = 0; i < agent->n_workers; i++) {
        uint64_t queued = atomic_load(&worker_stats(agent->workers[i])->queued_bytes);

        if (queued + bytes <= agent->settings->queue_bytes)
            return true;
    }
    return false;
}

static void report_exporters(struct agent *agent, struct exporter_report *ret_reports)
{
    for (size_t i = 0; i < agent->n_workers; i++) {
        ret_reports[i].name = worker_name(agent->workers[i]);
        worker_snapshot(agent->workers[i], &ret_reports[i].stats);
    }
}

/*
 * While no batch can be given, what is copied here is of one moment: the spans that are made and not
 * yet given are those of the open batch. The core may wait for the copying, some microseconds.
 */
static void give_metrics(void *arg, struct buffer *out)
{
    struct exporter_report reports[WORKERS_MAX];
    struct agent *agent = arg;
    struct counters counters;

    pthread_mutex_lock(&agent->giving);
    report_exporters(agent, reports);
    for (int i = 0; i < COUNTER_COUNT; i++)
        counters.values[i] = counters_get(&agent->counters, (enum counter)i);
    pthread_mutex_unlock(&agent->giving);
    report_metrics(&counters, reports, agent->n_workers, out);
}

static bool tell_health(void *arg, struct buffer *out)
{
    struct agent *agent = arg;

    bool healthy = true;

    for (size_t i = 0; i < agent->n_workers; i++) {
        const struct worker_stats *stats = worker_stats(agent->workers[i]);
        bool overflowing = atomic_load(&stats->overflowing);

        if (!overflowing && atomic_load(&stats->healthy))
            continue;
        buffer_printf(out, "exporter %s %s\n", worker_label(agent->workers[i]),
                      overflowing ? "loses spans: its queue is full" : "cannot deliver");
        healthy = false;
    }
    return healthy;
}

/* ---- start ----------------------------------------------------------------------------------- */

static int start_worker(struct agent *agent, const char *spec)
{
    const struct settings *settings = agent->settings;
    struct worker_options options = {.index = agent->n_workers,
                                     .queue_bytes = settings->queue_bytes,
                                     .send_timeout_ns = settings->send_timeout};
    struct exporter_choice *choice = &agent->choices[agent->n_workers];
    int r;

    if (agent->n_workers == WORKERS_MAX)
        return log_error(-E2BIG, "more than %d exporters", WORKERS_MAX);
    r = exporter_choose(spec, settings, choice);
    if (r < 0)
        return r;
    options.target = choice->target;
    options.settings = choice->settings;
    r = worker_start(choice->ops, &options, &agent->workers[agent->n_workers]);
    if (r < 0)
        exporter_choice_done(choice);
    else
        agent->n_workers++;
    return r;
}

static int start_workers(struct agent *agent)
{
    const struct string_list *specs = &agent->settings->exporters;
    int r = 0;

    if (specs->n == 0)
        return start_worker(agent, "console");
    for (size_t i = 0; i < specs->n && r == 0; i++)
        r = start_worker(agent, specs->items[i]);
    return r;
}

static int start_pipeline(struct agent *agent)
{
    struct pipeline_options options = {
        .settings = agent->settings,
        .configured = &agent->resource.configured,
        .agent = &agent->resource.agent,
        .counters = &agent->counters,
        .set_verdict = take_verdict,
        .take_batch = take_batch,
        .arg = agent,
    };
    int r = own_resource_read(agent->settings, &agent->resource);

    if (r < 0)
        return r;
    r = pipeline_new(&options, &agent->pipeline);
    return r < 0 ? log_error(r, "cannot make the core") : 0;
}

/* "bpf" or "pcap:INTERFACE" to the source, and what stands behind the colon. */
static int find_source(const char *spec, const struct source_ops **ret_ops, const char **ret_path)
{
    const char *colon = strchr(spec, ':');

    if (strcmp(spec, source_bpf.name) == 0)
        *ret_ops = &source_bpf;
    else if (colon && colon[1] && strncmp(spec, "pcap:", 5) == 0)
        *ret_ops = &source_pcap_interface;
    else
        return log_error(-ENOENT, "no such source: %s (there are: bpf, pcap:INTERFACE)", spec);
    *ret_path = colon ? colon + 1 : NULL;
    return 0;
}

static int start_source(struct agent *agent)
{
    struct source_options options = {
        .path = agent->file,
        .max_connections = (uint32_t)agent->settings->max_connections,
        .capture_head = (uint32_t)agent->settings->capture_head,
        .ring_size = (uint32_t)agent->settings->capture_ring,
        .hooks = agent->settings->capture_hooks,
        .without_udp = !agent->settings->capture_udp,
        .without_unix = !agent->settings->capture_unix,
        .tls = strcmp(agent->settings->capture_tls, "off") != 0,
        .counters = &agent->counters,
    };

    if (!agent->file) {
        int r = find_source(agent->settings->source, &agent->source_ops, &options.path);

        if (r < 0)
            return r;
    }
    return agent->source_ops->open(&options, &agent->source);
}

static int start_receiver(struct agent *agent)
{
    struct receiver_options options = {
        .settings = agent->settings,
        .counters = &agent->counters,
        .configured = &agent->resource.configured,
        .agent = &agent->resource.agent,
        .has_room = has_room,
        .take_batch = take_batch,
        .arg = agent,
    };

    return receiver_start(&options, &agent->receiver);
}

/* Metrics are a help, not a need: a port that is taken stops nothing. */
static void start_status(struct agent *agent)
{
    struct status_provider provider = {give_metrics, tell_health, agent};

    if (*agent->settings->status_listen)
        status_start(agent->settings->status_listen, &provider, &agent->status);
}

/* Before any thread is made, so that all of them leave the signals to the signalfd. */
static int catch_signals(struct agent *agent)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP); /* the terminal is gone */
    if (pthread_sigmask(SIG_BLOCK, &signals, NULL) != 0)
        return log_error(-EINVAL, "cannot block signals");
    signal(SIGPIPE, SIG_IGN);
    agent->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    return agent->signal_fd < 0 ? log_error(-errno, "cannot make a signalfd") : 0;
}

static int start(struct agent *agent)
{
    int r = catch_signals(agent);

    if (r == 0 && agent->source_ops != &source_replay && *agent->settings->record)
        r = recorder_open(agent->settings->record, &agent->recorder);
    if (r == 0)
        r = start_pipeline(agent);
    if (r == 0)
        r = start_source(agent);
    if (r == 0)
        r = start_workers(agent);
    if (r == 0 && !agent->file)
        r = start_receiver(agent);
    if (r == 0 && !agent->file)
        start_status(agent);
    return r;
}

/* ---- run ------------------------------------------------------------------------------------- */

static int drain(struct agent *agent, int timeout_ms)
{
    return agent->source_ops->drain(agent->source, agent->signal_fd, timeout_ms, take_event, agent);
}

static int run(struct agent *agent)
{
    int r = 0;

    for (unsigned n = 0; r == 0 && !is_asked_to_stop(agent); n++) {
        r = drain(agent, pipeline_is_idle(agent->pipeline) ? IDLE_TIMEOUT_MS : BUSY_TIMEOUT_MS);
        if (n % COUNTERS_EVERY != 0)
            continue;
        agent->source_ops->update_counters(agent->source);
        if (!agent->file)
            memory_tend(&agent->memory, clock_ns(CLOCK_MONOTONIC));
    }
    if (r == 0)
        r = drain(agent, SOURCE_LAST_DRAIN);
    return r == SOURCE_END ? 0 : r;
}

/* ---- stop ------------------------------------------------------------------------------------ */

static void print_totals(struct agent *agent)
{
    _cleanup_(buffer_done) struct buffer out = buffer_make(REPORT_MAX);
    struct exporter_report reports[WORKERS_MAX];

    report_exporters(agent, reports);
    report_totals(&agent->counters, reports, agent->n_workers, &out);
    if (write(STDERR_FILENO, out.ptr, out.len) < 0)
        log_error(-errno, "cannot print the totals");
}

/* All workers drain at the same time, and all have until the same moment. */
static void stop_workers(struct agent *agent)
{
    uint64_t deadline = clock_ns(CLOCK_MONOTONIC) + agent->settings->drain_timeout;

    for (size_t i = 0; i < agent->n_workers; i++) {
        uint64_t now = clock_ns(CLOCK_MONOTONIC);

        worker_stop(agent->workers[i], now < deadline ? deadline - now : 0);
    }
}

static int deliver(struct agent *agent)
{
    int r;

    receiver_stop(TAKE_PTR(agent->receiver));
    pipeline_flush(agent->pipeline);
    stop_workers(agent);
    agent->source_ops->update_counters(agent->source);
    r = recorder_close(TAKE_PTR(agent->recorder));
    print_totals(agent);
    return r;
}

static void stop(struct agent *agent)
{
    status_stop(agent->status);
    receiver_stop(agent->receiver);
    for (size_t i = 0; i < agent->n_workers; i++) {
        worker_stop(agent->workers[i], 0);
        worker_free(agent->workers[i]);
        exporter_choice_done(&agent->choices[i]);
    }
    if (agent->source_ops)
        agent->source_ops->close(agent->source);
    pipeline_free(agent->pipeline);
    recorder_close(agent->recorder);
    closep(&agent->signal_fd);
}

static int perform(struct agent *agent)
{
    int r, delivered;

    memory_share_heaps();
    r = start(agent);
    if (r == 0) {
        memory_give_back(&agent->memory, clock_ns(CLOCK_MONOTONIC));
        if (!agent->file)
            log_info("ready: tracing this host (%s)", agent->settings->source);
        r = run(agent);
        delivered = deliver(agent);
        r = r < 0 ? r : delivered;
    }
    stop(agent);
    return r;
}

int agent_run(const struct settings *settings)
{
    struct agent agent = {
        .settings = settings, .giving = PTHREAD_MUTEX_INITIALIZER, .signal_fd = -1};

    return perform(&agent);
}

int agent_play(const struct settings *settings, const struct source_ops *source, const char *file)
{
    struct agent agent = {
        .settings = settings,
        .source_ops = source,
        .file = file,
        .giving = PTHREAD_MUTEX_INITIALIZER,
        .signal_fd = -1,
    };

    return perform(&agent);
}
