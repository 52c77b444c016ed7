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

static void print_exporter(const struct worker *worker, struct buffer *out)
{
    const struct worker_stats *stats = worker_stats(worker);

    buffer_printf(out, "  exporter %s: %" PRIu64 " spans offered", worker_name(worker),
                  atomic_load(&stats->offered));
    for (size_t i = 0; i < ELEMENTSOF(span_states); i++)
        if (i == 0 || state_value(stats, i))
            buffer_printf(out, ", %s %" PRIu64, span_states[i].state, state_value(stats, i));
    buffer_printf(out, "\n");
}

void report_totals(const struct counters *counters, struct worker *const *workers,
                   size_t n_workers, struct buffer *out)
{
    buffer_printf(out, "totals:\n");
    print_identity(counters, COUNTER_operations, COUNTER_OPERATION_USED, COUNTER_OPERATION_LOST,
                   out);
    print_identity(counters, COUNTER_exchanges, COUNTER_EXCHANGE_USED, COUNTER_EXCHANGE_LOST, out);
    buffer_printf(out, "  besides:\n");
    print_class(counters, COUNTER_INFO, out);
    for (size_t i = 0; i < n_workers; i++)
        print_exporter(workers[i], out);
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

static void add_exporter_spans(struct worker *const *workers, size_t n_workers,
                               struct buffer *out)
{
    for (size_t i = 0; i < n_workers; i++)
        for (size_t state = 0; state < ELEMENTSOF(span_states); state++) {
            char labels[128];

            snprintf(labels, sizeof(labels), "exporter=\"%s\",index=\"%zu\",state=\"%s\"",
                     worker_name(workers[i]), i, span_states[state].state);
            status_metric(out, "flowtrace_exporter_spans", "gauge",
                          "spans given to an exporter, by what became of them", labels,
                          state_value(worker_stats(workers[i]), state));
        }
}

static void add_exporter_sends(struct worker *const *workers, size_t n_workers,
                               struct buffer *out)
{
    static const struct {
        const char *name, *help;
        size_t offset;
    } metrics[] = {
        {"flowtrace_exporter_sends_total", "batches that were tried to be sent",
         offsetof(struct worker_stats, sends)},
        {"flowtrace_exporter_retries_total", "sends that have to be tried again",
         offsetof(struct worker_stats, retries)},
    };

    for (size_t m = 0; m < ELEMENTSOF(metrics); m++)
        for (size_t i = 0; i < n_workers; i++) {
            const char *stats = (const char *)worker_stats(workers[i]);
            char labels[64];

            snprintf(labels, sizeof(labels), "exporter=\"%s\",index=\"%zu\"",
                     worker_name(workers[i]), i);
            status_metric(out, metrics[m].name, "counter", metrics[m].help, labels,
                          atomic_load((const _Atomic uint64_t *)(stats + metrics[m].offset)));
        }
}

void report_metrics(const struct counters *counters, struct worker *const *workers,
                    size_t n_workers, struct buffer *out)
{
    add_counters(counters, out);
    add_exporter_spans(workers, n_workers, out);
    add_exporter_sends(workers, n_workers, out);
}
