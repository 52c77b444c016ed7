/* SPDX-License-Identifier: Apache-2.0 */
/* How much of the agent is in memory. */
#pragma once

/*
 * Before any thread is made: few heaps for all of them. glibc gives each thread one of its own,
 * which keeps what it freed; nothing here allocates often enough to miss that.
 */
void memory_share_heaps(void);

/*
 * Gives back the pages of programs and libraries that are only read: those that merely the start
 * needed (linking, loading the hooks) stay away, the others come back, from the page cache, with
 * their next use. Without effect where /proc cannot be read.
 */
void memory_give_back(void);
