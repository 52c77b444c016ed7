/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exporter's thread; the contract stands in worker.h. A batch moves through the accounting in
 * single steps under one lock, which is never held during a send or a wait:
 *
 *   worker_put:  offered, queued  -> put -> (no room: queued back, lost_queue_full)
 *   thread:      send -> RETRY: stays queued      TOO_LARGE: halves, each on its own
 *                        OK, REFUSED, FAILED: queued to delivered, lost_*
 *   worker_stop: drain -> deadline: `stopping` interrupts send and back-off -> rest undelivered
 */
#include "exporters/worker.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/macro.h"
#include "exporters/told.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/random.h>

#define BACKOFF_MIN_NS (100 * NS_PER_MS)
#define BACKOFF_MAX_NS (5 * NS_PER_S)
#define RETRY_AFTER_MAX_NS (600 * NS_PER_S) /* a backend's longer wish is cut to this */
#define IDLE_NS (250 * NS_PER_MS) /* between calls of idle */
#define LABEL_MAX 256
#define LONG_NS (3600 * NS_PER_S)

/* What was logged last: a line is written where this changes, never per retry. */
enum mood { MOOD_FINE, MOOD_REJECTING, MOOD_AWAY, MOOD_REFUSING };

const uint64_t send_time_bounds[SEND_TIMES - 1] = {
    NS_PER_MS,       5 * NS_PER_MS,        25 * NS_PER_MS, 100 * NS_PER_MS,
    500 * NS_PER_MS, 2500 * NS_PER_MS, 10 * NS_PER_S,
};

struct worker {
    const struct exporter_ops *ops;
    void *exporter;
    void *keep;
    pthread_t thread;
    bool started;
    enum mood mood; /* the thread's own ... */
    size_t n_done;  /* ... spans at the start of the first batch that are settled */

    struct told told_overflow; /* of worker_put */
    char label[LABEL_MAX];

    pthread_mutex_t lock;
    pthread_cond_t changed; /* stopping was set, or the thread ended */
    bool ended;
    bool stopped;
    _Atomic bool stopping;
    struct worker_stats stats;
};

DEFINE_CLEANUP(struct worker, worker_free)

/* Waits on `changed` until the deadline (CLOCK_MONOTONIC) or the flag. The lock is held. */
static void wait_for(struct worker *worker, const bool *flag, uint64_t deadline_ns)
{
    struct timespec deadline = {.tv_sec = (time_t)(deadline_ns / NS_PER_S),
                                .tv_nsec = (long)(deadline_ns % NS_PER_S)};
    int r = 0;

    while (!*flag && !worker->stopping && r == 0)
        r = pthread_cond_timedwait(&worker->changed, &worker->lock, &deadline);
}

/* The whole of the wait is random, so that agents do not come back to a backend all at once. */
static uint64_t backoff_ns(unsigned attempt, uint64_t retry_after_ns)
{
    uint64_t limit = BACKOFF_MIN_NS;
    uint64_t random;

    while (attempt-- > 0 && limit < BACKOFF_MAX_NS)
        limit *= 2;
    limit = MIN(limit, BACKOFF_MAX_NS);
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
        random = clock_ns(CLOCK_MONOTONIC);
    return MAX(random % (limit + 1), MIN(retry_after_ns, RETRY_AFTER_MAX_NS));
}

static void back_off(struct worker *worker, unsigned attempt, uint64_t retry_after_ns)
{
    static const bool never;
    uint64_t wait_ns = backoff_ns(attempt, retry_after_ns);

    pthread_mutex_lock(&worker->lock);
    wait_for(worker, &never, clock_ns(CLOCK_MONOTONIC) + wait_ns);
    pthread_mutex_unlock(&worker->lock);
}

static enum mood mood_of(const struct export_outcome *outcome)
{
    switch (outcome->result) {
    case EXPORT_OK:
        return outcome->rejected_spans ? MOOD_REJECTING : MOOD_FINE;
    case EXPORT_RETRY:
        return MOOD_AWAY;
    case EXPORT_TOO_LARGE:
    case EXPORT_REFUSED:
    case EXPORT_FAILED:
        break;
    }
    return MOOD_REFUSING;
}

static void log_change(struct worker *worker, const struct export_outcome *outcome)
{
    enum mood mood = mood_of(outcome);
    const char *reason = outcome->reason && *outcome->reason ? outcome->reason : "no reason given";

    if (mood == worker->mood || worker->stopping)
        return;
    worker->mood = mood;
    switch (mood) {
    case MOOD_FINE:
        log_info("exporter %s: works again", worker->label);
        break;
    case MOOD_REJECTING:
        log_warning("exporter %s: the backend rejected %" PRIu64 " spans of a batch: %s",
                    worker->label, outcome->rejected_spans, reason);
        break;
    case MOOD_AWAY:
        log_warning("exporter %s: %s; spans wait in the queue", worker->label, reason);
        break;
    case MOOD_REFUSING:
        log_warning("exporter %s: %s; spans are lost", worker->label, reason);
        break;
    }
}

static void count_send(struct worker *worker, const struct export_outcome *outcome, uint64_t ns)
{
    struct worker_stats *stats = &worker->stats;
    bool again = outcome->result == EXPORT_RETRY;
    size_t time = 0;

    while (time < SEND_TIMES - 1 && ns > send_time_bounds[time])
        time++;
    pthread_mutex_lock(&worker->lock);
    stats->sends++;
    stats->send_ns += ns;
    stats->send_times[time]++;
    stats->sent_bytes += outcome->bytes;
    stats->retries += again;
    stats->retries_in_row = again ? stats->retries_in_row + 1 : 0;
    stats->splits += outcome->result == EXPORT_TOO_LARGE;
    stats->reload_failures += outcome->reload_failed;
    stats->healthy = outcome->result == EXPORT_OK || outcome->result == EXPORT_TOO_LARGE;
    pthread_mutex_unlock(&worker->lock);
}

/* Moves n spans, whose fate is known, out of `queued`. */
static void settle(struct worker *worker, uint64_t n, const struct export_outcome *outcome)
{
    uint64_t rejected = MIN(outcome->rejected_spans, n);
    struct worker_stats *stats = &worker->stats;

    pthread_mutex_lock(&worker->lock);
    stats->queued -= n;
    switch (outcome->result) {
    case EXPORT_OK:
        stats->delivered += n - rejected;
        stats->lost_rejected += rejected;
        break;
    case EXPORT_REFUSED:
        stats->lost_refused += n;
        break;
    case EXPORT_FAILED:
        stats->lost_failed += n;
        break;
    case EXPORT_TOO_LARGE:
        stats->lost_too_large += n;
        break;
    case EXPORT_RETRY:
        stats->lost_undelivered += n;
        break;
    }
    pthread_mutex_unlock(&worker->lock);
}

/* Its spans are settled: the batch leaves the keep. */
static void forget(struct worker *worker, const struct batch *batch)
{
    pthread_mutex_lock(&worker->lock);
    worker->stats.queued_batches--;
    worker->stats.queued_bytes -= batch->n_bytes;
    pthread_mutex_unlock(&worker->lock);
    keep_memory.drop_first(worker->keep);
}

/*
 * Sends the batch, or a part of one, until its fate is known, and settles it; where it is too large
 * for one send and has more than one span, nothing is settled. -ECANCELED: told to stop.
 */
static int send_part(struct worker *worker, const struct batch *part,
                     enum export_result *ret_result)
{
    for (unsigned attempt = 0; !worker->stopping; attempt++) {
        uint64_t begin = clock_ns(CLOCK_MONOTONIC);
        struct export_outcome outcome = worker->ops->send(worker->exporter, part);
        bool split = outcome.result == EXPORT_TOO_LARGE && part->n_spans > 1;

        count_send(worker, &outcome, clock_ns(CLOCK_MONOTONIC) - begin);
        if (!split)
            log_change(worker, &outcome);
        if (outcome.result != EXPORT_RETRY) {
            if (!split)
                settle(worker, part->n_spans, &outcome);
            *ret_result = outcome.result;
            return 0;
        }
        back_off(worker, attempt, outcome.retry_after_ns);
    }
    return -ECANCELED;
}

/* The spans from `first` on, at most n, as a batch of their own. */
static int send_slice(struct worker *worker, const struct batch *batch, size_t first, size_t n,
                      enum export_result *ret_result)
{
    static const struct export_outcome failed = {.result = EXPORT_FAILED, .reason = "no memory"};
    struct batch *slice;
    int r;

    if (batch_slice(batch, first, n, &slice) < 0) {
        settle(worker, n, &failed);
        *ret_result = EXPORT_FAILED;
        return 0;
    }
    r = send_part(worker, slice, ret_result);
    batch_unref(slice);
    return r;
}

/*
 * Whole first; what is too large goes on in halves of halves, in order. `done` counts the spans
 * whose fate is known. False: told to stop, the rest stays queued.
 */
static bool deliver(struct worker *worker, const struct batch *batch, size_t *done)
{
    size_t n = batch->n_spans;
    enum export_result result;
    int r;

    while (*done < batch->n_spans) {
        n = MIN(n, batch->n_spans - *done);
        r = n == batch->n_spans ? send_part(worker, batch, &result)
                                : send_slice(worker, batch, *done, n, &result);
        if (r < 0)
            return false;
        if (result == EXPORT_TOO_LARGE && n > 1)
            n = (n + 1) / 2;
        else
            *done += n;
    }
    forget(worker, batch);
    pthread_mutex_lock(&worker->lock);
    worker->stats.overflowing = false; /* there is room again */
    pthread_mutex_unlock(&worker->lock);
    return true;
}

static void *run(void *arg)
{
    struct worker *worker = arg;
    void (*idle)(void *exporter) = worker->ops->idle;
    const struct batch *batch;
    bool draining = false;

    for (;;) {
        batch = keep_memory.first(worker->keep, idle ? IDLE_NS : LONG_NS);
        worker->n_done = 0;
        if (batch && !deliver(worker, batch, &worker->n_done))
            break;
        pthread_mutex_lock(&worker->lock);
        draining = worker->stopped;
        pthread_mutex_unlock(&worker->lock);
        if (!batch && draining)
            break;
        if (!batch && idle)
            idle(worker->exporter);
    }
    pthread_mutex_lock(&worker->lock);
    worker->ended = true;
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

/* No query, which may hold a key, and nothing of what may be user:password@host. */
static void make_label(struct worker *worker, size_t index, const char *target)
{
    int len = (int)strcspn(target, "?#");
    bool shown = len > 0 && !strchr(target, '@');

    snprintf(worker->label, sizeof(worker->label), "%s (index %zu%s%.*s)",
             worker->ops->settings.name, index, shown ? ", " : "",
             shown ? MIN(len, LABEL_MAX - 64) : 0, target);
}

static int worker_new(const struct exporter_ops *ops, const struct worker_options *options,
                      struct worker **ret_worker)
{
    _cleanup_(worker_freep) struct worker *worker = calloc(1, sizeof(*worker));
    pthread_condattr_t attributes;
    int r;

    if (!worker)
        return -ENOMEM;
    worker->ops = ops;
    worker->stats.healthy = true;
    make_label(worker, options->index, options->target);
    pthread_mutex_init(&worker->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&worker->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    r = keep_memory_new(options->queue_bytes, &worker->keep);
    if (r < 0)
        return r;
    *ret_worker = TAKE_PTR(worker);
    return 0;
}

int worker_start(const struct exporter_ops *ops, const struct worker_options *options,
                 struct worker **ret_worker)
{
    _cleanup_(worker_freep) struct worker *worker = NULL;
    struct exporter_options exporter_options = {.target = options->target,
                                                .settings = options->settings,
                                                .send_timeout_ns = options->send_timeout_ns};
    int r;

    r = worker_new(ops, options, &worker);
    if (r < 0)
        return log_error(r, "exporter %s: no memory", ops->settings.name);
    exporter_options.stopping = &worker->stopping;
    r = ops->open(&exporter_options, &worker->exporter);
    if (r < 0)
        return r;
    r = -pthread_create(&worker->thread, NULL, run, worker);
    if (r < 0)
        return log_error(r, "exporter %s: cannot start its thread", ops->settings.name);
    worker->started = true;
    *ret_worker = TAKE_PTR(worker);
    return 0;
}

static void tell_overflow(struct worker *worker)
{
    uint64_t news;

    if (told_due(&worker->told_overflow, clock_ns(CLOCK_MONOTONIC), worker->stats.lost_queue_full,
                 &news))
        log_warning("exporter %s: the queue is full: %" PRIu64 " spans are lost", worker->label,
                    news);
}

void worker_put(struct worker *worker, struct batch *batch)
{
    uint64_t n = batch->n_spans;
    bool stopped, full;

    pthread_mutex_lock(&worker->lock);
    stopped = worker->stopped;
    worker->stats.offered += n;
    *(stopped ? &worker->stats.lost_undelivered : &worker->stats.queued) += n;
    worker->stats.queued_batches += !stopped;
    worker->stats.queued_bytes += stopped ? 0 : batch->n_bytes;
    pthread_mutex_unlock(&worker->lock);
    if (stopped)
        return;
    full = keep_memory.put(worker->keep, batch) < 0;
    if (!full)
        return;
    pthread_mutex_lock(&worker->lock);
    worker->stats.overflowing = true;
    worker->stats.queued -= n;
    worker->stats.queued_batches--;
    worker->stats.queued_bytes -= batch->n_bytes;
    worker->stats.lost_queue_full += n;
    pthread_mutex_unlock(&worker->lock);
    tell_overflow(worker);
}

const struct worker_stats *worker_stats(const struct worker *worker)
{
    return &worker->stats;
}

void worker_snapshot(struct worker *worker, struct worker_stats *ret_stats)
{
    pthread_mutex_lock(&worker->lock);
    *ret_stats = worker->stats;
    pthread_mutex_unlock(&worker->lock);
}

const char *worker_name(const struct worker *worker)
{
    return worker->ops->settings.name;
}

const char *worker_label(const struct worker *worker)
{
    return worker->label;
}

/* The thread is gone: what is still in the keep has nobody to send it. */
static void count_undelivered(struct worker *worker)
{
    static const struct export_outcome undelivered = {.result = EXPORT_RETRY};
    uint64_t before = worker->stats.lost_undelivered;
    const struct batch *batch;

    while ((batch = keep_memory.first(worker->keep, 0))) {
        settle(worker, batch->n_spans - worker->n_done, &undelivered);
        forget(worker, batch);
        worker->n_done = 0;
    }
    if (worker->stats.lost_undelivered > before)
        log_warning("exporter %s: %" PRIu64 " spans were not delivered in time",
                    worker->label, worker->stats.lost_undelivered - before);
}

void worker_stop(struct worker *worker, uint64_t timeout_ns)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);

    if (!worker->started)
        return;
    pthread_mutex_lock(&worker->lock);
    worker->stopped = true;
    pthread_mutex_unlock(&worker->lock);
    keep_memory.wake(worker->keep);
    pthread_mutex_lock(&worker->lock);
    wait_for(worker, &worker->ended, now + MIN(timeout_ns, (uint64_t)INT64_MAX / 2));
    worker->stopping = true;
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    pthread_join(worker->thread, NULL);
    worker->started = false;
    count_undelivered(worker);
}

void worker_free(struct worker *worker)
{
    if (!worker)
        return;
    worker_stop(worker, 0);
    worker->ops->close(worker->exporter);
    keep_memory.close(worker->keep);
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}
