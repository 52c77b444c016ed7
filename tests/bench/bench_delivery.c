/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs to deliver a span: the same batch of 512 spans with 15 attributes, sent over and
 * over by one of the exporters, without a worker.
 *
 *   bench_delivery EXPORT BATCHES      EXPORT: as --export takes it
 *
 * Prints the CPU time of a span in nanoseconds, of all threads and the kernel on their behalf.
 */
#include "bench_span.h"

#include "base/clock.h"
#include "base/macro.h"
#include "exporters/find.h"
#include "otlp/otlp.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#define SPANS_PER_BATCH 512
#define WARM_UP 20
#define CAP (1 << 20)

static struct batch *make_batch(void)
{
    _cleanup_(buffer_done) struct buffer resource = buffer_make(CAP), bytes = buffer_make(CAP);
    static const struct attribute service = {.key = {(const uint8_t *)"service.name", 12},
                                             .text = {(const uint8_t *)"shop", 4}};
    struct batch_origin origin = {0};
    struct batch_builder *builder;
    struct batch *batch = NULL;
    struct span span;

    bench_span_make(&span, "/api/v1/orders/17");
    if (otlp_encode_resource(&service, 1, &resource) < 0 ||
        batch_builder_new(SPANS_PER_BATCH, CAP, &builder) < 0)
        return NULL;
    origin.resource = buffer_bytes(&resource);
    for (unsigned i = 0; i < SPANS_PER_BATCH; i++) {
        span.span_id.bytes[1] = (uint8_t)i;
        buffer_reset(&bytes);
        if (otlp_encode_span(&span, &bytes) == 0)
            batch_builder_add(builder, 1, &origin, buffer_bytes(&bytes));
    }
    batch_builder_seal(builder, &batch);
    batch_builder_free(builder);
    return batch;
}

static uint64_t cpu_ns(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * NS_PER_S +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

static bool send_all(const struct exporter_ops *ops, void *exporter, const struct batch *batch,
                     unsigned n)
{
    while (n-- > 0) {
        struct export_outcome outcome = ops->send(exporter, batch);

        if (outcome.result != EXPORT_OK) {
            fprintf(stderr, "not delivered: %s\n", outcome.reason);
            return false;
        }
    }
    return true;
}

static int measure(const struct exporter_choice *choice, const struct batch *batch, unsigned n)
{
    static const _Atomic bool never;
    struct exporter_options options = {.target = choice->target, .settings = choice->settings,
                                       .send_timeout_ns = 10 * NS_PER_S, .stopping = &never};
    const struct exporter_ops *ops = choice->ops;
    bool good = false;
    void *exporter;
    uint64_t before;

    if (!batch || ops->open(&options, &exporter) < 0)
        return EXIT_FAILURE;
    if (send_all(ops, exporter, batch, WARM_UP)) {
        before = cpu_ns();
        good = send_all(ops, exporter, batch, n);
        if (good)
            printf("%.0f\n", (double)(cpu_ns() - before) / n / SPANS_PER_BATCH);
    }
    ops->close(exporter);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct exporter_choice choice = {0};
    struct settings *settings;
    struct batch *batch;
    int status;

    if (argc != 3) {
        fprintf(stderr, "bench_delivery EXPORT BATCHES\n");
        return EXIT_FAILURE;
    }
    signal(SIGPIPE, SIG_IGN);
    if (settings_load(NULL, NULL, 0, exporter_sections, &settings) < 0 ||
        exporter_choose(argv[1], settings, &choice) < 0)
        return EXIT_FAILURE;
    batch = make_batch();
    status = measure(&choice, batch, (unsigned)strtoul(argv[2], NULL, 10));
    batch_unref(batch);
    exporter_choice_done(&choice);
    settings_free(settings);
    return status;
}
