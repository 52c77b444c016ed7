/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OTLP over HTTP (opentelemetry.io/docs/specs/otlp, "OTLP/HTTP"): the response has the encoding of
 * the request, an error has a google.rpc.Status as its body.
 */
#include "source/receiver/routes.h"

#include <errno.h>

#define JSON BYTES_LITERAL("application/json")
#define PROTOBUF BYTES_LITERAL("application/x-protobuf")
#define GRPC_INVALID_ARGUMENT 3
#define GRPC_UNAVAILABLE 14

bool otlp_takes(struct bytes content_type)
{
    return media_type_is(content_type, JSON) || media_type_is(content_type, PROTOBUF);
}

void otlp_refuse(struct bytes content_type, unsigned code, const char *reason,
                 struct answer *answer)
{
    bool json = media_type_is(content_type, JSON);

    answer->code = code;
    answer->content_type = json ? "application/json" : "application/x-protobuf";
    otlp_encode_status(code == 503 ? GRPC_UNAVAILABLE : GRPC_INVALID_ARGUMENT, reason, json,
                       &answer->text);
}

struct sender {
    struct collect *collect;
    const struct peer *peer;
};

static bool take_span(void *arg, uint64_t origin_key, const struct batch_origin *origin,
                      struct bytes span)
{
    const struct sender *sender = arg;

    return collect_span(sender->collect, sender->peer, origin_key, origin, span);
}

void otlp_answer(struct collect *collect, const struct peer *peer, const struct body *body,
                 struct answer *answer)
{
    _cleanup_(buffer_done) struct buffer converted =
        buffer_make(collect->options->settings->receivers_message_max);
    struct sender sender = {collect, peer};
    bool json = media_type_is(body->content_type, JSON);
    const char *reason = "the body is no ExportTraceServiceRequest in protobuf";
    struct bytes request = body->bytes;
    struct otlp_intake intake;
    int r = json ? otlp_from_json(body->bytes, &converted, &reason) : 0;

    if (r == 0 && json)
        request = buffer_bytes(&converted);
    if (r == 0)
        r = otlp_read_request(request, take_span, &sender, &intake);
    if (r < 0) {
        otlp_refuse(body->content_type, r == -ENOBUFS ? 413 : 400, reason, answer);
        return;
    }
    counters_add(collect->options->counters, COUNTER_received_rejected, intake.rejected);
    answer->code = 200;
    answer->content_type = json ? "application/json" : "application/x-protobuf";
    otlp_encode_response(&intake, json, &answer->text);
}
