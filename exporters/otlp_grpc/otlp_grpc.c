/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans to any OTLP backend over gRPC (opentelemetry-proto 1.x, trace_service.proto): one unary
 * Export call per batch. What the answer means for the batch stands in outcome.c, which endpoints
 * there are in endpoint.c, settings and environment in ../otlp/settings.h.
 *
 * Of several endpoints one is in use until it does not take a batch now and says no time to come
 * again; the batch then goes to the next one at once, and only when none took it, it is to be tried
 * again later.
 */
#include "exporters/exporter.h"
#include "exporters/otlp/settings.h"
#include "exporters/otlp_grpc/endpoint.h"
#include "exporters/otlp_grpc/outcome.h"

#include "base/log.h"
#include "otlp/otlp.h"
#include "rpc/client.h"

#include <errno.h>
#include <stdio.h>

#define METHOD "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
#define REQUEST_MAX ((size_t)64 << 20) /* far above the largest batch that can be configured */
#define ENDPOINT_DEFAULT "http://localhost:4317"

struct otlp_grpc_settings {
    struct otlp_settings common;
    uint64_t keepalive;
};

static const struct setting rows[] = {
    OTLP_SETTING_ROWS,
    {"keepalive", SETTING_DURATION, "0s", 0, UINT64_C(3600000000000),
     .offset = offsetof(struct otlp_grpc_settings, keepalive),
     .description = "A ping after so long a silence during a call, so that a dead connection is "
                    "noticed before the timeout; 0: none. Many servers refuse more than one in "
                    "five minutes."},
};

struct target {
    struct endpoint endpoint;
    struct rpc_client *client;
};

struct otlp_exporter {
    struct otlp_choice choice;
    struct rpc_tls tls;
    struct rpc_header headers[OTLP_HEADERS_MAX];
    struct target targets[OTLP_ENDPOINTS_MAX];
    size_t n_targets;
    size_t current; /* the target in use */
    const _Atomic bool *stopping;
    struct buffer request;
    struct rpc_response response;
    char reason[OUTCOME_REASON_MAX];
};

static void otlp_close(void *exporter)
{
    struct otlp_exporter *otlp = exporter;

    if (!otlp)
        return;
    for (size_t i = 0; i < otlp->n_targets; i++)
        rpc_client_free(otlp->targets[i].client);
    otlp_choice_done(&otlp->choice);
    rpc_response_done(&otlp->response);
    buffer_done(&otlp->request);
    free(otlp);
}

static void otlp_closep(struct otlp_exporter **otlp)
{
    otlp_close(*otlp);
}

static int open_target(struct otlp_exporter *otlp, const char *url, uint64_t keepalive_ns)
{
    struct target *target = &otlp->targets[otlp->n_targets];
    struct rpc_options options = {.target = target->endpoint.host_port,
                                  .headers = otlp->headers,
                                  .n_headers = otlp->choice.n_headers,
                                  .gzip = otlp->choice.gzip,
                                  .keepalive_ns = keepalive_ns};
    const char *problem;
    int r;

    if (otlp->n_targets == OTLP_ENDPOINTS_MAX)
        return log_error(-E2BIG, "exporter otlp: more than %d endpoints", OTLP_ENDPOINTS_MAX);
    r = endpoint_parse(url, otlp->choice.insecure, &target->endpoint, &problem);
    if (r < 0) {
        /* Not what may be a password: "user:password@host" is what is refused, or "?key=...". */
        log_error(0, "exporter otlp: %.*s: %s", (int)strcspn(url, "?#"),
                  strchr(url, '@') ? "a URL" : url, problem);
        return r;
    }
    options.tls = target->endpoint.tls ? &otlp->tls : NULL;
    r = rpc_client_new(&options, &target->client, &problem);
    if (r < 0)
        return log_error(r, "exporter otlp: %s", problem ?: target->endpoint.host_port);
    otlp->n_targets++;
    return 0;
}

static int open_targets(struct otlp_exporter *otlp, const char *urls, uint64_t keepalive_ns)
{
    bool of_signal;
    int r = 0;

    if (!*urls)
        urls = otlp_environment("ENDPOINT", &of_signal) ?: ENDPOINT_DEFAULT;
    for (char *url; r == 0 && (url = otlp_next_endpoint(&urls)); free(url))
        r = open_target(otlp, url, keepalive_ns);
    if (r == 0 && otlp->n_targets == 0)
        return log_error(-EINVAL, "exporter otlp: no endpoint: give otlp:http://HOST:PORT");
    return r;
}

static int otlp_open(const struct exporter_options *options, void **ret_exporter)
{
    _cleanup_(otlp_closep) struct otlp_exporter *otlp = calloc(1, sizeof(*otlp));
    const struct otlp_grpc_settings *settings = options->settings;
    int r;

    if (!otlp)
        return log_error(-ENOMEM, "exporter otlp");
    otlp->stopping = options->stopping;
    otlp->request = buffer_make(REQUEST_MAX);
    otlp->response = rpc_response_make();
    r = otlp_choose("otlp", &settings->common, options->send_timeout_ns, &otlp->choice);
    if (r < 0)
        return r;
    otlp->tls = (struct rpc_tls){otlp->choice.ca, otlp->choice.certificate, otlp->choice.key};
    for (size_t i = 0; i < otlp->choice.n_headers; i++)
        otlp->headers[i] =
            (struct rpc_header){otlp->choice.headers[i].name, otlp->choice.headers[i].value};
    r = open_targets(otlp, options->target, settings->keepalive);
    if (r < 0)
        return r;
    *ret_exporter = TAKE_PTR(otlp);
    return 0;
}

/* No memory may pass; a request that cannot be made never can. */
static struct export_outcome failed(struct otlp_exporter *otlp, const char *what, int error)
{
    snprintf(otlp->reason, sizeof(otlp->reason), "%s: %s", what, strerror(-error));
    return (struct export_outcome){.result = error == -ENOMEM ? EXPORT_RETRY : EXPORT_FAILED,
                                   .reason = otlp->reason};
}

/* One call after the other until somebody answers, beginning with the target in use. */
static struct export_outcome call(struct otlp_exporter *otlp, const struct rpc_request *request)
{
    struct export_outcome outcome = {.result = EXPORT_RETRY};
    uint64_t bytes = 0;

    for (size_t i = 0; i < otlp->n_targets && !*otlp->stopping; i++) {
        struct target *target = &otlp->targets[otlp->current];
        int r = rpc_client_call(target->client, request, &otlp->response);

        if (r < 0)
            return failed(otlp, "cannot call", r);
        bytes += request->message.len;
        outcome = outcome_make(&otlp->response, target->endpoint.host_port, otlp->reason);
        if (outcome.result != EXPORT_RETRY || outcome.retry_after_ns > 0)
            break;
        otlp->current = (otlp->current + 1) % otlp->n_targets;
    }
    outcome.bytes = bytes;
    return outcome;
}

static struct export_outcome otlp_send(void *exporter, const struct batch *batch)
{
    struct otlp_exporter *otlp = exporter;
    struct rpc_request request = {.method = METHOD,
                                  .timeout_ns = otlp->choice.timeout_ns,
                                  .stopping = otlp->stopping};
    int r;

    buffer_reset(&otlp->request);
    r = otlp_encode_request(batch, &otlp->request);
    if (r < 0)
        return failed(otlp, "cannot encode a request", r);
    request.message = buffer_bytes(&otlp->request);
    if (request.message.len > otlp->choice.max_message)
        return (struct export_outcome){.result = EXPORT_TOO_LARGE,
                                       .reason = "a span is larger than otlp.max_message"};
    return call(otlp, &request);
}

const struct exporter_ops exporter_otlp_grpc = {
    .settings = {.name = "otlp", .rows = rows, .n_rows = ELEMENTSOF(rows),
                 .size = sizeof(struct otlp_grpc_settings)},
    .usage = "otlp[:URL,...]              OTLP over gRPC; default http://localhost:4317",
    .open = otlp_open,
    .send = otlp_send,
    .close = otlp_close,
};
