/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream as span attributes. The meaning of requests and responses is that of the older version
 * (RFC 9110), which describes them. Only resets are special:
 *
 *   RST_STREAM (8) by the client       flowtrace.http2.reset "CANCEL": nobody waits any longer
 *   RST_STREAM (7) by the server       ... "REFUSED_STREAM", error.type the same, status ERROR
 */
#include "protocols/http2/http2.h"

#include "base/macro.h"
#include "span/semconv.h"

#include <assert.h>

#define FLOWTRACE_HTTP2_RESET BYTES_LITERAL("flowtrace.http2.reset")

/* RFC 9113, section 7. */
enum error_code { NO_ERROR = 0, CANCEL = 8, ERROR_CODES = 14 };

static const char *const error_names[] = {
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
};
static_assert(ELEMENTSOF(error_names) == ERROR_CODES, "a name for every code");

static void describe_reset(struct bytes field, bool by_client, struct span *span)
{
    struct reader reader = reader_make(field);
    uint32_t code = reader_be32(&reader);
    struct bytes name;

    if (reader.failed)
        return;
    name = code < ERROR_CODES ? bytes_from_string(error_names[code])
                              : arena_printf(span->arena, "%u", code);
    span_add_text(span, FLOWTRACE_HTTP2_RESET, name);
    if (code == NO_ERROR || (by_client && code == CANCEL))
        return;
    span->status = SPAN_STATUS_ERROR;
    if (!span_find(span, SEMCONV_ERROR_TYPE))
        span_add_text(span, SEMCONV_ERROR_TYPE, name);
}

void http2_describe(const struct message *request, const struct message *response,
                    struct span *span)
{
    http1_describe(request, response, span);
    describe_reset(message_field(request, HTTP2_FIELD_RESET), true, span);
    if (response)
        describe_reset(message_field(response, HTTP2_FIELD_RESET), false, span);
}
