/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where batches wait until a backend has them: a bounded first-in first-out store with one producer
 * (the core, which never waits) and one consumer (the exporter's thread). Memory today; a spool on
 * disk is a second set of these operations.
 */
#pragma once

#include "otlp/batch.h"

#include <stdbool.h>

struct keep_ops {
    /* Takes a reference of its own. 0, or -ENOSPC: full, and the batch is not kept. */
    int (*put)(void *keep, struct batch *batch);

    /* Waits up to timeout_ns for the oldest batch; it stays in the keep. NULL: none came. The
     * pointer is valid until drop_first. */
    struct batch *(*first)(void *keep, uint64_t timeout_ns);

    /* The oldest batch was delivered or is lost: forget it. */
    void (*drop_first)(void *keep);

    /* Wakes a waiting first(), which then answers what there is, from now on without waiting. */
    void (*wake)(void *keep);

    void (*close)(void *keep); /* drops what it still holds; NULL is fine */
};

extern const struct keep_ops keep_memory;

/* A keep_memory of at most max_bytes (and always room for one batch). 0 or -ENOMEM. */
int keep_memory_new(uint64_t max_bytes, void **ret_keep);
