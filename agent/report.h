/* SPDX-License-Identifier: Apache-2.0 */
/* The counters as people and Prometheus read them. */
#pragma once

#include "base/buffer.h"
#include "base/counters.h"
#include "exporters/worker.h"

/* The totals at the end of a run: both identities with every part, and each exporter's. */
void report_totals(const struct counters *counters, struct worker *const *workers,
                   size_t n_workers, struct buffer *out);

/* The same as metrics. Reads atomics only. */
void report_metrics(const struct counters *counters, struct worker *const *workers,
                    size_t n_workers, struct buffer *out);
