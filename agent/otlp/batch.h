/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch: spans, each encoded once to the bytes of one OTLP Span, grouped by where they come from.
 * It is built by the core, or by a receiver, sealed, and then shared, unchanged and
 * reference-counted, by all exporters.
 *
 *   groups[0]  origin bytes   spans[0] spans[1] ...     (each: OTLP Span, without tag or length)
 *   groups[1]  origin bytes   spans[k] ...
 */
#pragma once

#include "base/bytes.h"

#include <stdatomic.h>

/* What the spans of a group share: all of it goes out as it was given. */
struct batch_origin {
    struct bytes resource;        /* the bytes of an OTLP Resource */
    struct bytes resource_schema; /* its schema_url, or empty */
    struct bytes scope;           /* of an OTLP InstrumentationScope; empty: flowtrace itself */
    struct bytes scope_schema;    /* its schema_url, or empty */
};

static inline size_t batch_origin_size(const struct batch_origin *origin)
{
    return origin->resource.len + origin->resource_schema.len + origin->scope.len +
           origin->scope_schema.len;
}

struct batch_group {
    struct batch_origin origin;
    const struct bytes *spans;
    size_t n_spans;
};

struct batch {
    _Atomic unsigned references;
    size_t n_groups;
    size_t n_spans;
    size_t n_bytes; /* of all spans and origins */
    const struct batch_group *groups;
};

struct batch *batch_ref(struct batch *batch);
void batch_unref(struct batch *batch); /* NULL is fine */

/*
 * The n spans from number `first` on, as a batch of its own, whose bytes are those of `batch`,
 * which must outlive it. 0 <= first < first + n <= n_spans. Returns 0 or -ENOMEM.
 */
int batch_slice(const struct batch *batch, size_t first, size_t n, struct batch **ret_slice);

struct batch_builder;

/* Holds at most max_spans spans in max_bytes bytes. Returns 0 or -ENOMEM. */
int batch_builder_new(size_t max_spans, size_t max_bytes, struct batch_builder **ret_builder);
void batch_builder_free(struct batch_builder *builder);

/*
 * Adds one encoded span. `origin_key` names the origin (equal keys: the same origin, whose bytes
 * are copied at its first use in a batch). Returns 0, -ENOBUFS (seal first, then again) or -E2BIG
 * (larger than an empty batch).
 */
int batch_builder_add(struct batch_builder *builder, uint64_t origin_key,
                      const struct batch_origin *origin, struct bytes span);

size_t batch_builder_count(const struct batch_builder *builder);
size_t batch_builder_bytes(const struct batch_builder *builder); /* those that a batch has now */

/* Turns what was added into a batch with one reference, and starts anew. 0 or -ENOMEM. */
int batch_builder_seal(struct batch_builder *builder, struct batch **ret_batch);
