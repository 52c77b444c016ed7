/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sorting by trace id, without touching the order within a trace; the contract stands in
 * partition.h. A span begins with its trace id (trace.proto, field 1): 0a 10 and 16 bytes.
 */
#include "exporters/kafka/partition.h"

#include "base/macro.h"

#include <errno.h>

#define TRACE_ID_FIELD "\x0a\x10"

struct place {
    struct trace_id id;
    size_t group, order;
    const struct bytes *span;
};

static struct trace_id trace_of(struct bytes span)
{
    struct trace_id id = {0};

    if (span.len >= 2 + sizeof(id) && memcmp(span.ptr, TRACE_ID_FIELD, 2) == 0)
        memcpy(&id, span.ptr + 2, sizeof(id));
    return id;
}

static int compare(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int r = memcmp(&x->id, &y->id, sizeof(x->id));

    return r ? r : (x->order > y->order) - (x->order < y->order);
}

static void fill_places(const struct batch *batch, struct place *places)
{
    size_t n = 0;

    for (size_t i = 0; i < batch->n_groups; i++)
        for (size_t j = 0; j < batch->groups[i].n_spans; j++, n++)
            places[n] = (struct place){.id = trace_of(batch->groups[i].spans[j]), .group = i,
                                       .order = n, .span = &batch->groups[i].spans[j]};
    qsort(places, n, sizeof(*places), compare);
}

/* The n places of one trace as a batch in `groups` and `spans`, which have room for all. */
static struct batch part_of(const struct batch *batch, const struct place *places, size_t n,
                            struct batch_group *groups, struct bytes *spans)
{
    struct batch part = {.groups = groups, .n_spans = n};
    size_t last = SIZE_MAX;

    for (size_t i = 0; i < n; i++) {
        if (places[i].group != last) {
            last = places[i].group;
            groups[part.n_groups++] = (struct batch_group){batch->groups[last].origin, spans, 0};
            part.n_bytes += batch_origin_size(&batch->groups[last].origin);
        }
        *spans++ = *places[i].span;
        groups[part.n_groups - 1].n_spans++;
        part.n_bytes += places[i].span->len;
    }
    return part;
}

int partition_by_trace(const struct batch *batch, trace_sink sink, void *arg)
{
    _cleanup_(freep) struct place *places = calloc(batch->n_spans + 1, sizeof(*places));
    _cleanup_(freep) struct batch_group *groups = calloc(batch->n_groups + 1, sizeof(*groups));
    _cleanup_(freep) struct bytes *spans = calloc(batch->n_spans + 1, sizeof(*spans));
    size_t n;
    int r = 0;

    if (!places || !groups || !spans)
        return -ENOMEM;
    fill_places(batch, places);
    for (size_t i = 0; i < batch->n_spans && r == 0; i += n) {
        struct batch part;

        for (n = 1; i + n < batch->n_spans; n++)
            if (memcmp(&places[i].id, &places[i + n].id, sizeof(places[i].id)) != 0)
                break;
        part = part_of(batch, places + i, n, groups, spans);
        r = sink(arg, &places[i].id, &part);
    }
    return r;
}
