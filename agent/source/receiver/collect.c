/* SPDX-License-Identifier: Apache-2.0 */
/* The contract stands in collect.h. */
#include "source/receiver/collect.h"

#include "base/clock.h"
#include "base/hash.h"

#include <errno.h>

#define RESOURCE_MAX (256u << 10)

int collect_init(struct collect *collect, const struct receiver_options *options)
{
    *collect = (struct collect){.options = options, .resource = buffer_make(RESOURCE_MAX)};
    return batch_builder_new(options->settings->batch_spans, options->settings->batch_bytes,
                             &collect->batch);
}

static void seal(struct collect *collect)
{
    struct batch *batch;

    if (batch_builder_count(collect->batch) == 0 ||
        batch_builder_seal(collect->batch, &batch) < 0)
        return; /* no memory now: the spans stay in the builder for the next try */
    collect->options->take_batch(collect->options->arg, batch);
    batch_unref(batch);
}

void collect_done(struct collect *collect)
{
    if (collect->batch)
        seal(collect);
    batch_builder_free(collect->batch);
    collect->batch = NULL;
    buffer_done(&collect->resource);
}

bool collect_has_room(const struct collect *collect, size_t bytes)
{
    /* What was taken and is not given on yet needs its room too. */
    return collect->options->has_room(collect->options->arg,
                                      batch_builder_bytes(collect->batch) + bytes);
}

/* The resource of the origin with what its sender leaves out; made once for the spans of one. */
static struct batch_origin complete(struct collect *collect, const struct peer *peer, uint64_t key,
                                    const struct batch_origin *origin)
{
    struct batch_origin completed = *origin;

    if (collect->resource_key != key) {
        buffer_reset(&collect->resource);
        if (peer_complete(peer, origin->resource, &collect->resource) < 0) {
            buffer_reset(&collect->resource);
            collect->resource_key = 0;
            return completed;
        }
        collect->resource_key = key;
    }
    completed.resource = buffer_bytes(&collect->resource);
    return completed;
}

bool collect_span(struct collect *collect, const struct peer *peer, uint64_t origin_key,
                  const struct batch_origin *origin, struct bytes span)
{
    const struct settings *settings = collect->options->settings;
    uint64_t key = hash_pair(origin_key, peer->key);
    struct batch_origin completed = complete(collect, peer, key, origin);
    int r = batch_builder_add(collect->batch, key, &completed, span);

    if (r == -ENOBUFS) {
        seal(collect);
        r = batch_builder_add(collect->batch, key, &completed, span);
    }
    if (r < 0)
        return false;
    counters_add(collect->options->counters, COUNTER_received_spans, 1);
    if (batch_builder_count(collect->batch) == 1)
        collect->begun_ns = clock_ns(CLOCK_MONOTONIC);
    if (batch_builder_count(collect->batch) >= settings->batch_spans)
        seal(collect);
    return true;
}

int collect_advance(struct collect *collect)
{
    uint64_t age = clock_ns(CLOCK_MONOTONIC) - collect->begun_ns;
    uint64_t most = collect->options->settings->batch_age;

    if (batch_builder_count(collect->batch) == 0)
        return -1;
    if (age < most)
        return (int)((most - age) / NS_PER_MS) + 1;
    seal(collect);
    return -1;
}
