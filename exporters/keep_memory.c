/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches waiting in memory: a linked list under a lock, bounded by the memory of its batches.
 *
 *   put -> [newest] ... [second] [oldest] -> first, drop_first
 *
 * The oldest batch stays in the list while it is being sent, so that it counts against the bound.
 */
#include "exporters/keep.h"

#include "base/clock.h"
#include "base/macro.h"

#include <errno.h>
#include <pthread.h>

struct node {
    struct node *next;
    struct batch *batch;
};

struct keep {
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    struct node *oldest;
    struct node **end; /* where the next one is linked in */
    uint64_t bytes;
    uint64_t max_bytes;
    bool awake; /* first() no longer waits */
};

static uint64_t batch_memory(const struct batch *batch)
{
    return sizeof(struct node) + sizeof(*batch) + batch->n_groups * sizeof(struct batch_group) +
           batch->n_spans * sizeof(struct bytes) + batch->n_bytes;
}

static int memory_put(void *ptr, struct batch *batch)
{
    struct node *node = malloc(sizeof(*node));
    uint64_t size = batch_memory(batch);
    struct keep *keep = ptr;
    int r = 0;

    if (!node)
        return -ENOSPC;
    *node = (struct node){.batch = batch};
    pthread_mutex_lock(&keep->lock);
    if (keep->oldest && (size > keep->max_bytes || keep->bytes > keep->max_bytes - size)) {
        r = -ENOSPC;
    } else {
        batch_ref(batch);
        *keep->end = TAKE_PTR(node);
        keep->end = &(*keep->end)->next;
        keep->bytes += size;
        pthread_cond_signal(&keep->arrived);
    }
    pthread_mutex_unlock(&keep->lock);
    free(node);
    return r;
}

static struct timespec deadline_after(uint64_t timeout_ns)
{
    uint64_t deadline_ns = clock_ns(CLOCK_MONOTONIC) + MIN(timeout_ns, (uint64_t)INT64_MAX / 2);

    return (struct timespec){.tv_sec = (time_t)(deadline_ns / NS_PER_S),
                             .tv_nsec = (long)(deadline_ns % NS_PER_S)};
}

static struct batch *memory_first(void *ptr, uint64_t timeout_ns)
{
    struct timespec deadline = deadline_after(timeout_ns);
    struct batch *batch;
    struct keep *keep = ptr;
    int r = 0;

    pthread_mutex_lock(&keep->lock);
    while (!keep->oldest && !keep->awake && r == 0)
        r = pthread_cond_timedwait(&keep->arrived, &keep->lock, &deadline);
    batch = keep->oldest ? keep->oldest->batch : NULL;
    pthread_mutex_unlock(&keep->lock);
    return batch;
}

static void memory_drop_first(void *ptr)
{
    struct keep *keep = ptr;
    struct node *node;

    pthread_mutex_lock(&keep->lock);
    node = keep->oldest;
    keep->oldest = node->next;
    if (!keep->oldest)
        keep->end = &keep->oldest;
    keep->bytes -= batch_memory(node->batch);
    pthread_mutex_unlock(&keep->lock);
    batch_unref(node->batch);
    free(node);
}

static void memory_wake(void *ptr)
{
    struct keep *keep = ptr;

    pthread_mutex_lock(&keep->lock);
    keep->awake = true;
    pthread_cond_broadcast(&keep->arrived);
    pthread_mutex_unlock(&keep->lock);
}

static void memory_close(void *ptr)
{
    struct keep *keep = ptr;

    if (!keep)
        return;
    while (keep->oldest)
        memory_drop_first(keep);
    pthread_cond_destroy(&keep->arrived);
    pthread_mutex_destroy(&keep->lock);
    free(keep);
}

int keep_memory_new(uint64_t max_bytes, void **ret_keep)
{
    struct keep *keep = calloc(1, sizeof(*keep));
    pthread_condattr_t attributes;

    if (!keep)
        return -ENOMEM;
    keep->end = &keep->oldest;
    keep->max_bytes = max_bytes;
    pthread_mutex_init(&keep->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&keep->arrived, &attributes);
    pthread_condattr_destroy(&attributes);
    *ret_keep = keep;
    return 0;
}

const struct keep_ops keep_memory = {
    .put = memory_put,
    .first = memory_first,
    .drop_first = memory_drop_first,
    .wake = memory_wake,
    .close = memory_close,
};
