/* SPDX-License-Identifier: Apache-2.0 */
/* The shared samples; what they hold stands in samples.h. */
#include "samples.h"

#include "base/macro.h"
#include "span/semconv.h"

#include <assert.h>

/* 2024-01-01 00:00:00 UTC. */
#define START_NS UINT64_C(1704067200000000000)

static const struct trace_id trace_id = {{0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84,
                                          0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c}};
static const struct span_id span_id = {{0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31}};
static const struct span_id parent_id = {{0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7}};

static void add_real(struct span *span, struct bytes key, double real)
{
    span->attributes[span->n_attributes++] =
        (struct attribute){.key = key, .type = ATTRIBUTE_REAL, .real = real};
}

void sample_bare_span(struct span *span)
{
    span_reset(span, NULL);
    span->trace_id = trace_id;
    span->span_id = span_id;
    span->name = BYTES_LITERAL("GET");
    span->start_ns = START_NS;
    span->end_ns = START_NS + 1;
}

void sample_full_span(struct span *span)
{
    static const struct bytes list[] = {
        {(const uint8_t *)"192.0.2.1", 9}, {(const uint8_t *)"", 0}, {(const uint8_t *)"\xff", 1}};

    sample_bare_span(span);
    span->parent_span_id = parent_id;
    span->trace_state = BYTES_LITERAL("vendor=1");
    span->flags = 1;
    span->kind = SPAN_KIND_CLIENT;
    span->name = BYTES_LITERAL("GET /caf\xc3\xa9/\xff");
    span->end_ns = START_NS + 1500000;
    span->status = SPAN_STATUS_ERROR;
    span->status_message = BYTES_LITERAL("broken \xf0\x9f\x98 pipe");
    span->dropped_attributes = 2;
    span_add_text(span, BYTES_LITERAL("http.request.method"), BYTES_LITERAL("GET"));
    span_add_text(span, BYTES_LITERAL("empty"), BYTES_NULL);
    span_add_text(span, BYTES_LITERAL("nul"), BYTES_LITERAL("a\0b \"c\""));
    span_add_integer(span, SEMCONV_SERVER_PORT, 8080);
    span_add_integer(span, BYTES_LITERAL("smallest"), INT64_MIN);
    span_add_integer(span, BYTES_LITERAL("zero"), 0);
    span_add_boolean(span, FLOWTRACE_INCOMPLETE, true);
    span_add_boolean(span, BYTES_LITERAL("no"), false);
    add_real(span, BYTES_LITERAL("ratio"), 0.25);
    add_real(span, BYTES_LITERAL("endless"), __builtin_inf());
    span_add_texts(span, BYTES_LITERAL("list"), list, ELEMENTSOF(list));
    span_add_texts(span, BYTES_LITERAL("none"), NULL, 0);
    span_add_link(span, &trace_id, &parent_id);
}

void sample_resource(const char *service, struct buffer *buffer)
{
    struct attribute attributes[] = {
        {.key = SEMCONV_SERVICE_NAME, .type = ATTRIBUTE_TEXT, .text = bytes_from_string(service)},
        {.key = SEMCONV_PROCESS_PID, .type = ATTRIBUTE_INTEGER, .integer = 4711},
    };
    size_t n = strcmp(service, "shop") == 0 ? 2 : 1;
    int r = otlp_encode_resource(attributes, n, buffer);

    assert(r == 0);
    (void)r;
}

static void add_span(struct batch_builder *builder, const char *service,
                     void (*sample)(struct span *))
{
    _cleanup_(buffer_done) struct buffer resource = buffer_make(4096);
    _cleanup_(buffer_done) struct buffer encoded = buffer_make(4096);
    struct batch_origin origin;
    struct span span;
    int r;

    sample(&span);
    sample_resource(service, &resource);
    origin = (struct batch_origin){.resource = buffer_bytes(&resource)};
    r = otlp_encode_span(&span, &encoded);
    assert(r == 0);
    r = batch_builder_add(builder, (uint64_t)service[0], &origin, buffer_bytes(&encoded));
    assert(r == 0);
    (void)r;
}

struct batch *sample_batch(void)
{
    struct batch_builder *builder;
    struct batch *batch = NULL;

    if (batch_builder_new(8, 8192, &builder) < 0)
        return NULL;
    add_span(builder, "shop", sample_full_span);
    add_span(builder, "cart", sample_bare_span);
    add_span(builder, "shop", sample_bare_span);
    batch_builder_seal(builder, &batch);
    batch_builder_free(builder);
    return batch;
}
