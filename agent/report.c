/* SPDX-License-Identifier: Apache-2.0 */
/* Totals and metrics from the one table of counters and the exporters' statistics. */
#include "report.h"

#include "status/status.h"

#include <inttypes.h>
#include <stdio.h>

/* The states that the spans given to an exporter can be in; offered is their sum. */
static const struct {
    const char *state;
    size_t offset;
} span_states[] = {
    {"delivered", offsetof(struct worker_stats, delivered)},
    {"queued", offsetof(struct worker_stats, queued)},
    {"lost_queue_full", offsetof(struct worker_stats, lost_queue_full)},
    {"lost_refused", offsetof(struct worker_stats, lost_refused)},
    {"lost_failed", offsetof(struct worker_stats, lost_failed)},
    {"lost_too_large", offsetof(struct worker_stats, lost_too_large)},
    {"lost_rejected", offsetof(struct worker_stats, lost_rejected)},
    {"lost_undelivered", offsetof(struct worker_stats, lost_undelivered)},
};

static uint64_t state_value(const struct worker_stats *stats, size_t state)
{
    const _Atomic uint64_t *value =
        (const _Atomic uint64_t *)((const char *)stats + span_states[state].offset);

    return atomic_load_explicit(value, memory_order_relaxed);
}

/* ---- totals ---------------------------------------------------------------------------------- */

static void print_class(const struct counters *counters, enum counter_class class,
                        struct buffer *out)
{
    for (int i = 0; i < COUNTER_COUNT; i++) {
        uint64_t value = counters_get(counters, (enum counter)i);

        if (counter_infos[i].class == class && value)
            buffer_printf(out, "    %-28s %" PRIu64 "\n", counter_infos[i].name, value);
    }
}

static void print_identity(const struct counters *counters, enum counter whole,
                           enum counter_class used, enum counter_class lost, struct buffer *out)
{
    buffer_printf(out, "  %-30s %" PRIu64 " (used %" PRIu64 " + lost %" PRIu64 ")\n",
                  counter_infos[whole].name, counters_get(counters, whole),
                  counters_sum(counters, used), counters_sum(counters, lost));
    print_class(counters, used, out);
    print_class(counters, lost, out);
}

static void print_exporter(const struct exporter_report *exporter, struct buffer *out)
{
    const struct worker_stats *stats = &exporter->stats;

    buffer_printf(out, "  exporter %s: %" PRIu64 " spans offered", exporter->name,
                  atomic_load(&stats->offered));
    for (size_t i = 0; i < ELEMENTSOF(span_states); i++)
        if (i == 0 || state_value(stats, i))
            buffer_printf(out, ", %s %" PRIu64, span_states[i].state, state_value(stats, i));
    buffer_printf(out, "\n");
}

void report_totals(const struct counters *counters, const struct exporter_report *reports,
                   size_t n, struct buffer *out)
{
    buffer_printf(out, "totals:\n");
    if (counters_get(counters, COUNTER_packets))
        print_identity(counters, COUNTER_packets, COUNTER_PACKET_USED, COUNTER_PACKET_LOST, out);
    print_identity(counters, COUNTER_operations, COUNTER_OPERATION_USED, COUNTER_OPERATION_LOST,
                   out);
    print_identity(counters, COUNTER_exchanges, COUNTER_EXCHANGE_USED, COUNTER_EXCHANGE_LOST, out);
    buffer_printf(out, "  besides:\n");
    print_class(counters, COUNTER_INFO, out);
    for (size_t i = 0; i < n; i++)
        print_exporter(&reports[i], out);
}

/* ---- metrics --------------------------------------------------------------------------------- */

static void add_counters(const struct counters *counters, struct buffer *out)
{
    for (int i = 0; i < COUNTER_COUNT; i++) {
        char name[64];

        snprintf(name, sizeof(name), "flowtrace_%s_total", counter_infos[i].name);
        status_metric(out, name, "counter", counter_infos[i].help, NULL,
                      counters_get(counters, (enum counter)i));
    }
}

#define LABELS_MAX 128

static void add_span_state(const struct exporter_report *exporter, size_t index, const char *state,
                           uint64_t value, struct buffer *out)
{
    char labels[LABELS_MAX];

    snprintf(labels, sizeof(labels), "exporter=\"%s\",index=\"%zu\",state=\"%s\"", exporter->name,
             index, state);
    status_metric(out, "flowtrace_exporter_spans", "gauge",
                  "spans made, by what became of them at an exporter; batched: not yet given to it",
                  labels, value);
}

static void add_exporter_spans(const struct counters *counters,
                               const struct exporter_report *exporter, size_t index,
                               struct buffer *out)
{
    uint64_t made = counters_get(counters, COUNTER_spans) +
                    counters_get(counters, COUNTER_received_spans);

    add_span_state(exporter, index, "batched", made - atomic_load(&exporter->stats.offered), out);
    for (size_t i = 0; i < ELEMENTSOF(span_states); i++)
        add_span_state(exporter, index, span_states[i].state, state_value(&exporter->stats, i),
                       out);
}

static const struct {
    const char *name, *type, *help;
    size_t offset;
} worker_metrics[] = {
#define ROW(name, type, member, help)                                                              \
    {"flowtrace_exporter_" name, type, help, offsetof(struct worker_stats, member)}
    ROW("queue_batches", "gauge", queued_batches, "batches that wait or are being sent"),
    ROW("queue_bytes", "gauge", queued_bytes, "bytes of their spans and resources"),
    ROW("sends_total", "counter", sends, "batches, or parts of one, that were tried to be sent"),
    ROW("retries_total", "counter", retries, "sends that have to be tried again"),
    ROW("retries_in_row", "gauge", retries_in_row, "of these, since the last that was answered"),
    ROW("splits_total", "counter", splits, "sends that were too large and are tried in halves"),
    ROW("reload_failures_total", "counter", reload_failures,
        "changes of the files of TLS that could not be used: those of before are"),
    ROW("sent_bytes_total", "counter", sent_bytes, "bytes given to the transport, of all sends"),
#undef ROW
};

static void add_worker_metric(size_t metric, const struct exporter_report *exporter, size_t index,
                              struct buffer *out)
{
    const char *value = (const char *)&exporter->stats + worker_metrics[metric].offset;
    char labels[LABELS_MAX];

    snprintf(labels, sizeof(labels), "exporter=\"%s\",index=\"%zu\"", exporter->name, index);
    status_metric(out, worker_metrics[metric].name, worker_metrics[metric].type,
                  worker_metrics[metric].help, labels,
                  atomic_load((const _Atomic uint64_t *)value));
}

static void add_health(const struct exporter_report *exporter, size_t index, struct buffer *out)
{
    char labels[LABELS_MAX];

    snprintf(labels, sizeof(labels), "exporter=\"%s\",index=\"%zu\"", exporter->name, index);
    status_metric(out, "flowtrace_exporter_healthy", "gauge",
                  "1 where the last send was taken, or there was none", labels,
                  atomic_load(&exporter->stats.healthy));
}

/* A histogram in nanoseconds: buckets add up (prometheus.io/docs/concepts/metric_types). */
static void add_send_times(const struct exporter_report *exporter, size_t index, struct buffer *out)
{
    static const char name[] = "flowtrace_exporter_send_nanoseconds";
    uint64_t sum = 0;

    if (index == 0)
        buffer_printf(out, "# HELP %s the time of each send\n# TYPE %s histogram\n", name, name);
    for (size_t i = 0; i < SEND_TIMES; i++) {
        sum += atomic_load(&exporter->stats.send_times[i]);
        buffer_printf(out, "%s_bucket{exporter=\"%s\",index=\"%zu\",le=\"", name, exporter->name,
                      index);
        if (i < SEND_TIMES - 1)
            buffer_printf(out, "%" PRIu64 "\"} %" PRIu64 "\n", send_time_bounds[i], sum);
        else
            buffer_printf(out, "+Inf\"} %" PRIu64 "\n", sum);
    }
    buffer_printf(out, "%s_sum{exporter=\"%s\",index=\"%zu\"} %" PRIu64 "\n", name,
                  exporter->name, index, atomic_load(&exporter->stats.send_ns));
    buffer_printf(out, "%s_count{exporter=\"%s\",index=\"%zu\"} %" PRIu64 "\n", name,
                  exporter->name, index, sum);
}

void report_metrics(const struct counters *counters, const struct exporter_report *reports,
                    size_t n, struct buffer *out)
{
    add_counters(counters, out);
    for (size_t i = 0; i < n; i++)
        add_exporter_spans(counters, &reports[i], i, out);
    for (size_t metric = 0; metric < ELEMENTSOF(worker_metrics); metric++)
        for (size_t i = 0; i < n; i++)
            add_worker_metric(metric, &reports[i], i, out);
    for (size_t i = 0; i < n; i++)
        add_health(&reports[i], i, out);
    for (size_t i = 0; i < n; i++)
        add_send_times(&reports[i], i, out);
}
