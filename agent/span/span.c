/* SPDX-License-Identifier: Apache-2.0 */
/* Building a span; the contracts stand in span.h. */
#include "span/span.h"

void span_reset(struct span *span, struct arena *arena)
{
    memset(span, 0, offsetof(struct span, attributes));
    span->arena = arena;
    span->max_attributes = SPAN_ATTRIBUTES_MAX;
    span->max_text = ATTRIBUTE_TEXT_MAX;
}

static struct attribute *next_attribute(struct span *span, struct bytes key,
                                        enum attribute_type type)
{
    struct attribute *attribute;

    if (span->n_attributes == SPAN_ATTRIBUTES_MAX) {
        span->dropped_attributes++;
        return NULL;
    }
    attribute = &span->attributes[span->n_attributes++];
    attribute->key = key;
    attribute->type = type;
    return attribute;
}

void span_add_text(struct span *span, struct bytes key, struct bytes text)
{
    struct attribute *attribute = next_attribute(span, key, ATTRIBUTE_TEXT);

    if (attribute)
        attribute->text = text;
}

void span_add_integer(struct span *span, struct bytes key, int64_t integer)
{
    struct attribute *attribute = next_attribute(span, key, ATTRIBUTE_INTEGER);

    if (attribute)
        attribute->integer = integer;
}

void span_add_texts(struct span *span, struct bytes key, const struct bytes *items, size_t n)
{
    struct attribute *attribute = next_attribute(span, key, ATTRIBUTE_TEXTS);

    if (attribute) {
        attribute->texts.items = items;
        attribute->texts.n = n;
    }
}

void span_add_boolean(struct span *span, struct bytes key, bool boolean)
{
    struct attribute *attribute = next_attribute(span, key, ATTRIBUTE_BOOLEAN);

    if (attribute)
        attribute->boolean = boolean;
}

const struct attribute *span_find(const struct span *span, struct bytes key)
{
    for (unsigned i = 0; i < span->n_attributes; i++)
        if (bytes_equal(span->attributes[i].key, key))
            return &span->attributes[i];
    return NULL;
}

void span_add_link(struct span *span, const struct trace_id *trace_id,
                   const struct span_id *span_id)
{
    if (span->n_links < SPAN_LINKS_MAX)
        span->links[span->n_links++] = (struct span_link){*trace_id, *span_id};
}
