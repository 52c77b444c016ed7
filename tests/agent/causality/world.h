/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world of causality's tests: exchanges' ends of processes and threads that exist in name only,
 * each a little later than the last one. A test case gets its own from setup.
 */
#pragma once

#include "causality/causality.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define BOUND 16 /* requests with their calls that show a process to be thread-bound */

struct world {
    struct causality *causality;
    struct counters counters;
    uint64_t now_ns;
    uint64_t next_position;
};

int setup(void **state);
int teardown(void **state);

/* Of the exchange at this position; it is not begun. */
struct cause make(struct world *world, enum span_kind kind, uint32_t tgid, uint32_t tid,
                  uint64_t position);

/* On an exchange of its own: a request comes in, or is sent; and with the beginning of its body. */
void begin(struct world *world, struct cause *cause, enum span_kind kind, uint32_t tgid,
           uint32_t tid, const char *head, const char *content);
void serve(struct world *world, struct cause *cause, uint32_t tgid, uint32_t tid, const char *head);
void call(struct world *world, struct cause *cause, uint32_t tgid, uint32_t tid, const char *head);

/* Answered by `tid`; or by the thread that began it, and released. */
void answer(struct world *world, struct cause *cause, uint32_t tid);
void finish(struct world *world, struct cause *cause);

/* n requests, one after the other, with a call each, all in one thread. */
void serve_in_turn(struct world *world, uint32_t tgid, uint32_t tid, int n);

struct lineage settle(struct world *world, struct cause *cause);
