/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Business events: CloudEvents 1.0 (github.com/cloudevents/spec, v1.0.2) as JSON, as a batch of it,
 * or attribute by attribute from headers; and the span that an event becomes. Pure functions.
 *
 *   JSON --flow_events_read--------.
 *   headers --flow_event_set-------+--> struct flow_event --flow_event_span--> struct span
 *
 * An event becomes a span without duration, of kind INTERNAL, that is called as its type. Of the
 * event's extensions the span has those that say how it is joined (correlationid, causationid,
 * sequence, sequencetype, partitionkey, bam*), of its data what a rule names, and no more.
 */
#pragma once

#include "base/buffer.h"
#include "span/span.h"

#define FLOW_EVENT_EXTENSIONS_MAX 24
#define FLOW_EVENT_NAME_MAX 32 /* of an attribute: the specification asks for at most 20 */

struct flow_event {
    struct bytes spec_version, id, source, type, subject, time;
    struct bytes traceparent, tracestate; /* the distributed tracing extension */
    size_t n_extensions;
    struct attribute extensions[FLOW_EVENT_EXTENSIONS_MAX]; /* keys as in the event */
    size_t n_data;
    struct attribute data[FLOW_EVENT_EXTENSIONS_MAX]; /* keys are the rules' */
};

struct flow_event_rules {
    /* What a person types needs a type and no more; else what the specification requires is. */
    bool lenient;
    /* Members of the data that become attributes, "order.total": the path through objects. */
    const char *const *fields;
    size_t n_fields;
};

/* The event is valid inside the call only. */
typedef void (*flow_event_sink)(void *arg, const struct flow_event *event);

/*
 * Gives the event, or with `batch` the events of the list, to `sink`, after all of them were found
 * to be good. Returns 0 or -EBADMSG, with one clause for people in *ret_reason.
 */
int flow_events_read(struct bytes json, bool batch, const struct flow_event_rules *rules,
                     flow_event_sink sink, void *arg, const char **ret_reason);

/*
 * Sets a context attribute by its name, in lower case. What the span does not have is passed over,
 * and so is what finds the table full. The value is not copied.
 */
void flow_event_set(struct flow_event *event, const struct attribute *value);

/* Takes what the rules name from JSON data of the event; data of other kinds is not looked at. */
int flow_event_read_data(struct flow_event *event, struct bytes json,
                         const struct flow_event_rules *rules, flow_event_sink sink, void *arg,
                         const char **ret_reason);

/* NULL, or what is wrong with it, one clause for people. */
const char *flow_event_problem(const struct flow_event *event,
                               const struct flow_event_rules *rules);

/*
 * The span that the event becomes: of its time, or of `received_ns` where it has none. Its ids
 * follow from source and id (and from `salt` where there is no id): the same event twice is the
 * same span.
 * A traceparent makes it a child. Strings are the event's or the arena's.
 */
void flow_event_span(const struct flow_event *event, uint64_t received_ns, uint64_t salt,
                     struct arena *arena, struct span *ret_span);

/*
 * Appends the event as one JSON object, with `data` (JSON, or empty: none) in it. Returns 0,
 * -EBADMSG (the data is no JSON, or a text no UTF-8) or -ENOBUFS.
 */
int flow_event_to_json(const struct flow_event *event, struct bytes data, struct buffer *buffer);

/* RFC 3339, section 5.6, to UNIX time in nanoseconds. Returns 0 or -EINVAL. */
int rfc3339_parse(struct bytes text, uint64_t *ret_ns);
