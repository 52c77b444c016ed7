/* SPDX-License-Identifier: Apache-2.0 */
/* How much of the agent is in memory. */
#pragma once

/*
 * Before any thread is made: few heaps for all of them, which give back what is large or at their
 * end. glibc gives each thread one of its own, which keeps what it freed; nothing here allocates
 * often enough to miss that.
 */
void memory_share_heaps(void);

/*
 * Gives back what is not needed now: what is free in the heaps, and the pages of programs and
 * libraries that are only read, which come back, from the page cache, with their next use. Of the
 * latter nothing where /proc cannot be read.
 */
void memory_give_back(void);
