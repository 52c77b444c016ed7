/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exporter's thread; the contract stands in worker.h. A batch moves through the accounting in
 * single steps under one lock, which is never held during a send or a wait:
 *
 *   worker_put:  offered, queued  -> put -> (no room: queued back, lost_queue_full)
 *   thread:      send -> RETRY: stays queued        OK, DROP: queued to delivered, lost_*
 *   worker_stop: drain -> deadline: `stopping` interrupts send and back-off -> rest undelivered
 */
#include "exporters/worker.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/macro.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sys/random.h>

#define BACKOFF_MIN_NS (100 * NS_PER_MS)
#define BACKOFF_MAX_NS (5 * NS_PER_S)
#define RETRY_AFTER_MAX_NS (600 * NS_PER_S) /* a backend's longer wish is cut to this */
#define IDLE_NS (250 * NS_PER_MS) /* between calls of idle */
#define LONG_NS (3600 * NS_PER_S)

/* What was logged last: a line is written where this changes, never per retry. */
enum mood { MOOD_FINE, MOOD_REJECTING, MOOD_AWAY, MOOD_REFUSING };

struct worker {
    const struct exporter_ops *ops;
    void *exporter;
    void *keep;
    pthread_t thread;
    bool started;
    enum mood mood; /* the thread's own */

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
    case EXPORT_DROP:
        break;
    }
    return MOOD_REFUSING;
}

static void log_change(struct worker *worker, const struct export_outcome *outcome)
{
    enum mood mood = mood_of(outcome);
    const char *reason = outcome->reason ?: "no reason given";

    if (mood == worker->mood || worker->stopping)
        return;
    worker->mood = mood;
    switch (mood) {
    case MOOD_FINE:
        log_info("exporter %s: works again", worker->ops->name);
        break;
    case MOOD_REJECTING:
        log_warning("exporter %s: the backend rejected %" PRIu64 " spans of a batch",
                    worker->ops->name, outcome->rejected_spans);
        break;
    case MOOD_AWAY:
        log_warning("exporter %s: %s; spans wait in the queue", worker->ops->name, reason);
        break;
    case MOOD_REFUSING:
        log_warning("exporter %s: %s; spans are lost", worker->ops->name, reason);
        break;
    }
}

static void count_send(struct worker *worker, const struct export_outcome *outcome)
{
    pthread_mutex_lock(&worker->lock);
    worker->stats.sends++;
    worker->stats.retries += outcome->result == EXPORT_RETRY;
    worker->stats.healthy = outcome->result == EXPORT_OK;
    pthread_mutex_unlock(&worker->lock);
}

/* Moves the first batch out of the keep and its spans out of `queued`. */
static void settle(struct worker *worker, const struct batch *batch,
                   const struct export_outcome *outcome)
{
    uint64_t n = batch->n_spans;
    uint64_t rejected = MIN(outcome->rejected_spans, n);

    pthread_mutex_lock(&worker->lock);
    worker->stats.queued -= n;
    switch (outcome->result) {
    case EXPORT_OK:
        worker->stats.delivered += n - rejected;
        worker->stats.lost_rejected += rejected;
        break;
    case EXPORT_DROP:
        worker->stats.lost_dropped += n;
        break;
    case EXPORT_RETRY:
        worker->stats.lost_undelivered += n;
        break;
    }
    pthread_mutex_unlock(&worker->lock);
    keep_memory.drop_first(worker->keep);
}

/* Sends until the batch is delivered or dropped. False: told to stop, the batch stays kept. */
static bool deliver(struct worker *worker, const struct batch *batch)
{
    for (unsigned attempt = 0; !worker->stopping; attempt++) {
        struct export_outcome outcome = worker->ops->send(worker->exporter, batch);

        count_send(worker, &outcome);
        log_change(worker, &outcome);
        if (outcome.result != EXPORT_RETRY) {
            settle(worker, batch, &outcome);
            return true;
        }
        back_off(worker, attempt, outcome.retry_after_ns);
    }
    return false;
}

static void *run(void *arg)
{
    struct worker *worker = arg;
    void (*idle)(void *exporter) = worker->ops->idle;
    const struct batch *batch;
    bool draining = false;

    for (;;) {
        batch = keep_memory.first(worker->keep, idle ? IDLE_NS : LONG_NS);
        if (batch && !deliver(worker, batch))
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

static int worker_new(const struct exporter_ops *ops, uint64_t queue_bytes,
                      struct worker **ret_worker)
{
    _cleanup_(worker_freep) struct worker *worker = calloc(1, sizeof(*worker));
    pthread_condattr_t attributes;
    int r;

    if (!worker)
        return -ENOMEM;
    worker->ops = ops;
    worker->stats.healthy = true;
    pthread_mutex_init(&worker->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&worker->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    r = keep_memory_new(queue_bytes, &worker->keep);
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
                                                .send_timeout_ns = options->send_timeout_ns};
    int r;

    r = worker_new(ops, options->queue_bytes, &worker);
    if (r < 0)
        return log_error(r, "exporter %s: no memory", ops->name);
    exporter_options.stopping = &worker->stopping;
    r = ops->open(&exporter_options, &worker->exporter);
    if (r < 0)
        return r;
    r = -pthread_create(&worker->thread, NULL, run, worker);
    if (r < 0)
        return log_error(r, "exporter %s: cannot start its thread", ops->name);
    worker->started = true;
    *ret_worker = TAKE_PTR(worker);
    return 0;
}

void worker_put(struct worker *worker, struct batch *batch)
{
    uint64_t n = batch->n_spans;
    bool stopped;

    pthread_mutex_lock(&worker->lock);
    stopped = worker->stopped;
    worker->stats.offered += n;
    *(stopped ? &worker->stats.lost_undelivered : &worker->stats.queued) += n;
    pthread_mutex_unlock(&worker->lock);
    if (stopped || keep_memory.put(worker->keep, batch) == 0)
        return;
    pthread_mutex_lock(&worker->lock);
    worker->stats.queued -= n;
    worker->stats.lost_queue_full += n;
    pthread_mutex_unlock(&worker->lock);
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
    return worker->ops->name;
}

/* The thread is gone: what is still in the keep has nobody to send it. */
static void count_undelivered(struct worker *worker)
{
    static const struct export_outcome undelivered = {.result = EXPORT_RETRY};
    uint64_t before = worker->stats.lost_undelivered;
    const struct batch *batch;

    while ((batch = keep_memory.first(worker->keep, 0)))
        settle(worker, batch, &undelivered);
    if (worker->stats.lost_undelivered > before)
        log_warning("exporter %s: %" PRIu64 " spans were not delivered in time",
                    worker->ops->name, worker->stats.lost_undelivered - before);
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
