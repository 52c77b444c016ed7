/* SPDX-License-Identifier: Apache-2.0 */
/* How much of the agent is in memory. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Before any thread is made: few heaps for all of them, which give back what is large or at their
 * end. glibc gives each thread one of its own, which keeps what it freed; nothing here allocates
 * often enough to miss that.
 */
void memory_share_heaps(void);

/* When memory was given back, and how much was left: of who owns it, for memory_tend. */
struct memory {
    uint64_t gave_back_ns;
    uint64_t wait_ns; /* before what has grown is given back again */
    size_t left;      /* bytes resident then */
};

/*
 * Gives back what is not needed now: what is free in the heaps, and the pages of programs and
 * libraries that are only read, which come back, from the page cache, with their next use. Of the
 * latter nothing where /proc cannot be read. `now_ns` is monotonic.
 */
void memory_give_back(struct memory *memory, uint64_t now_ns);

/*
 * The same where it is due: each half minute, and a second after the last time where much has come
 * since (making connections is code that is not needed again), less often where it comes again.
 */
void memory_tend(struct memory *memory, uint64_t now_ns);
