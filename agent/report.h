/* SPDX-License-Identifier: Apache-2.0 */
/* The counters as people and Prometheus read them. */
#pragma once

#include "base/buffer.h"
#include "base/counters.h"
#include "exporters/worker.h"

/* One exporter at one moment. */
struct exporter_report {
    const char *name;
    struct worker_stats stats;
};

/* The totals at the end of a run: both identities with every part, and each exporter's. */
void report_totals(const struct counters *counters, const struct exporter_report *reports,
                   size_t n, struct buffer *out);

/*
 * The same as metrics, with how the exporters are. Where `counters` and `reports` are of the same
 * moment, flowtrace_spans_total is the sum of flowtrace_exporter_spans of each exporter.
 */
void report_metrics(const struct counters *counters, const struct exporter_report *reports,
                    size_t n, struct buffer *out);
