/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces as sets that can still be joined: a cause holds one; when two turn out to be one, the
 * later is led into the earlier (union-find). A trace is *bound* once its id has been used.
 */
#pragma once

#include "base/pool.h"
#include "span/span.h"

struct trace {
    struct trace *into; /* joined into this one; a reference is held */
    unsigned references;
    bool bound;
    uint8_t flags;
    struct trace_id id;
};

/* A trace with one reference, or NULL when the pool is empty. */
struct trace *trace_new(struct pool *pool, const struct trace_id *id);
struct trace *trace_ref(struct trace *trace);
void trace_unref(struct pool *pool, struct trace *trace); /* NULL is fine */

/* The trace that this one has become. */
struct trace *trace_root(struct trace *trace);

/*
 * From now on `trace` is `into`. False where that would change an id that was already used (both
 * bound, or `trace` bound, to different ids); nothing is changed then.
 */
bool trace_join(struct trace *trace, struct trace *into);
