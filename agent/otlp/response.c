/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend answers to an export; the contract stands in otlp.h. */
#include "otlp/otlp.h"
#include "otlp/unpack.h"

#include "base/macro.h"

#include "proto/trace_service.pb-c.h"

#include <errno.h>
#include <jansson.h>

static void copy_words(struct bytes text, char out[static OTLP_WORDS_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < text.len && n < OTLP_WORDS_MAX - 1; i++)
        if (text.ptr[i] >= ' ' && text.ptr[i] <= '~')
            out[n++] = (char)text.ptr[i];
    out[n] = '\0';
}

int otlp_decode_response(struct bytes response, struct otlp_partial *ret_partial)
{
    _cleanup_(message_freep) ProtobufCMessage *message = NULL;
    const Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceResponse *decoded;
    const Opentelemetry__Proto__Collector__Trace__V1__ExportTracePartialSuccess *partial;
    int r;

    r = message_unpack(
        &opentelemetry__proto__collector__trace__v1__export_trace_service_response__descriptor,
        response, &message);
    if (r < 0)
        return r;
    decoded = (const void *)message;
    partial = decoded->partial_success;
    *ret_partial = (struct otlp_partial){0};
    if (!partial)
        return 0;
    ret_partial->rejected_spans = (uint64_t)MAX(partial->rejected_spans, INT64_C(0));
    copy_words(bytes_make(partial->error_message.data, partial->error_message.len),
               ret_partial->words);
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

int otlp_decode_json_response(struct bytes response, struct otlp_partial *ret_partial)
{
    json_t *json = json_loadb((const char *)response.ptr, response.len, 0, NULL);
    const json_t *partial = json_object_get(json, "partialSuccess");
    const json_t *rejected = json_object_get(partial, "rejectedSpans");
    const json_t *words = json_object_get(partial, "errorMessage");
    struct otlp_partial found = {0};
    bool good = json_is_object(json) &&
                (!rejected || read_integer(rejected, &found.rejected_spans) == 0);

    copy_words(bytes_from_string(json_string_value(words)), found.words);
    json_decref(json);
    if (!good)
        return -EBADMSG;
    *ret_partial = found;
    return 0;
}
