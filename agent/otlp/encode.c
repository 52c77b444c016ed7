/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A span, and the attributes of a resource, to protobuf: by hand, since this is the one place where
 * every span passes and libprotobuf-c, which walks a message once to measure it and, for each level
 * of nesting, again to write it, took a third of the core's time. It stays the oracle in the tests.
 *
 *   measure   every text and message, once, innermost first
 *   extend    the buffer by exactly that
 *   write     in the order of the field numbers, as protobuf libraries do
 *
 * Fields with their default value are left out (proto3), but for the value of an attribute, which
 * is a oneof. Nothing is allocated but, at times, the growth of the buffer.
 */
#include "otlp/otlp.h"

#include "base/macro.h"
#include "otlp/utf8.h"
#include "otlp/wire.h"
#include "span/semconv.h"

#include <assert.h>
#include <errno.h>

/* Field numbers of trace.proto, resource.proto and common.proto. */
enum {
    SPAN_TRACE_ID = 1,
    SPAN_SPAN_ID = 2,
    SPAN_TRACE_STATE = 3,
    SPAN_PARENT_SPAN_ID = 4,
    SPAN_NAME = 5,
    SPAN_KIND = 6,
    SPAN_START = 7,
    SPAN_END = 8,
    SPAN_ATTRIBUTES = 9,
    SPAN_DROPPED_ATTRIBUTES = 10,
    SPAN_LINKS = 13,
    SPAN_STATUS = 15,
    SPAN_FLAGS = 16,
    LINK_TRACE_ID = 1,
    LINK_SPAN_ID = 2,
    STATUS_MESSAGE = 2,
    STATUS_CODE = 3,
    RESOURCE_ATTRIBUTES = 1,
    PAIR_KEY = 1,
    PAIR_VALUE = 2,
    VALUE_STRING = 1,
    VALUE_BOOL = 2,
    VALUE_INT = 3,
    VALUE_DOUBLE = 4,
    VALUE_ARRAY = 5,
    ARRAY_VALUES = 1,
};

#define TRACE_ID_LEN sizeof(struct trace_id)
#define SPAN_ID_LEN sizeof(struct span_id)
#define FIXED64_SIZE (1 + sizeof(uint64_t))
#define FLAGS_SIZE (2 + sizeof(uint32_t)) /* field 16 has a tag of two bytes */

/* ---- measuring ------------------------------------------------------------------------------- */

/* A text as it will be written. */
struct measured_text {
    struct bytes text;
    size_t size;
    bool valid; /* UTF-8: copied as it is */
};

struct measured_attribute {
    const struct attribute *attribute;
    struct measured_text key;
    struct measured_text text; /* of an attribute that is one */
    size_t list_size;          /* ArrayValue, of one that is a list, */
    size_t max_text;           /* whose items were cut there */
    size_t value_size;         /* AnyValue, without its head */
    size_t size;               /* KeyValue, without its head */
};

/* What was done to the texts that were measured, to be told by attributes of its own. */
struct marks {
    size_t max_text; /* characters of a value */
    int64_t repaired, cut;
};

#define MARKS_MAX 2

static struct measured_text measure_text(struct bytes text, struct marks *marks)
{
    bool valid = utf8_valid(text);

    marks->repaired += !valid;
    return (struct measured_text){text, valid ? text.len : utf8_repaired_size(text), valid};
}

static struct bytes cut_text(struct bytes text, struct marks *marks)
{
    size_t len = text.len > marks->max_text ? utf8_cut(text, marks->max_text) : text.len;

    marks->cut += len < text.len;
    return bytes_slice(text, 0, len);
}

/* Of a text field that is left out where it is empty. */
static size_t text_field_size(const struct measured_text *text)
{
    return text->size ? wire_field_size(text->size) : 0;
}

/* Of a number field that is left out where it is zero. */
static size_t varint_field_size(uint64_t value)
{
    return value ? 1 + wire_varint_size(value) : 0;
}

static size_t fixed64_field_size(uint64_t value)
{
    return value ? FIXED64_SIZE : 0;
}

/* The items of a list, each an AnyValue: what they need. */
static size_t measure_texts(const struct attribute *attribute, struct marks *marks)
{
    size_t size = 0;

    for (size_t i = 0; i < attribute->texts.n; i++) {
        struct measured_text item =
            measure_text(cut_text(attribute->texts.items[i], marks), marks);

        size += wire_field_size(wire_field_size(item.size));
    }
    return size;
}

static size_t measure_value(struct measured_attribute *measured, struct marks *marks)
{
    const struct attribute *attribute = measured->attribute;

    switch (attribute->type) {
    case ATTRIBUTE_TEXT:
        measured->text = measure_text(cut_text(attribute->text, marks), marks);
        return wire_field_size(measured->text.size);
    case ATTRIBUTE_INTEGER:
        return 1 + wire_varint_size((uint64_t)attribute->integer);
    case ATTRIBUTE_REAL:
        return FIXED64_SIZE;
    case ATTRIBUTE_BOOLEAN:
        return 2;
    case ATTRIBUTE_TEXTS:
        measured->list_size = measure_texts(attribute, marks);
        measured->max_text = marks->max_text;
        return wire_field_size(measured->list_size);
    }
    return 0;
}

static void measure_attribute(const struct attribute *attribute, struct marks *marks,
                              struct measured_attribute *ret_measured)
{
    ret_measured->attribute = attribute;
    ret_measured->key = measure_text(attribute->key, marks);
    ret_measured->value_size = measure_value(ret_measured, marks);
    ret_measured->size =
        text_field_size(&ret_measured->key) + wire_field_size(ret_measured->value_size);
}

/* The attributes that tell of the marks, at most MARKS_MAX. Returns how many. */
static unsigned make_marks(const struct marks *marks, struct attribute *attributes)
{
    unsigned n = 0;

    if (marks->repaired)
        attributes[n++] = (struct attribute){.key = FLOWTRACE_TEXTS_REPAIRED,
                                             .type = ATTRIBUTE_INTEGER,
                                             .integer = marks->repaired};
    if (marks->cut)
        attributes[n++] = (struct attribute){.key = FLOWTRACE_ATTRIBUTES_CUT,
                                             .type = ATTRIBUTE_INTEGER,
                                             .integer = marks->cut};
    return n;
}

/* ---- writing --------------------------------------------------------------------------------- */

static uint8_t *put_bytes(uint8_t *place, unsigned number, const void *bytes, size_t len)
{
    place = wire_put_head(place, number, len);
    memcpy(place, bytes, len);
    return place + len;
}

static uint8_t *put_text(uint8_t *place, unsigned number, const struct measured_text *text)
{
    place = wire_put_head(place, number, text->size);
    if (!text->valid)
        utf8_repair(text->text, place);
    else if (text->size)
        memcpy(place, text->text.ptr, text->size);
    return place + text->size;
}

static uint8_t *put_text_field(uint8_t *place, unsigned number, const struct measured_text *text)
{
    return text->size ? put_text(place, number, text) : place;
}

static uint8_t *put_varint(uint8_t *place, unsigned number, uint64_t value)
{
    *place++ = (uint8_t)(number << 3 | WIRE_TYPE_VARINT);
    return wire_put_varint(place, value);
}

static uint8_t *put_varint_field(uint8_t *place, unsigned number, uint64_t value)
{
    return value ? put_varint(place, number, value) : place;
}

static uint8_t *put_fixed64(uint8_t *place, unsigned number, uint64_t value)
{
    *place++ = (uint8_t)(number << 3 | WIRE_TYPE_FIXED64);
    return wire_put_le(place, value, sizeof(value));
}

static uint8_t *put_fixed64_field(uint8_t *place, unsigned number, uint64_t value)
{
    return value ? put_fixed64(place, number, value) : place;
}

/* Out of line: lists are rare, and their frame would be made for every attribute. */
__attribute__((noinline)) static uint8_t *put_texts(uint8_t *place,
                                                    const struct measured_attribute *measured)
{
    const struct attribute *attribute = measured->attribute;
    struct marks counted = {.max_text = measured->max_text}; /* when it was measured */

    place = wire_put_head(place, VALUE_ARRAY, measured->list_size);
    for (size_t i = 0; i < attribute->texts.n; i++) {
        struct measured_text item =
            measure_text(cut_text(attribute->texts.items[i], &counted), &counted);

        place = wire_put_head(place, ARRAY_VALUES, wire_field_size(item.size));
        place = put_text(place, VALUE_STRING, &item);
    }
    return place;
}

static uint8_t *put_value(uint8_t *place, const struct measured_attribute *measured)
{
    const struct attribute *attribute = measured->attribute;
    uint64_t real;

    switch (attribute->type) {
    case ATTRIBUTE_TEXT:
        return put_text(place, VALUE_STRING, &measured->text);
    case ATTRIBUTE_INTEGER:
        return put_varint(place, VALUE_INT, (uint64_t)attribute->integer);
    case ATTRIBUTE_REAL:
        memcpy(&real, &attribute->real, sizeof(real));
        return put_fixed64(place, VALUE_DOUBLE, real);
    case ATTRIBUTE_BOOLEAN:
        return put_varint(place, VALUE_BOOL, attribute->boolean);
    case ATTRIBUTE_TEXTS:
        return put_texts(place, measured);
    }
    return place;
}

static uint8_t *put_attribute(uint8_t *place, unsigned number,
                              const struct measured_attribute *measured)
{
    place = wire_put_head(place, number, measured->size);
    place = put_text_field(place, PAIR_KEY, &measured->key);
    place = wire_put_head(place, PAIR_VALUE, measured->value_size);
    return put_value(place, measured);
}

/* ---- a span ---------------------------------------------------------------------------------- */

struct measured_span {
    struct measured_text trace_state;
    struct measured_text name;
    struct measured_text status_message;
    struct measured_attribute attributes[SPAN_ATTRIBUTES_MAX];
    struct attribute marks[MARKS_MAX];
    unsigned n_attributes; /* with the marks */
    unsigned n_dropped;
    size_t link_size;   /* each */
    size_t status_size; /* 0: left out */
    size_t size;
};

static size_t measure_status(const struct span *span, struct marks *marks,
                             struct measured_span *measured)
{
    measured->status_message = measure_text(span->status_message, marks);
    measured->status_size = text_field_size(&measured->status_message) +
                            varint_field_size((uint64_t)span->status);
    return measured->status_size ? wire_field_size(measured->status_size) : 0;
}

/* The span's own, then those that tell what was done to it. Returns their size. */
static size_t measure_attributes(const struct span *span, struct marks *marks,
                                 struct measured_span *measured)
{
    struct marks none = {.max_text = SIZE_MAX}; /* of the marks themselves */
    unsigned n, n_marks, room = MAX(span->max_attributes, span->n_attributes) - span->n_attributes;
    size_t size = 0;

    for (unsigned i = 0; i < span->n_attributes; i++)
        measure_attribute(&span->attributes[i], marks, &measured->attributes[i]);
    n_marks = make_marks(marks, measured->marks);
    n = MIN(n_marks, room);
    for (unsigned i = 0; i < n; i++)
        measure_attribute(&measured->marks[i], &none,
                          &measured->attributes[span->n_attributes + i]);
    measured->n_attributes = span->n_attributes + n;
    measured->n_dropped = span->dropped_attributes + n_marks - n;
    for (unsigned i = 0; i < measured->n_attributes; i++)
        size += wire_field_size(measured->attributes[i].size);
    return size;
}

static void measure_span(const struct span *span, struct measured_span *ret_measured)
{
    size_t size = wire_field_size(TRACE_ID_LEN) + wire_field_size(SPAN_ID_LEN);
    struct marks marks = {.max_text = span->max_text};

    ret_measured->trace_state = measure_text(span->trace_state, &marks);
    ret_measured->name = measure_text(span->name, &marks);
    ret_measured->link_size = wire_field_size(TRACE_ID_LEN) + wire_field_size(SPAN_ID_LEN);
    size += text_field_size(&ret_measured->trace_state) + text_field_size(&ret_measured->name);
    if (!span_id_is_zero(&span->parent_span_id))
        size += wire_field_size(SPAN_ID_LEN);
    size += varint_field_size((uint64_t)span->kind) + fixed64_field_size(span->start_ns) +
            fixed64_field_size(span->end_ns);
    size += span->n_links * wire_field_size(ret_measured->link_size);
    size += measure_status(span, &marks, ret_measured);
    size += measure_attributes(span, &marks, ret_measured);
    size += varint_field_size(ret_measured->n_dropped);
    ret_measured->size = size + (span->flags ? FLAGS_SIZE : 0);
}

static uint8_t *put_link(uint8_t *place, const struct span_link *link, size_t size)
{
    place = wire_put_head(place, SPAN_LINKS, size);
    place = put_bytes(place, LINK_TRACE_ID, &link->trace_id, TRACE_ID_LEN);
    return put_bytes(place, LINK_SPAN_ID, &link->span_id, SPAN_ID_LEN);
}

static uint8_t *put_status(uint8_t *place, const struct span *span,
                           const struct measured_span *measured)
{
    if (!measured->status_size)
        return place;
    place = wire_put_head(place, SPAN_STATUS, measured->status_size);
    place = put_text_field(place, STATUS_MESSAGE, &measured->status_message);
    return put_varint_field(place, STATUS_CODE, (uint64_t)span->status);
}

static uint8_t *put_flags(uint8_t *place, uint32_t flags)
{
    if (!flags)
        return place;
    place = wire_put_varint(place, SPAN_FLAGS << 3 | WIRE_TYPE_FIXED32);
    return wire_put_le(place, flags, sizeof(flags));
}

static uint8_t *put_span(uint8_t *place, const struct span *span,
                         const struct measured_span *measured)
{
    place = put_bytes(place, SPAN_TRACE_ID, &span->trace_id, TRACE_ID_LEN);
    place = put_bytes(place, SPAN_SPAN_ID, &span->span_id, SPAN_ID_LEN);
    place = put_text_field(place, SPAN_TRACE_STATE, &measured->trace_state);
    if (!span_id_is_zero(&span->parent_span_id))
        place = put_bytes(place, SPAN_PARENT_SPAN_ID, &span->parent_span_id, SPAN_ID_LEN);
    place = put_text_field(place, SPAN_NAME, &measured->name);
    place = put_varint_field(place, SPAN_KIND, (uint64_t)span->kind);
    place = put_fixed64_field(place, SPAN_START, span->start_ns);
    place = put_fixed64_field(place, SPAN_END, span->end_ns);
    for (unsigned i = 0; i < measured->n_attributes; i++)
        place = put_attribute(place, SPAN_ATTRIBUTES, &measured->attributes[i]);
    place = put_varint_field(place, SPAN_DROPPED_ATTRIBUTES, measured->n_dropped);
    for (unsigned i = 0; i < span->n_links; i++)
        place = put_link(place, &span->links[i], measured->link_size);
    place = put_status(place, span, measured);
    return put_flags(place, span->flags);
}

int otlp_encode_span(const struct span *span, struct buffer *buffer)
{
    struct measured_span measured;
    uint8_t *place, *end;

    assert(span->n_attributes <= SPAN_ATTRIBUTES_MAX && span->n_links <= SPAN_LINKS_MAX);
    measure_span(span, &measured);
    place = buffer_extend(buffer, measured.size);
    if (!place)
        return -ENOBUFS;
    end = put_span(place, span, &measured);
    assert(end == place + measured.size);
    return (int)(measured.n_dropped - span->dropped_attributes);
}

/* A Resource is its attributes, one after the other. */
static int append_attributes(const struct attribute *attributes, size_t n, struct marks *marks,
                             struct buffer *buffer)
{
    struct measured_attribute measured;
    uint8_t *place;

    for (size_t i = 0; i < n; i++) {
        measure_attribute(&attributes[i], marks, &measured);
        place = buffer_extend(buffer, wire_field_size(measured.size));
        if (!place)
            return -ENOBUFS;
        put_attribute(place, RESOURCE_ATTRIBUTES, &measured);
    }
    return 0;
}

int otlp_encode_resource(const struct attribute *attributes, size_t n, struct buffer *buffer)
{
    struct marks marks = {.max_text = ATTRIBUTE_TEXT_MAX}, none = {.max_text = SIZE_MAX};
    struct attribute told[MARKS_MAX];
    size_t before = buffer->len;
    int r;

    r = append_attributes(attributes, n, &marks, buffer);
    if (r == 0)
        r = append_attributes(told, make_marks(&marks, told), &none, buffer);
    if (r < 0)
        buffer->len = before;
    return r;
}
