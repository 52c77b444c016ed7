/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch back to spans. What a struct span cannot hold of one that a receiver took (lists of other
 * things than texts, more attributes or links than its tables) is left out, attributes are counted
 * as dropped. Ids of other lengths are no span's: -EBADMSG.
 */
#include "otlp/otlp.h"

#include "otlp/messages.h"
#include "otlp/unpack.h"

#include <errno.h>

static struct bytes binary_bytes(ProtobufCBinaryData data)
{
    return (struct bytes){data.data, data.len};
}

/* Where the lists of a span, or resource, are while it is looked at. */
struct texts_store {
    struct bytes items[SPAN_TEXTS_MAX];
    size_t n;
};

static bool get_texts(const OtlpArrayValue *array, struct texts_store *store,
                      struct attribute *attribute)
{
    if (!array || array->n_values > SPAN_TEXTS_MAX - store->n)
        return false;
    attribute->type = ATTRIBUTE_TEXTS;
    attribute->texts.items = store->items + store->n;
    attribute->texts.n = array->n_values;
    for (size_t i = 0; i < array->n_values; i++) {
        if (array->values[i]->value_case != OTLP_VALUE_STRING)
            return false;
        store->items[store->n + i] = binary_bytes(array->values[i]->string_value);
    }
    store->n += array->n_values;
    return true;
}

static bool get_attribute(const OtlpKeyValue *pair, struct texts_store *store,
                          struct attribute *ret_attribute)
{
    struct attribute attribute = {.key = binary_bytes(pair->key)};
    const OtlpAnyValue *value = pair->value;

    if (!value)
        return false;
    switch ((int)value->value_case) {
    case OTLP_VALUE_STRING:
        attribute.type = ATTRIBUTE_TEXT;
        attribute.text = binary_bytes(value->string_value);
        break;
    case OTLP_VALUE_INT:
        attribute.type = ATTRIBUTE_INTEGER;
        attribute.integer = value->int_value;
        break;
    case OTLP_VALUE_DOUBLE:
        attribute.type = ATTRIBUTE_REAL;
        attribute.real = value->double_value;
        break;
    case OTLP_VALUE_BOOL:
        attribute.type = ATTRIBUTE_BOOLEAN;
        attribute.boolean = value->bool_value;
        break;
    case OTLP_VALUE_ARRAY:
        if (!get_texts(value->array_value, store, &attribute))
            return false;
        break;
    default:
        return false;
    }
    *ret_attribute = attribute;
    return true;
}

/* At most `max` of the n; how many. */
static size_t get_attributes(OtlpKeyValue *const *pairs, size_t n, struct texts_store *store,
                             struct attribute *attributes, size_t max)
{
    size_t taken = 0;

    store->n = 0;
    for (size_t i = 0; i < n && taken < max; i++)
        taken += get_attribute(pairs[i], store, &attributes[taken]);
    return taken;
}

static int get_id(ProtobufCBinaryData data, uint8_t *id, size_t len)
{
    if (data.len != len)
        return -EBADMSG;
    memcpy(id, data.data, len);
    return 0;
}

static void get_links(const OtlpSpan *message, struct span *span)
{
    for (size_t i = 0; i < message->n_links; i++) {
        const OtlpLink *link = message->links[i];
        struct span_link ids;

        if (get_id(link->trace_id, ids.trace_id.bytes, sizeof(ids.trace_id.bytes)) == 0 &&
            get_id(link->span_id, ids.span_id.bytes, sizeof(ids.span_id.bytes)) == 0)
            span_add_link(span, &ids.trace_id, &ids.span_id);
    }
}

static int get_span(const OtlpSpan *message, struct texts_store *store, struct span *span)
{
    struct span_id *parent = &span->parent_span_id;

    span_reset(span, NULL);
    if (get_id(message->trace_id, span->trace_id.bytes, sizeof(span->trace_id.bytes)) < 0 ||
        get_id(message->span_id, span->span_id.bytes, sizeof(span->span_id.bytes)) < 0)
        return -EBADMSG;
    if (message->parent_span_id.len > 0 &&
        get_id(message->parent_span_id, parent->bytes, sizeof(parent->bytes)) < 0)
        return -EBADMSG;
    span->trace_state = binary_bytes(message->trace_state);
    span->flags = message->flags;
    span->kind = (enum span_kind)message->kind;
    span->name = binary_bytes(message->name);
    span->start_ns = message->start_time_unix_nano;
    span->end_ns = message->end_time_unix_nano;
    span->dropped_attributes = message->dropped_attributes_count;
    if (message->status) {
        span->status = (enum span_status)message->status->code;
        span->status_message = binary_bytes(message->status->message);
    }
    span->n_attributes = (unsigned)get_attributes(message->attributes, message->n_attributes, store,
                                                  span->attributes, SPAN_ATTRIBUTES_MAX);
    span->dropped_attributes += (unsigned)message->n_attributes - span->n_attributes;
    get_links(message, span);
    return 0;
}

static int decode_group(const struct batch_group *group, otlp_span_sink sink, void *arg)
{
    _cleanup_(message_freep) ProtobufCMessage *message = NULL;
    _cleanup_(freep) struct attribute *attributes = NULL;
    struct texts_store resource_texts, span_texts;
    const OtlpResource *resource;
    size_t n;
    int r = message_unpack(OTLP_RESOURCE_DESCRIPTOR, group->origin.resource, &message);

    if (r < 0)
        return r;
    resource = (const OtlpResource *)message;
    attributes = calloc(resource->n_attributes + 1, sizeof(*attributes));
    if (!attributes)
        return -ENOMEM;
    n = get_attributes(resource->attributes, resource->n_attributes, &resource_texts, attributes,
                       resource->n_attributes);
    for (size_t i = 0; i < group->n_spans && r == 0; i++) {
        _cleanup_(message_freep) ProtobufCMessage *span_message = NULL;
        struct span span;

        r = message_unpack(OTLP_SPAN_DESCRIPTOR, group->spans[i], &span_message);
        if (r == 0)
            r = get_span((const OtlpSpan *)span_message, &span_texts, &span);
        if (r == 0)
            sink(arg, attributes, n, &span);
    }
    return r;
}

int otlp_decode_batch(const struct batch *batch, otlp_span_sink sink, void *arg)
{
    int r = 0;

    for (size_t i = 0; i < batch->n_groups && r == 0; i++)
        r = decode_group(&batch->groups[i], sink, arg);
    return r;
}
