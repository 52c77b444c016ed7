/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread for slow look-ups: it reads /proc so that the core never waits for it. One producer of
 * questions and one taker of answers, both the source's own thread.
 *
 *   lookup_ask -> [questions, bounded] -> thread: process_read -> [answers, bounded] -> lookup_take
 *
 * A process is asked about once, and again when its comm has changed (execve); a full queue forgets
 * the question, which is asked again with the next connection of that process.
 */
#pragma once

#include "enrich/process.h"
#include "span/event.h"

struct lookup;

struct lookup_answer {
    uint32_t tgid;
    uint64_t process_start_ns;
    struct process_facts facts; /* points into text */
    uint8_t text[1024 + SAID_TEXT_MAX + 1];
};

/* Starts the thread. Returns 0 or a negative errno. */
int lookup_start(struct lookup **ret_lookup);
void lookup_stop(struct lookup *lookup); /* NULL is fine */

/* Readable when there are answers. */
int lookup_fd(const struct lookup *lookup);

/*
 * comm: COMM_LEN bytes. cgroup_id: the kernel's number of its cgroup, for a process that is gone by
 * then; 0: not known.
 */
void lookup_ask(struct lookup *lookup, uint32_t tgid, uint64_t process_start_ns, const char *comm,
                uint64_t cgroup_id);

/* The next answer, or false. */
bool lookup_take(struct lookup *lookup, struct lookup_answer *ret_answer);
