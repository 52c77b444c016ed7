/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans to a collector by OTLP over gRPC (opentelemetry-proto 1.x, trace_service.proto): one unary
 * Export per batch, in plain text, to one endpoint. What the answer means stands in answer.c.
 */
#include "exporters/exporter.h"
#include "exporters/otlp_grpc/answer.h"
#include "exporters/otlp_grpc/endpoint.h"

#include "base/log.h"
#include "base/macro.h"
#include "otlp/otlp.h"
#include "rpc/client.h"

#include <errno.h>
#include <stdio.h>

#define EXPORT_METHOD "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
#define REQUEST_MAX (UINT64_C(256) << 20)
#define RESPONSE_MAX (UINT64_C(64) << 10)

struct otlp_exporter {
    struct rpc_client *client;
    uint64_t timeout_ns;
    const _Atomic bool *stopping;
    struct buffer request;
    struct buffer response;
    char host_port[ENDPOINT_MAX];
    char answer[ANSWER_REASON_MAX];
    char reason[ENDPOINT_MAX + ANSWER_REASON_MAX + 16];
};

static void otlp_close(void *exporter)
{
    struct otlp_exporter *otlp = exporter;

    if (!otlp)
        return;
    rpc_client_free(otlp->client);
    buffer_done(&otlp->request);
    buffer_done(&otlp->response);
    free(otlp);
}

static void otlp_closep(struct otlp_exporter **otlp)
{
    otlp_close(*otlp);
}

static int otlp_open(const struct exporter_options *options, void **ret_exporter)
{
    _cleanup_(otlp_closep) struct otlp_exporter *otlp = calloc(1, sizeof(*otlp));
    const char *problem, *url = endpoint_choose(options->target);
    int r;

    if (!otlp)
        return log_error(-ENOMEM, "exporter otlp");
    otlp->timeout_ns = options->send_timeout_ns;
    otlp->stopping = options->stopping;
    otlp->request = buffer_make(REQUEST_MAX);
    otlp->response = buffer_make(RESPONSE_MAX);
    r = endpoint_parse(url, otlp->host_port, &problem);
    if (r < 0) {
        log_error(0, "exporter otlp: %s: %s", url, problem);
        return r;
    }
    r = rpc_client_new(otlp->host_port, RESPONSE_MAX, &otlp->client);
    if (r < 0)
        return log_error(r, "exporter otlp");
    *ret_exporter = TAKE_PTR(otlp);
    return 0;
}

static struct export_outcome failed(struct otlp_exporter *otlp, enum export_result result,
                                    const char *what, int error)
{
    snprintf(otlp->reason, sizeof(otlp->reason), "%s: %s", what, strerror(-error));
    return (struct export_outcome){.result = result, .reason = otlp->reason};
}

static struct export_outcome otlp_send(void *exporter, const struct batch *batch)
{
    struct otlp_exporter *otlp = exporter;
    struct rpc_call call = {.method = EXPORT_METHOD,
                            .timeout_ns = otlp->timeout_ns,
                            .stopping = otlp->stopping};
    struct export_outcome outcome;
    struct rpc_answer answer;
    int r;

    buffer_reset(&otlp->request);
    r = otlp_encode_request(batch, &otlp->request);
    if (r < 0)
        return failed(otlp, EXPORT_DROP, "cannot encode a request", r);
    call.request = buffer_bytes(&otlp->request);
    r = rpc_client_call(otlp->client, &call, &otlp->response, &answer);
    if (r < 0)
        return failed(otlp, r == -ENOMEM ? EXPORT_RETRY : EXPORT_DROP, "cannot call", r);
    outcome = answer_outcome(&answer, buffer_bytes(&otlp->response), otlp->answer);
    if (outcome.result != EXPORT_OK) {
        snprintf(otlp->reason, sizeof(otlp->reason), "%s answers %s", otlp->host_port,
                 otlp->answer);
        outcome.reason = otlp->reason;
    }
    return outcome;
}

const struct exporter_ops exporter_otlp_grpc = {
    .name = "otlp",
    .usage = "otlp[:URL]  OTLP over gRPC in plain text, by default to http://localhost:4317",
    .open = otlp_open,
    .send = otlp_send,
    .close = otlp_close,
};
