/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exporter at work: its keep, its thread, its back-off and its accounting. The core puts sealed
 * batches and never waits; exporters do not delay each other.
 *
 *   core -- put --> keep --> thread: send --> OK | RETRY (back-off 100 ms .. 5 s, full jitter)
 *                                                | REFUSED | FAILED | TOO_LARGE (halves)
 *
 * At every moment: offered = delivered + queued + Σ lost.
 */
#pragma once

#include "exporters/exporter.h"
#include "exporters/keep.h"

struct worker;

/* Upper bounds of the buckets of worker_stats.send_times, in nanoseconds; the last has none. */
#define SEND_TIMES 8
extern const uint64_t send_time_bounds[SEND_TIMES - 1];

struct worker_options {
    size_t index;       /* its place among the exporters, for what is logged and told */
    const char *target;
    const void *settings; /* of the exporter's section; must outlive the worker */
    uint64_t queue_bytes;
    uint64_t send_timeout_ns;
};

/* All in spans, except where said otherwise. Each may be read at any time, from any thread. */
struct worker_stats {
    _Atomic uint64_t offered;
    _Atomic uint64_t delivered;
    _Atomic uint64_t queued;
    _Atomic uint64_t lost_queue_full;  /* the keep had no room */
    _Atomic uint64_t lost_refused;     /* the backend does not want them */
    _Atomic uint64_t lost_failed;      /* they cannot be sent from here */
    _Atomic uint64_t lost_too_large;   /* one span alone is more than the backend takes */
    _Atomic uint64_t lost_rejected;    /* the backend took the batch but for these */
    _Atomic uint64_t lost_undelivered; /* still queued when the time to stop was over */
    _Atomic uint64_t queued_batches;
    _Atomic uint64_t queued_bytes;   /* encoded spans and resources of these */
    _Atomic uint64_t sends;          /* calls of send */
    _Atomic uint64_t retries;        /* sends that ended in RETRY ... */
    _Atomic uint64_t retries_in_row; /* ... since the last that did not */
    _Atomic uint64_t splits;         /* sends that ended in TOO_LARGE */
    _Atomic uint64_t reload_failures; /* changes of files that could not be used */
    _Atomic uint64_t sent_bytes;     /* as given to the transport, of all sends */
    _Atomic uint64_t send_ns;        /* the time of all sends */
    _Atomic uint64_t send_times[SEND_TIMES]; /* sends by their time */
    _Atomic bool healthy;                    /* the last send was OK, or there was none */
    _Atomic bool overflowing;                /* a batch found no room, and none was sent since */
};

/* Opens the exporter and starts its thread. Returns 0 or a negative errno (logged). */
int worker_start(const struct exporter_ops *ops, const struct worker_options *options,
                 struct worker **ret_worker);

/* Takes a reference of its own. Never blocks, never fails: a loss is counted. */
void worker_put(struct worker *worker, struct batch *batch);

const struct worker_stats *worker_stats(const struct worker *worker);

/* All counters of one and the same moment, between which the identity above holds. */
void worker_snapshot(struct worker *worker, struct worker_stats *ret_stats);

const char *worker_name(const struct worker *worker);

/* "otlp (index 1, http://collector:4317)": its target is left out where it may hold a secret. */
const char *worker_label(const struct worker *worker);

/*
 * Delivers what is queued, for at most timeout_ns; the rest is counted as undelivered. Then ends
 * the thread. worker_free may follow.
 */
void worker_stop(struct worker *worker, uint64_t timeout_ns);
void worker_free(struct worker *worker); /* NULL is fine */

