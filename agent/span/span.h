/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one data model: a span as OpenTelemetry defines it (opentelemetry-proto 1.x, trace.proto),
 * before it is encoded. A span is built on the stack of the core, its strings point into the
 * exchange or into the scratch arena given with it, and it is encoded before either goes away.
 */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"

#define SPAN_ATTRIBUTES_MAX 128
#define ATTRIBUTE_TEXT_MAX 4096 /* characters of a value, where nothing else is said */
#define SPAN_LINKS_MAX 4
#define SPAN_TEXTS_MAX 64 /* items of all lists of a span */

struct trace_id {
    uint8_t bytes[16]; /* all zero: none */
};

struct span_id {
    uint8_t bytes[8]; /* all zero: none */
};

/* The numbers are OTLP's Span.SpanKind. */
enum span_kind {
    SPAN_KIND_UNSPECIFIED = 0,
    SPAN_KIND_INTERNAL = 1,
    SPAN_KIND_SERVER = 2,
    SPAN_KIND_CLIENT = 3,
    SPAN_KIND_PRODUCER = 4,
    SPAN_KIND_CONSUMER = 5,
};

/* The numbers are OTLP's Status.StatusCode. */
enum span_status { SPAN_STATUS_UNSET = 0, SPAN_STATUS_OK = 1, SPAN_STATUS_ERROR = 2 };

enum attribute_type { ATTRIBUTE_TEXT, ATTRIBUTE_INTEGER, ATTRIBUTE_REAL, ATTRIBUTE_BOOLEAN,
                      ATTRIBUTE_TEXTS };

struct attribute {
    struct bytes key;
    enum attribute_type type;
    union {
        struct bytes text;
        int64_t integer;
        double real;
        bool boolean;
        struct {
            const struct bytes *items;
            size_t n;
        } texts;
    };
};

struct span_link {
    struct trace_id trace_id;
    struct span_id span_id;
};

struct span {
    struct trace_id trace_id;
    struct span_id span_id;
    struct span_id parent_span_id; /* zero: a root */
    struct bytes trace_state;      /* W3C tracestate, or empty */
    uint32_t flags;                /* W3C trace flags, low 8 bits */
    enum span_kind kind;
    struct bytes name;
    struct bytes plain_name; /* in place of `name` once its service has too many; empty: none */
    uint64_t start_ns; /* UNIX time */
    uint64_t end_ns;
    enum span_status status;
    struct bytes status_message;
    struct bytes told_name; /* that the exchange found the addresses of, or empty; not exported */
    const struct bytes *told_addresses; /* as text */
    size_t n_told_addresses;
    unsigned n_attributes;
    unsigned n_links;
    unsigned dropped_attributes; /* that found the table below full, or are beyond ... */
    unsigned max_attributes;     /* ... so many, with those that the encoder adds */
    size_t max_text;             /* characters: the value of an attribute is cut to so many */
    struct attribute attributes[SPAN_ATTRIBUTES_MAX];
    struct span_link links[SPAN_LINKS_MAX];
    struct arena *arena; /* scratch for strings made while describing; reset per span */
};

static inline bool trace_id_is_zero(const struct trace_id *id)
{
    static const struct trace_id zero;
    return memcmp(id, &zero, sizeof(zero)) == 0;
}

static inline bool span_id_is_zero(const struct span_id *id)
{
    static const struct span_id zero;
    return memcmp(id, &zero, sizeof(zero)) == 0;
}

static inline bool span_id_equal(const struct span_id *a, const struct span_id *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* Empties the span, whose limits are then the largest; the arrays keep their stale content. */
void span_reset(struct span *span, struct arena *arena);

/*
 * Add an attribute. `key` is one of semconv.h or another string that outlives the span; texts, and
 * a list of them, are not copied. A full table counts the attribute as dropped. Keys are not checked for repetition.
 */
void span_add_text(struct span *span, struct bytes key, struct bytes text);
void span_add_integer(struct span *span, struct bytes key, int64_t integer);
void span_add_texts(struct span *span, struct bytes key, const struct bytes *items, size_t n);
void span_add_boolean(struct span *span, struct bytes key, bool boolean);

/* The attribute with this key, or NULL. */
const struct attribute *span_find(const struct span *span, struct bytes key);

/* Links beyond SPAN_LINKS_MAX are left out. */
void span_add_link(struct span *span, const struct trace_id *trace_id,
                   const struct span_id *span_id);
