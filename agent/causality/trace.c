/* SPDX-License-Identifier: Apache-2.0 */
/* Joinable traces; the contracts stand in trace.h. */
#include "causality/trace.h"

struct trace *trace_new(struct pool *pool, const struct trace_id *id)
{
    struct trace *trace = pool_take(pool);

    if (trace)
        *trace = (struct trace){.references = 1, .flags = 1, .id = *id};
    return trace;
}

struct trace *trace_ref(struct trace *trace)
{
    trace->references++;
    return trace;
}

void trace_unref(struct pool *pool, struct trace *trace)
{
    while (trace && --trace->references == 0) {
        struct trace *into = trace->into;

        pool_give(pool, trace);
        trace = into;
    }
}

struct trace *trace_root(struct trace *trace)
{
    while (trace->into)
        trace = trace->into;
    return trace;
}

bool trace_join(struct trace *trace, struct trace *into)
{
    trace = trace_root(trace);
    into = trace_root(into);
    if (trace == into)
        return true;
    if (trace->bound) {
        if (memcmp(&trace->id, &into->id, sizeof(trace->id)) != 0)
            return false;
        into->bound = true;
    }
    trace->into = trace_ref(into);
    return true;
}
