/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include "otlp/otlp.h"
#include "span/semconv.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define BATCH_BYTES_MAX (1 << 24)

DEFINE_CLEANUP(struct batch_builder, batch_builder_free)

void sample_span(const struct sample *sample, struct span *ret_span)
{
    span_reset(ret_span, NULL);
    memset(ret_span->trace_id.bytes, sample->trace, sizeof(ret_span->trace_id.bytes));
    memset(ret_span->span_id.bytes, sample->id, sizeof(ret_span->span_id.bytes));
    memset(ret_span->parent_span_id.bytes, sample->parent, sizeof(ret_span->parent_span_id.bytes));
    ret_span->kind = sample->kind;
    ret_span->name = bytes_from_string(sample->name);
    ret_span->start_ns = SAMPLE_EPOCH_NS + sample->start_us * 1000;
    ret_span->end_ns = SAMPLE_EPOCH_NS + sample->end_us * 1000;
    if (sample->evidence)
        span_add_text(ret_span, FLOWTRACE_PARENT_EVIDENCE, bytes_from_string(sample->evidence));
    if (sample->error) {
        ret_span->status = SPAN_STATUS_ERROR;
        span_add_text(ret_span, SEMCONV_ERROR_TYPE, bytes_from_string(sample->error));
    }
}

static void add(struct batch_builder *builder, const struct sample *sample)
{
    _cleanup_(buffer_done) struct buffer resource = buffer_make(BATCH_BYTES_MAX);
    _cleanup_(buffer_done) struct buffer bytes = buffer_make(BATCH_BYTES_MAX);
    struct attribute service = {.key = SEMCONV_SERVICE_NAME,
                                .text = bytes_from_string(sample->service)};
    struct span span;
    struct batch_origin origin = {0};
    uint64_t key = 0;

    sample_span(sample, &span);
    for (const char *c = sample->service; *c; c++)
        key = key * 31 + (uint8_t)*c;
    assert_int_equal(otlp_encode_resource(&service, 1, &resource), 0);
    assert_int_equal(otlp_encode_span(&span, &bytes), 0);
    origin.resource = buffer_bytes(&resource);
    assert_int_equal(batch_builder_add(builder, key, &origin, buffer_bytes(&bytes)), 0);
}

struct batch *sample_batch(const struct sample *samples, size_t n)
{
    _cleanup_(batch_builder_freep) struct batch_builder *builder = NULL;
    struct batch *batch = NULL;

    assert_int_equal(batch_builder_new(MAX(n, (size_t)1), BATCH_BYTES_MAX, &builder), 0);
    for (size_t i = 0; i < n; i++)
        add(builder, &samples[i]);
    assert_int_equal(batch_builder_seal(builder, &batch), 0);
    return batch;
}

struct batch *sample_batch_of(size_t n)
{
    struct sample samples[256];

    assert_true(n <= ELEMENTSOF(samples));
    for (size_t i = 0; i < n; i++)
        samples[i] = (struct sample){.service = "shop", .trace = 1, .id = (uint8_t)(i + 1),
                                     .kind = SPAN_KIND_SERVER, .name = "GET /cart",
                                     .end_us = 1000};
    return sample_batch(samples, n);
}

const void *sample_settings(const struct exporter_ops *ops, const char *const *assignments)
{
    static const struct setting_section *sections[2];
    static struct settings *settings;
    size_t n = 0;

    while (assignments && assignments[n])
        n++;
    settings_free(settings);
    settings = NULL;
    sections[0] = &ops->settings;
    assert_int_equal(settings_load(NULL, (char *const *)assignments, n, sections, &settings), 0);
    return settings_section(settings, &ops->settings);
}

int sample_open(const struct exporter_ops *ops, const char *target, const char *const *assignments,
                const _Atomic bool *stopping, void **ret_exporter)
{
    static const _Atomic bool never;
    struct exporter_options options = {
        .target = target,
        .settings = sample_settings(ops, assignments),
        .send_timeout_ns = SAMPLE_TIMEOUT_NS,
        .stopping = stopping ?: &never,
    };

    return ops->open(&options, ret_exporter);
}

struct export_outcome sample_send(const struct exporter_ops *ops, void *exporter, size_t n)
{
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(n);

    return ops->send(exporter, batch);
}
