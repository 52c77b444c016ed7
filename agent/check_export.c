/* SPDX-License-Identifier: Apache-2.0 */
/* check --export: one span, sent once, without a worker's retries. */
#include "check_export.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/macro.h"
#include "exporters/find.h"
#include "otlp/otlp.h"
#include "resource.h"
#include "span/semconv.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>

#define BATCH_BYTES 16384

DEFINE_CLEANUP(struct batch_builder, batch_builder_free)
DEFINE_CLEANUP(struct batch, batch_unref)

static void make_span(struct span *span)
{
    span_reset(span, NULL);
    if (getrandom(&span->trace_id, sizeof(span->trace_id), 0) < 0 ||
        getrandom(&span->span_id, sizeof(span->span_id), 0) < 0)
        span->trace_id.bytes[0] = span->span_id.bytes[0] = 1;
    span->kind = SPAN_KIND_INTERNAL;
    span->name = BYTES_LITERAL("flowtrace check");
    span->start_ns = clock_ns(CLOCK_REALTIME);
    span->end_ns = span->start_ns;
}

/* The agent's own: what it is called, and what is said of all resources. */
static int encode_resource(const struct settings *settings, struct buffer *buffer)
{
    struct own_resource own;
    int r = own_resource_read(settings, &own);

    if (r == 0)
        said_add(&own.agent, SEMCONV_SERVICE_NAME, own.service);
    for (size_t i = 0; i < own.configured.n && r == 0; i++)
        r = said_add(&own.agent, own.configured.attributes[i].key,
                     own.configured.attributes[i].text);
    return r < 0 ? r : otlp_encode_resource(own.agent.attributes, own.agent.n, buffer);
}

static int make_batch(const struct settings *settings, const struct span *span,
                      struct batch **ret_batch)
{
    _cleanup_(batch_builder_freep) struct batch_builder *builder = NULL;
    _cleanup_(buffer_done) struct buffer resource = buffer_make(BATCH_BYTES);
    _cleanup_(buffer_done) struct buffer bytes = buffer_make(BATCH_BYTES);
    int r = encode_resource(settings, &resource);

    if (r == 0)
        r = otlp_encode_span(span, &bytes);
    if (r == 0)
        r = batch_builder_new(1, BATCH_BYTES, &builder);
    if (r == 0)
        r = batch_builder_add(
            builder, 1, &(struct batch_origin){.resource = buffer_bytes(&resource)},
            buffer_bytes(&bytes));
    return r < 0 ? r : batch_builder_seal(builder, ret_batch);
}

static const struct {
    const char *verdict;
    int error;
} verdicts[] = {
    [EXPORT_OK] = {"ok", 0},
    [EXPORT_RETRY] = {"not now", -EAGAIN},
    [EXPORT_REFUSED] = {"refused", -EACCES},
    [EXPORT_FAILED] = {"failed", -EIO},
    [EXPORT_TOO_LARGE] = {"refused", -EMSGSIZE},
};

static int print_outcome(const char *name, const struct export_outcome *outcome,
                         const struct span *span, uint64_t ns)
{
    bool rejected = outcome->result == EXPORT_OK && outcome->rejected_spans > 0;
    const char *reason = outcome->reason && *outcome->reason ? outcome->reason : "no reason given";
    char id[2 * sizeof(span->trace_id) + 1];

    bytes_to_hex(bytes_make(&span->trace_id, sizeof(span->trace_id)), id);
    printf("%-14s %-8s ", name, rejected ? "rejected" : verdicts[outcome->result].verdict);
    if (rejected)
        printf("the backend took the request, but not the span: %s\n", reason);
    else if (outcome->result == EXPORT_OK)
        printf("the backend has the span of trace %s, after %" PRIu64 " ms\n", id,
               ns / NS_PER_MS);
    else
        printf("%s\n", reason);
    return rejected ? -EACCES : verdicts[outcome->result].error;
}

static int send_once(const struct exporter_choice *choice, const struct settings *settings)
{
    static const _Atomic bool never;
    _cleanup_(batch_unrefp) struct batch *batch = NULL;
    struct exporter_options options = {.target = choice->target, .settings = choice->settings,
                                       .send_timeout_ns = settings->send_timeout,
                                       .stopping = &never};
    struct export_outcome outcome;
    void *exporter;
    struct span span;
    uint64_t begin;
    int r;

    make_span(&span);
    r = make_batch(settings, &span, &batch);
    if (r < 0)
        return log_error(r, "cannot make a test span");
    r = choice->ops->open(&options, &exporter);
    if (r < 0)
        return r;
    begin = clock_ns(CLOCK_MONOTONIC);
    outcome = choice->ops->send(exporter, batch);
    r = print_outcome(choice->ops->settings.name, &outcome, &span,
                      clock_ns(CLOCK_MONOTONIC) - begin);
    fflush(stdout);
    choice->ops->close(exporter);
    return r;
}

int check_exports(const struct settings *settings)
{
    int result = 0;

    signal(SIGPIPE, SIG_IGN); /* a backend that goes away is an answer, too */
    for (size_t i = 0; i < settings->exporters.n; i++) {
        _cleanup_(exporter_choice_done) struct exporter_choice choice = {0};
        int r = exporter_choose(settings->exporters.items[i], settings, &choice);

        if (r == 0)
            r = send_once(&choice, settings);
        result = result < 0 ? result : r;
    }
    return result;
}
