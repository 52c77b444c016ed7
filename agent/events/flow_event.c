/* SPDX-License-Identifier: Apache-2.0 */
/* An event's attributes, and the span that it becomes; the contract stands in flow_event.h. */
#include "events/flow_event.h"

#include "base/hash.h"
#include "base/macro.h"
#include "span/context.h"
#include "span/semconv.h"

#include <errno.h>

/* The attributes that are members; all but the last two become attributes of the span (semantic
 * conventions, CloudEvents). */
static const struct {
    const char *name;
    size_t offset;
    const char *key;
} members[] = {
#define ROW(name, member, key) {name, offsetof(struct flow_event, member), key}
    ROW("specversion", spec_version, "cloudevents.event_spec_version"),
    ROW("id", id, "cloudevents.event_id"),
    ROW("source", source, "cloudevents.event_source"),
    ROW("type", type, "cloudevents.event_type"),
    ROW("subject", subject, "cloudevents.event_subject"),
    ROW("time", time, NULL),
    ROW("traceparent", traceparent, NULL),
    ROW("tracestate", tracestate, NULL),
#undef ROW
};

static const char *const extensions[] = {"correlationid", "causationid", "sequence",
                                         "sequencetype", "partitionkey"};

static struct bytes *member_of(struct flow_event *event, size_t i)
{
    return (struct bytes *)((char *)event + members[i].offset);
}

static bool is_extension(struct bytes name)
{
    if (name.len > FLOW_EVENT_NAME_MAX)
        return false;
    if (bytes_starts_with(name, BYTES_LITERAL("bam")))
        return true;
    for (size_t i = 0; i < ELEMENTSOF(extensions); i++)
        if (bytes_equal(name, bytes_from_string(extensions[i])))
            return true;
    return false;
}

void flow_event_set(struct flow_event *event, const struct attribute *value)
{
    for (size_t i = 0; i < ELEMENTSOF(members); i++)
        if (bytes_equal(value->key, bytes_from_string(members[i].name))) {
            if (value->type == ATTRIBUTE_TEXT)
                *member_of(event, i) = value->text;
            return;
        }
    if (is_extension(value->key) && event->n_extensions < FLOW_EVENT_EXTENSIONS_MAX)
        event->extensions[event->n_extensions++] = *value;
}

const char *flow_event_problem(const struct flow_event *event,
                               const struct flow_event_rules *rules)
{
    uint64_t time_ns;

    if (event->type.len == 0)
        return "the event has no type";
    if (event->time.len && rfc3339_parse(event->time, &time_ns) < 0)
        return "the event's time is not as RFC 3339 has it";
    if (rules->lenient)
        return NULL;
    if (!bytes_equal(event->spec_version, BYTES_LITERAL("1.0")))
        return "the event's specversion is not 1.0";
    if (event->id.len == 0)
        return "the event has no id";
    return event->source.len ? NULL : "the event has no source";
}

/* ---- the span -------------------------------------------------------------------------------- */

static void put_hash(uint8_t *id, uint64_t hash)
{
    for (size_t i = 0; i < sizeof(hash); i++)
        id[i] = (uint8_t)(hash >> (56 - 8 * i));
}

static void set_ids(const struct flow_event *event, uint64_t salt, struct span *span)
{
    uint64_t who = hash_pair(hash_bytes(event->source), hash_bytes(event->id));
    struct context_carrier carrier = {0};
    struct trace_context context;
    unsigned invalid;

    if (event->id.len == 0)
        who = hash_pair(who, salt);
    put_hash(span->span_id.bytes, hash_pair(who, 1) ?: 1);
    context_carrier_add(&carrier, CONTEXT_TRACEPARENT, event->traceparent);
    if (event->traceparent.len && context_read(&carrier, &context, &invalid)) {
        span->trace_id = context.trace_id;
        span->parent_span_id = context.span_id;
        span->flags = context.flags;
        if (tracestate_is_valid(event->tracestate))
            span->trace_state = event->tracestate;
        span_add_text(span, FLOWTRACE_PARENT_EVIDENCE, BYTES_LITERAL("header"));
        return;
    }
    put_hash(span->trace_id.bytes, hash_pair(who, 2) ?: 1);
    put_hash(span->trace_id.bytes + 8, hash_pair(who, 3));
    span->flags = CONTEXT_FLAG_SAMPLED;
    span_add_text(span, FLOWTRACE_PARENT_EVIDENCE, BYTES_LITERAL("unknown"));
}

static void add_attribute(struct span *span, struct bytes key, const struct attribute *value)
{
    switch (value->type) {
    case ATTRIBUTE_TEXT:
        span_add_text(span, key, value->text);
        break;
    case ATTRIBUTE_INTEGER:
        span_add_integer(span, key, value->integer);
        break;
    case ATTRIBUTE_BOOLEAN:
        span_add_boolean(span, key, value->boolean);
        break;
    case ATTRIBUTE_REAL:
        span_add_text(span, key, arena_printf(span->arena, "%.17g", value->real));
        break;
    case ATTRIBUTE_TEXTS:
        break; /* CloudEvents has no lists */
    }
}

static void add_attributes(const struct flow_event *event, struct span *span)
{
    for (size_t i = 0; i < ELEMENTSOF(members); i++) {
        const struct bytes *text = (const struct bytes *)((const char *)event + members[i].offset);

        if (members[i].key && text->len)
            span_add_text(span, bytes_from_string(members[i].key), *text);
    }
    for (size_t i = 0; i < event->n_extensions; i++) {
        const struct attribute *extension = &event->extensions[i];

        add_attribute(span, arena_printf(span->arena, "cloudevents.%.*s",
                                         BYTES_PRINTF(extension->key)), extension);
    }
    for (size_t i = 0; i < event->n_data; i++)
        add_attribute(span, arena_printf(span->arena, "flowtrace.data.%.*s",
                                         BYTES_PRINTF(event->data[i].key)), &event->data[i]);
}

void flow_event_span(const struct flow_event *event, uint64_t received_ns, uint64_t salt,
                     struct arena *arena, struct span *ret_span)
{
    span_reset(ret_span, arena);
    ret_span->name = event->type;
    ret_span->kind = SPAN_KIND_INTERNAL;
    ret_span->start_ns = received_ns;
    if (event->time.len)
        rfc3339_parse(event->time, &ret_span->start_ns);
    ret_span->end_ns = ret_span->start_ns;
    set_ids(event, salt, ret_span);
    add_attributes(event, ret_span);
}
