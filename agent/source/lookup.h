/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread for slow look-ups: it reads /proc so that the core never waits for it. One producer of
 * questions and one taker of answers, both the source's own thread.
 *
 *   lookup_ask -> [questions, bounded] -> thread: process_read -> [answers, bounded] -> lookup_take
 *
 * A process is asked about once, and again when it runs another program (execve) or has another
 * comm; a full queue forgets the question, which is asked again with the next connection of that
 * process. Of a process that is gone the answer is what the kernel noted when it began.
 */
#pragma once

#include "enrich/process.h"
#include "span/event.h"

struct lookup;

#define LOOKUP_IMAGE_TEXT 4096
#define LOOKUP_IMAGE_PATH 256

struct lookup_question {
    uint32_t tgid;
    uint32_t exec_id; /* how manyth program of the process it is about; 0: not known */
    uint64_t process_start_ns;
    uint64_t cgroup_id; /* the kernel's number of its cgroup; 0: not known */
    char comm[COMM_LEN];
};

/* What is still known of a program that a process ran. */
struct lookup_image {
    bool known;           /* the members from inode on */
    uint32_t origin_tgid; /* the process that executed it, if that is another one; or 0 */
    uint64_t origin_start_ns;
    uint64_t inode; /* of the executable */
    size_t args_len; /* of text: NUL-terminated arguments, */
    size_t text_len; /* then the environment, maybe cut */
    char path[LOOKUP_IMAGE_PATH]; /* NUL-terminated */
    uint8_t text[LOOKUP_IMAGE_TEXT];
};

/* Where such images are to be had. Called in the look-up thread; false: nothing is known. */
struct lookup_images {
    bool (*find)(void *arg, const struct lookup_question *question,
                 struct lookup_image *ret_image);
    void *arg;
};

struct lookup_answer {
    uint32_t tgid;
    uint64_t process_start_ns;
    struct process_facts facts; /* points into text */
    uint8_t text[1024 + SAID_TEXT_MAX + 1];
};

/* Starts the thread. images: copied, or NULL. Returns 0 or a negative errno. */
int lookup_start(const struct lookup_images *images, struct lookup **ret_lookup);
void lookup_stop(struct lookup *lookup); /* NULL is fine */

/* Readable when there are answers. */
int lookup_fd(const struct lookup *lookup);

/* False: the queue is full, and the question forgotten. */
bool lookup_ask(struct lookup *lookup, const struct lookup_question *question);

/* Are there answers? Costs next to nothing. */
bool lookup_has_answers(const struct lookup *lookup);

/* Is any question without the answer that was taken? */
bool lookup_owes(const struct lookup *lookup);

/* The next answer, or false. */
bool lookup_take(struct lookup *lookup, struct lookup_answer *ret_answer);
