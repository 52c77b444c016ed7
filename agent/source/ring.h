/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of a BPF_MAP_TYPE_RINGBUF, whose pages are mapped once. One thread reads. */
#pragma once

#include "base/bytes.h"
#include "base/macro.h"

struct ring;

/* One record, which points into the ring: valid until the call returns. */
typedef void (*ring_record_fn)(void *arg, struct bytes record);

/*
 * `fd` is the map, which the caller keeps open and waits for by itself (epoll, level-triggered: the
 * map is readable while it holds a record). `size` is its data's, a power of two of whole pages; no
 * record is longer than `record_max`. Returns 0, -EINVAL for sizes that cannot be, -ENOMEM or
 * mmap's error.
 */
int ring_new(int fd, size_t size, size_t record_max, struct ring **ret_ring);

void ring_free(struct ring *ring);
DEFINE_CLEANUP(struct ring, ring_free)

/*
 * Gives `take` each record until one is still being written or none is left, in the order in which
 * their room was reserved, and its room back to the kernel after each. Returns how many, or
 * -EBADMSG where the ring holds what the kernel never writes: nothing behind it can be found then.
 */
int ring_consume(struct ring *ring, ring_record_fn take, void *arg);
