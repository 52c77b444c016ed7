/* SPDX-License-Identifier: Apache-2.0 */
/* Taking requests apart; the contract stands in intake.h. Field numbers: trace.proto. */
#include "otlp/intake.h"

#include "base/hash.h"
#include "otlp/messages.h"
#include "otlp/scan.h"
#include "otlp/unpack.h"
#include "otlp/utf8.h"
#include "otlp/wire.h"

#include <errno.h>

#define TAG(number) ((number) << 3 | WIRE_TYPE_LEN)

enum {
    TAG_RESOURCE_SPANS = TAG(1),
    TAG_RESOURCE = TAG(1),
    TAG_SCOPE_SPANS = TAG(2),
    TAG_SCHEMA_URL = TAG(3),
    TAG_SCOPE = TAG(1),
    TAG_SPAN = TAG(2),
    TAG_TRACE_ID = TAG(1),
    TAG_SPAN_ID = TAG(2),
    TAG_ATTRIBUTE = TAG(1),
    TAG_KEY = TAG(1),
    TAG_VALUE = TAG(2),
    TAG_STRING = TAG(1),
    TAG_INTEGER = 3 << 3 | WIRE_TYPE_VARINT,
};

/* An empty scope is flowtrace's own in a batch: this one says that it has no name. */
#define NAMELESS_SCOPE bytes_make("\x0a", 2)

/* A request is three messages around each span. */
static const struct scan_limits request_limits = {.depth = 20, .fields = 1u << 20};

struct intake {
    otlp_intake_sink sink;
    void *arg;
    struct otlp_intake result;
    struct batch_origin origin;
    uint64_t origin_key;
    bool origin_good;
};

static void reject(struct intake *intake, const char *reason)
{
    intake->result.rejected++;
    intake->result.reason = reason;
}

/* Of a singular field the last one counts, as everywhere in protobuf. */
static struct bytes last_field(struct bytes message, uint64_t tag)
{
    struct reader reader = reader_make(message);
    struct scan_field field;
    struct bytes last = BYTES_NULL;

    while (scan_next(&reader, &field))
        if (field.tag == tag)
            last = field.content;
    return last;
}

static bool id_is_zero(struct bytes id)
{
    static const uint8_t zero[sizeof(struct trace_id)];

    return id.len > sizeof(zero) || memcmp(id.ptr ?: zero, zero, id.len) == 0;
}

static void take_span(struct intake *intake, struct bytes span)
{
    if (!intake->origin_good)
        reject(intake, "the resource or scope has text that is not UTF-8");
    else if (id_is_zero(last_field(span, TAG_TRACE_ID)) ||
             id_is_zero(last_field(span, TAG_SPAN_ID)))
        reject(intake, "a span has no trace id or no span id");
    else if (message_check(OTLP_SPAN_DESCRIPTOR, span) < 0)
        reject(intake, "a span has ids of a wrong length, text that is not UTF-8, or is too deep");
    else if (!intake->sink(intake->arg, intake->origin_key, &intake->origin, span))
        reject(intake, "a span is larger than is taken");
    else
        intake->result.taken++;
}

static void set_scope(struct intake *intake, struct bytes scope_spans)
{
    struct batch_origin *origin = &intake->origin;

    origin->scope = last_field(scope_spans, TAG_SCOPE);
    origin->scope_schema = last_field(scope_spans, TAG_SCHEMA_URL);
    intake->origin_good = message_check(OTLP_RESOURCE_DESCRIPTOR, origin->resource) == 0 &&
                          message_check(OTLP_SCOPE_DESCRIPTOR, origin->scope) == 0 &&
                          utf8_valid(origin->resource_schema) && utf8_valid(origin->scope_schema);
    if (origin->scope.len == 0)
        origin->scope = NAMELESS_SCOPE;
    intake->origin_key = hash_pair(hash_pair(hash_bytes(origin->resource),
                                             hash_bytes(origin->resource_schema)),
                                   hash_pair(hash_bytes(origin->scope),
                                             hash_bytes(origin->scope_schema)));
}

static void take_scope_spans(struct intake *intake, struct bytes scope_spans)
{
    struct reader reader = reader_make(scope_spans);
    struct scan_field field;

    set_scope(intake, scope_spans);
    while (scan_next(&reader, &field))
        if (field.tag == TAG_SPAN)
            take_span(intake, field.content);
}

static void take_resource_spans(struct intake *intake, struct bytes resource_spans)
{
    struct reader reader = reader_make(resource_spans);
    struct scan_field field;

    intake->origin.resource = last_field(resource_spans, TAG_RESOURCE);
    intake->origin.resource_schema = last_field(resource_spans, TAG_SCHEMA_URL);
    while (scan_next(&reader, &field))
        if (field.tag == TAG_SCOPE_SPANS)
            take_scope_spans(intake, field.content);
}

int otlp_read_request(struct bytes request, otlp_intake_sink sink, void *arg,
                      struct otlp_intake *ret_intake)
{
    struct intake intake = {.sink = sink, .arg = arg};
    struct reader reader = reader_make(request);
    struct scan_field field;
    int r = scan_message(OTLP_REQUEST_DESCRIPTOR, request, &request_limits);

    if (r < 0)
        return r;
    while (scan_next(&reader, &field))
        if (field.tag == TAG_RESOURCE_SPANS)
            take_resource_spans(&intake, field.content);
    *ret_intake = intake.result;
    return 0;
}

/* The last varint field with this tag, or 0. */
static int64_t last_integer(struct bytes message, uint64_t tag)
{
    struct reader reader = reader_make(message);
    struct scan_field field;
    int64_t last = 0;

    while (scan_next(&reader, &field))
        if (field.tag == tag)
            last = (int64_t)field.number;
    return last;
}

void otlp_each_attribute(struct bytes resource, otlp_attribute_sink sink, void *arg)
{
    struct reader reader = reader_make(resource);
    struct scan_field field;

    while (scan_next(&reader, &field)) {
        struct bytes value;

        if (field.tag != TAG_ATTRIBUTE)
            continue;
        value = last_field(field.content, TAG_VALUE);
        sink(arg, last_field(field.content, TAG_KEY), last_field(value, TAG_STRING),
             last_integer(value, TAG_INTEGER));
    }
}
