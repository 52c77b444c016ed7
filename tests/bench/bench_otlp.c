/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast spans are encoded, and batches written as requests: the same span with 15 attributes,
 * over and over.
 *
 *   what                               ns      bytes
 *   span, 15 attributes               ...        ...
 *   request of 512 spans              ...        ...
 *
 * The budget is 1200 ns per span; the best of several rounds counts, for a busy machine only ever
 * slows down.
 */
#include "bench_span.h"

#include "base/clock.h"
#include "base/macro.h"
#include "otlp/otlp.h"

#include <stdio.h>

#define ROUNDS 15
#define SPANS_PER_ROUND 50000
#define REQUESTS_PER_ROUND 200
#define SPANS_PER_BATCH 512
#define CAP (1 << 20)

struct result {
    double ns;
    size_t bytes;
};

/* The time of one span; no result (0 bytes) where it cannot be encoded. */
static struct result measure_spans(const struct span *span, struct buffer *buffer)
{
    uint64_t best = UINT64_MAX;

    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t start = clock_ns(CLOCK_MONOTONIC);

        for (unsigned i = 0; i < SPANS_PER_ROUND; i++) {
            buffer_reset(buffer);
            if (otlp_encode_span(span, buffer) < 0)
                return (struct result){0};
        }
        best = MIN(best, clock_ns(CLOCK_MONOTONIC) - start);
    }
    return (struct result){(double)best / SPANS_PER_ROUND, buffer->len};
}

static int make_batch(struct bytes span, struct batch **ret_batch)
{
    struct batch_builder *builder;
    int r = batch_builder_new(SPANS_PER_BATCH, CAP, &builder);

    if (r < 0)
        return r;
    /* Four resources without attributes: the keys tell them apart. */
    for (unsigned i = 0; i < SPANS_PER_BATCH && r == 0; i++)
        r = batch_builder_add(builder, i % 4, &(struct batch_origin){0}, span);
    if (r == 0)
        r = batch_builder_seal(builder, ret_batch);
    batch_builder_free(builder);
    return r;
}

static struct result measure_requests(struct bytes span)
{
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(CAP);
    struct batch *batch;
    uint64_t best = UINT64_MAX;
    int r = make_batch(span, &batch);

    if (r < 0)
        return (struct result){0};
    for (unsigned round = 0; round < ROUNDS && r == 0; round++) {
        uint64_t start = clock_ns(CLOCK_MONOTONIC);

        for (unsigned i = 0; i < REQUESTS_PER_ROUND && r == 0; i++) {
            buffer_reset(&buffer);
            r = otlp_encode_request(batch, &buffer);
        }
        best = MIN(best, clock_ns(CLOCK_MONOTONIC) - start);
    }
    batch_unref(batch);
    return (struct result){(double)best / REQUESTS_PER_ROUND, r == 0 ? buffer.len : 0};
}

static void print_result(const char *what, const struct result *result)
{
    printf("%-28s %10.1f %10zu\n", what, result->ns, result->bytes);
}

int main(void)
{
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(CAP);
    struct result ascii, repaired, requests;
    struct span span;

    bench_span_make(&span, "/api/v1/orders/\xff");
    repaired = measure_spans(&span, &buffer);
    bench_span_make(&span, "/api/v1/orders/17");
    ascii = measure_spans(&span, &buffer);
    requests = measure_requests(buffer_bytes(&buffer));

    printf("%-28s %10s %10s\n", "what", "ns", "bytes");
    print_result("span, 15 attributes", &ascii);
    print_result("the same, one repaired", &repaired);
    print_result("request of 512 spans", &requests);
    return ascii.bytes && repaired.bytes && requests.bytes ? EXIT_SUCCESS : EXIT_FAILURE;
}
