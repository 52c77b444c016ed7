/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building a batch, and sharing it. The builder allocates all it ever needs when it is made:
 *
 *   bytes    [ origin A | span 1 | span 2 | origin B | span 3 | ...          free ]
 *   entries  { group, span } per span, in the order of arrival
 *   groups   { key, origin, count } per origin, in the order of first use
 *
 * A sealed batch is one allocation, with the spans of a group side by side:
 *
 *   [ struct batch | groups | spans (pointer, length) | bytes ]
 */
#include "otlp/batch.h"

#include "base/macro.h"
#include "base/table.h"

#include <assert.h>
#include <errno.h>

struct entry {
    size_t group;
    struct bytes span;
};

struct group {
    struct table_link link; /* its key is the origin key */
    struct batch_origin origin;
    size_t n_spans;
};

struct batch_builder {
    size_t max_spans, max_bytes;
    size_t n_spans, n_groups, n_bytes;
    struct entry *entries;
    struct group *groups;
    uint8_t *bytes;
    struct table by_key;
};

struct batch *batch_ref(struct batch *batch)
{
    atomic_fetch_add_explicit(&batch->references, 1, memory_order_relaxed);
    return batch;
}

void batch_unref(struct batch *batch)
{
    unsigned before;

    if (!batch)
        return;
    /* What others did with the batch happens before it is freed. */
    before = atomic_fetch_sub_explicit(&batch->references, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before == 1)
        free(batch);
}

static size_t bytes_in(const struct batch_group *group)
{
    size_t n = batch_origin_size(&group->origin);

    for (size_t i = 0; i < group->n_spans; i++)
        n += group->spans[i].len;
    return n;
}

int batch_slice(const struct batch *batch, size_t first, size_t n, struct batch **ret_slice)
{
    struct batch *slice = malloc(sizeof(*slice) + batch->n_groups * sizeof(struct batch_group));
    struct batch_group *groups = (struct batch_group *)(slice + 1);

    assert(n > 0 && first < batch->n_spans && n <= batch->n_spans - first);
    if (!slice)
        return -ENOMEM;
    *slice = (struct batch){.references = 1, .groups = groups, .n_spans = n};
    for (size_t i = 0; i < batch->n_groups && n > 0; i++) {
        const struct batch_group *group = &batch->groups[i];
        size_t skipped = MIN(first, group->n_spans), taken = MIN(n, group->n_spans - skipped);

        first -= skipped;
        n -= taken;
        if (taken == 0)
            continue;
        *groups = (struct batch_group){group->origin, group->spans + skipped, taken};
        slice->n_bytes += bytes_in(groups++);
        slice->n_groups++;
    }
    *ret_slice = slice;
    return 0;
}

DEFINE_CLEANUP(struct batch_builder, batch_builder_free)

int batch_builder_new(size_t max_spans, size_t max_bytes, struct batch_builder **ret_builder)
{
    _cleanup_(batch_builder_freep) struct batch_builder *builder = calloc(1, sizeof(*builder));
    int r;

    assert(max_spans > 0 && max_bytes > 0);
    if (!builder)
        return -ENOMEM;
    builder->max_spans = max_spans;
    builder->max_bytes = max_bytes;
    builder->entries = calloc(max_spans, sizeof(*builder->entries));
    builder->groups = calloc(max_spans, sizeof(*builder->groups));
    builder->bytes = malloc(max_bytes);
    if (!builder->entries || !builder->groups || !builder->bytes)
        return -ENOMEM;
    r = table_init(&builder->by_key, max_spans);
    if (r < 0)
        return r;
    *ret_builder = TAKE_PTR(builder);
    return 0;
}

void batch_builder_free(struct batch_builder *builder)
{
    if (!builder)
        return;
    table_done(&builder->by_key);
    free(builder->entries);
    free(builder->groups);
    free(builder->bytes);
    free(builder);
}

size_t batch_builder_count(const struct batch_builder *builder)
{
    return builder->n_spans;
}

/* There must be room. */
static struct bytes keep_bytes(struct batch_builder *builder, struct bytes b)
{
    uint8_t *place = builder->bytes + builder->n_bytes;

    if (b.len > 0)
        memcpy(place, b.ptr, b.len);
    builder->n_bytes += b.len;
    return bytes_make(place, b.len);
}

static struct batch_origin keep_origin(struct batch_builder *builder,
                                       const struct batch_origin *origin)
{
    return (struct batch_origin){
        .resource = keep_bytes(builder, origin->resource),
        .resource_schema = keep_bytes(builder, origin->resource_schema),
        .scope = keep_bytes(builder, origin->scope),
        .scope_schema = keep_bytes(builder, origin->scope_schema),
    };
}

int batch_builder_add(struct batch_builder *builder, uint64_t origin_key,
                      const struct batch_origin *origin, struct bytes span)
{
    struct table_link *link = table_find(&builder->by_key, origin_key);
    struct group *group = link ? container_of(link, struct group, link) : NULL;
    size_t origin_len = batch_origin_size(origin);
    size_t needed = span.len + (group ? 0 : origin_len);

    if (span.len > builder->max_bytes || origin_len > builder->max_bytes - span.len)
        return -E2BIG;
    if (builder->n_spans == builder->max_spans || needed > builder->max_bytes - builder->n_bytes)
        return -ENOBUFS;
    if (!group) {
        group = &builder->groups[builder->n_groups++];
        group->origin = keep_origin(builder, origin);
        group->n_spans = 0;
        table_insert(&builder->by_key, origin_key, &group->link);
    }
    group->n_spans++;
    builder->entries[builder->n_spans++] = (struct entry){
        .group = (size_t)(group - builder->groups),
        .span = keep_bytes(builder, span),
    };
    return 0;
}

static struct bytes copy_to(uint8_t **place, struct bytes b)
{
    struct bytes copy = {*place, b.len};

    if (b.len > 0)
        memcpy(*place, b.ptr, b.len);
    *place += b.len;
    return copy;
}

static struct batch_origin copy_origin_to(uint8_t **place, const struct batch_origin *origin)
{
    return (struct batch_origin){
        .resource = copy_to(place, origin->resource),
        .resource_schema = copy_to(place, origin->resource_schema),
        .scope = copy_to(place, origin->scope),
        .scope_schema = copy_to(place, origin->scope_schema),
    };
}

/* Lays the builder's content out behind `batch`, which has the room. */
static void fill_batch(const struct batch_builder *builder, struct batch *batch)
{
    struct batch_group *groups = (struct batch_group *)(batch + 1);
    struct bytes *spans = (struct bytes *)(groups + builder->n_groups);
    uint8_t *place = (uint8_t *)(spans + builder->n_spans);

    for (size_t i = 0; i < builder->n_groups; i++) {
        groups[i].origin = copy_origin_to(&place, &builder->groups[i].origin);
        groups[i].spans = spans;
        groups[i].n_spans = 0;
        spans += builder->groups[i].n_spans;
    }
    for (size_t i = 0; i < builder->n_spans; i++) {
        const struct entry *entry = &builder->entries[i];
        struct batch_group *group = &groups[entry->group];

        ((struct bytes *)group->spans)[group->n_spans++] = copy_to(&place, entry->span);
    }
    batch->groups = groups;
    batch->n_groups = builder->n_groups;
    batch->n_spans = builder->n_spans;
    batch->n_bytes = builder->n_bytes;
}

static void batch_builder_reset(struct batch_builder *builder)
{
    for (size_t i = 0; i < builder->n_groups; i++)
        table_remove(&builder->by_key, &builder->groups[i].link);
    builder->n_spans = 0;
    builder->n_groups = 0;
    builder->n_bytes = 0;
}

size_t batch_builder_bytes(const struct batch_builder *builder)
{
    return builder->n_bytes;
}

int batch_builder_seal(struct batch_builder *builder, struct batch **ret_batch)
{
    struct batch *batch = malloc(sizeof(*batch) + builder->n_groups * sizeof(struct batch_group) +
                                 builder->n_spans * sizeof(struct bytes) + builder->n_bytes);

    if (!batch)
        return -ENOMEM;
    atomic_init(&batch->references, 1);
    fill_batch(builder, batch);
    batch_builder_reset(builder);
    *ret_batch = batch;
    return 0;
}
