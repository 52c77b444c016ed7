/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans to any OTLP backend over gRPC (opentelemetry-proto 1.x, trace_service.proto): one unary
 * Export call per batch. What the answer means for the batch stands in outcome.c, which endpoints
 * there are in endpoint.c, and what is common with OTLP over HTTP in ../otlp/.
 */
#include "exporters/exporter.h"
#include "exporters/otlp/common.h"
#include "exporters/otlp_grpc/endpoint.h"
#include "exporters/otlp_grpc/outcome.h"

#include "base/log.h"
#include "base/macro.h"
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
    struct otlp_common common;
    struct rpc_tls tls;
    struct rpc_header headers[OTLP_HEADERS_MAX];
    struct target targets[OTLP_ENDPOINTS_MAX];
    uint64_t keepalive_ns;
    struct buffer request;
    struct rpc_response response;
};

static struct otlp_exporter *exporter_of(struct otlp_common *common)
{
    return container_of(common, struct otlp_exporter, common);
}

static void otlp_close(void *exporter)
{
    struct otlp_exporter *otlp = exporter;

    if (!otlp)
        return;
    for (size_t i = 0; i < otlp->common.n_endpoints; i++)
        rpc_client_free(otlp->targets[i].client);
    otlp_common_done(&otlp->common);
    rpc_response_done(&otlp->response);
    buffer_done(&otlp->request);
    free(otlp);
}

static void otlp_closep(struct otlp_exporter **otlp)
{
    otlp_close(*otlp);
}

static int add_target(struct otlp_common *common, const char *text, enum otlp_origin origin,
                      bool *ret_tls, const char **ret_problem)
{
    struct otlp_exporter *otlp = exporter_of(common);
    struct target *target = &otlp->targets[common->n_endpoints];
    struct rpc_options options = {.target = target->endpoint.host_port,
                                  .headers = otlp->headers,
                                  .n_headers = common->choice.n_headers,
                                  .gzip = common->choice.gzip,
                                  .keepalive_ns = otlp->keepalive_ns};
    const char *header;
    int r = endpoint_parse(text, common->choice.insecure, &target->endpoint, ret_problem);

    if (r < 0)
        return r;
    options.tls = target->endpoint.tls ? &otlp->tls : NULL;
    r = rpc_client_new(&options, &target->client, &header);
    if (r < 0)
        return log_error(r, "exporter %s: %s%s", common->name,
                         header ? "gRPC can send no such header: " : "", header ?: text);
    *ret_tls = target->endpoint.tls;
    return 0;
}

static void use_files(struct otlp_exporter *otlp)
{
    const struct otlp_tls *tls = &otlp->common.tls;

    otlp->tls = (struct rpc_tls){tls->ca, tls->certificate, tls->key};
}

static int otlp_open(const struct exporter_options *options, void **ret_exporter)
{
    _cleanup_(otlp_closep) struct otlp_exporter *otlp = calloc(1, sizeof(*otlp));
    const struct otlp_grpc_settings *settings = options->settings;
    int r;

    if (!otlp)
        return log_error(-ENOMEM, "exporter otlp");
    otlp->request = buffer_make(REQUEST_MAX);
    otlp->response = rpc_response_make();
    otlp->keepalive_ns = settings->keepalive;
    r = otlp_common_open("otlp", options, &otlp->common);
    if (r < 0)
        return r;
    for (size_t i = 0; i < otlp->common.choice.n_headers; i++)
        otlp->headers[i] = (struct rpc_header){otlp->common.choice.headers[i].name,
                                               otlp->common.choice.headers[i].value};
    r = otlp_open_endpoints(&otlp->common, options->target, ENDPOINT_DEFAULT, add_target);
    if (r < 0)
        return r;
    use_files(otlp);
    *ret_exporter = TAKE_PTR(otlp);
    return 0;
}

static void renew_channels(struct otlp_common *common)
{
    struct otlp_exporter *otlp = exporter_of(common);

    use_files(otlp);
    for (size_t i = 0; i < common->n_endpoints; i++)
        rpc_client_renew(otlp->targets[i].client);
}

static struct export_outcome call(struct otlp_common *common, void *request)
{
    struct otlp_exporter *otlp = exporter_of(common);
    struct target *target = &otlp->targets[common->current];
    int r = rpc_client_call(target->client, request, &otlp->response);

    if (r < 0)
        return otlp_failed(common, "cannot call", r);
    return outcome_make(&otlp->response, target->endpoint.host_port, common->reason);
}

static struct export_outcome otlp_send(void *exporter, const struct batch *batch)
{
    struct otlp_exporter *otlp = exporter;
    struct rpc_request request = {.method = METHOD,
                                  .timeout_ns = otlp->common.choice.timeout_ns,
                                  .stopping = otlp->common.stopping};
    int r;

    buffer_reset(&otlp->request);
    r = otlp_encode_request(batch, &otlp->request);
    if (r < 0)
        return otlp_failed(&otlp->common, "cannot encode a request", r);
    request.message = buffer_bytes(&otlp->request);
    if (request.message.len > otlp->common.choice.max_message)
        return (struct export_outcome){.result = EXPORT_TOO_LARGE,
                                       .reason = "a span is larger than otlp.max_message"};
    return otlp_send_anywhere(&otlp->common, request.message.len, renew_channels, call, &request);
}

const struct exporter_ops exporter_otlp_grpc = {
    .settings = {.name = "otlp", .rows = rows, .n_rows = ELEMENTSOF(rows),
                 .size = sizeof(struct otlp_grpc_settings)},
    .usage = "otlp[:URL,...]              OTLP over gRPC; default http://localhost:4317",
    .open = otlp_open,
    .send = otlp_send,
    .close = otlp_close,
};
