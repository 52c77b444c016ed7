/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans to any OTLP backend over gRPC (opentelemetry-proto 1.x, trace_service.proto): one unary
 * Export call per batch, in plain text, to one endpoint. What the answer means for the batch stands
 * in outcome.c, which endpoints there are in endpoint.c.
 */
#include "exporters/exporter.h"
#include "exporters/otlp_grpc/endpoint.h"
#include "exporters/otlp_grpc/outcome.h"

#include "base/log.h"
#include "otlp/otlp.h"
#include "rpc/client.h"

#include <errno.h>
#include <stdio.h>

#define METHOD "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
#define REQUEST_MAX ((size_t)64 << 20) /* far above the largest batch that can be configured */

struct otlp_exporter {
    struct rpc_client *client;
    uint64_t timeout_ns;
    const _Atomic bool *stopping;
    struct buffer request;
    struct rpc_response response;
    char endpoint[ENDPOINT_MAX];
    char reason[OUTCOME_REASON_MAX];
};

static void otlp_close(void *exporter)
{
    struct otlp_exporter *otlp = exporter;

    if (!otlp)
        return;
    rpc_client_free(otlp->client);
    rpc_response_done(&otlp->response);
    buffer_done(&otlp->request);
    free(otlp);
}

static void otlp_closep(struct otlp_exporter **otlp)
{
    otlp_close(*otlp);
}

static int otlp_open(const struct exporter_options *options, void **ret_exporter)
{
    _cleanup_(otlp_closep) struct otlp_exporter *otlp = calloc(1, sizeof(*otlp));
    const char *url = endpoint_choose(options->target);
    const char *problem;
    int r;

    if (!otlp)
        return log_error(-ENOMEM, "exporter otlp");
    otlp->timeout_ns = options->send_timeout_ns;
    otlp->stopping = options->stopping;
    otlp->request = buffer_make(REQUEST_MAX);
    otlp->response = rpc_response_make();
    r = endpoint_parse(url, otlp->endpoint, &problem);
    if (r < 0) {
        log_error(0, "exporter otlp: %s: %s", url, problem);
        return r;
    }
    r = rpc_client_new(otlp->endpoint, &otlp->client);
    if (r < 0)
        return log_error(r, "exporter otlp");
    *ret_exporter = TAKE_PTR(otlp);
    return 0;
}

/* No memory may pass; a request that cannot be made never can. */
static struct export_outcome failed(struct otlp_exporter *otlp, const char *what, int error)
{
    snprintf(otlp->reason, sizeof(otlp->reason), "%s: %s: %s", otlp->endpoint, what,
             strerror(-error));
    return (struct export_outcome){.result = error == -ENOMEM ? EXPORT_RETRY : EXPORT_FAILED,
                                   .reason = otlp->reason};
}

static struct export_outcome otlp_send(void *exporter, const struct batch *batch)
{
    struct otlp_exporter *otlp = exporter;
    struct rpc_request request = {.method = METHOD,
                                  .timeout_ns = otlp->timeout_ns,
                                  .stopping = otlp->stopping};
    int r;

    buffer_reset(&otlp->request);
    r = otlp_encode_request(batch, &otlp->request);
    if (r < 0)
        return failed(otlp, "cannot encode a request", r);
    request.message = buffer_bytes(&otlp->request);
    r = rpc_client_call(otlp->client, &request, &otlp->response);
    if (r < 0)
        return failed(otlp, "cannot call", r);
    return outcome_make(&otlp->response, otlp->endpoint, otlp->reason);
}

const struct exporter_ops exporter_otlp_grpc = {
    .settings = {.name = "otlp"},
    .usage = "otlp[:URL]  OTLP over gRPC, plain text; default http://localhost:4317",
    .open = otlp_open,
    .send = otlp_send,
    .close = otlp_close,
};
