/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend answers to an export; the contract stands in otlp.h. */
#include "otlp/otlp.h"
#include "otlp/unpack.h"

#include "proto/trace_service.pb-c.h"

#include <errno.h>
#include <jansson.h>

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

/* 64-bit integers are strings in ProtoJSON, and numbers are to be taken, too. */
static int read_integer(const json_t *json, uint64_t *ret_value)
{
    if (json_is_string(json))
        return bytes_parse_u64(bytes_from_string(json_string_value(json)), ret_value);
    if (!json_is_integer(json) || json_integer_value(json) < 0)
        return -EINVAL;
    *ret_value = (uint64_t)json_integer_value(json);
    return 0;
}

int otlp_decode_json_response(struct bytes response, uint64_t *ret_rejected_spans)
{
    json_t *json = json_loadb((const char *)response.ptr, response.len, 0, NULL);
    const json_t *rejected = json_object_get(json_object_get(json, "partialSuccess"),
                                             "rejectedSpans");
    bool good = json_is_object(json);
    uint64_t n = 0;

    if (rejected && read_integer(rejected, &n) < 0)
        good = false;
    json_decref(json);
    if (!good)
        return -EBADMSG;
    *ret_rejected_spans = n;
    return 0;
}
