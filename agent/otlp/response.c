/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend answers to an export; the contract stands in otlp.h. */
#include "otlp/otlp.h"
#include "otlp/unpack.h"

#include "proto/trace_service.pb-c.h"

int otlp_decode_response(struct bytes response, uint64_t *ret_rejected_spans)
{
    _cleanup_(message_freep) ProtobufCMessage *message = NULL;
    const Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceResponse *decoded;
    int r;

    r = message_unpack(
        &opentelemetry__proto__collector__trace__v1__export_trace_service_response__descriptor,
        response, &message);
    if (r < 0)
        return r;
    decoded = (const void *)message;
    *ret_rejected_spans = 0;
    if (decoded->partial_success && decoded->partial_success->rejected_spans > 0)
        *ret_rejected_spans = (uint64_t)decoded->partial_success->rejected_spans;
    return 0;
}
