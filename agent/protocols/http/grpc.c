/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gRPC call as span attributes, by the OpenTelemetry semantic conventions for RPC and gRPC:
 *
 *   :path /shop.Orders/Get    name "shop.Orders/Get", rpc.system "grpc", rpc.service, rpc.method
 *   grpc-status 14            rpc.grpc.status_code 14, error.type "UNAVAILABLE", status ERROR
 *
 * The server's span is an error only where the server is to blame. Neither metadata nor the status
 * message is recorded. flowtrace's own: how many messages went each way, and the deadline.
 */
#include "protocols/http/grpc.h"

#include "protocols/http1/http1.h"
#include "protocols/http1/url.h"

#include "base/macro.h"
#include "span/semconv.h"

#include <assert.h>

#define RPC_SYSTEM BYTES_LITERAL("rpc.system")
#define RPC_SERVICE BYTES_LITERAL("rpc.service")
#define RPC_METHOD BYTES_LITERAL("rpc.method")
#define RPC_GRPC_STATUS_CODE BYTES_LITERAL("rpc.grpc.status_code")
#define HTTP_RESPONSE_STATUS_CODE BYTES_LITERAL("http.response.status_code")
/* As it was sent: "1S", "250m". */
#define FLOWTRACE_RPC_TIMEOUT BYTES_LITERAL("flowtrace.rpc.timeout")
#define FLOWTRACE_RPC_REQUESTS BYTES_LITERAL("flowtrace.rpc.request.messages")
#define FLOWTRACE_RPC_RESPONSES BYTES_LITERAL("flowtrace.rpc.response.messages")

#define STATUS_OK 0
#define STATUS_CODES 17
#define HTTP_OK 200

static const struct {
    const char *name;
    bool server_error; /* the client's span is an error with every code but OK */
} statuses[] = {
    {"OK", false},
    {"CANCELLED", false},
    {"UNKNOWN", true},
    {"INVALID_ARGUMENT", false},
    {"DEADLINE_EXCEEDED", true},
    {"NOT_FOUND", false},
    {"ALREADY_EXISTS", false},
    {"PERMISSION_DENIED", false},
    {"RESOURCE_EXHAUSTED", false},
    {"FAILED_PRECONDITION", false},
    {"ABORTED", false},
    {"OUT_OF_RANGE", false},
    {"UNIMPLEMENTED", true},
    {"INTERNAL", true},
    {"UNAVAILABLE", true},
    {"DATA_LOSS", true},
    {"UNAUTHENTICATED", false},
};
static_assert(ELEMENTSOF(statuses) == STATUS_CODES, "a row for every code");

/*
 * A call is a POST, and its request says so. A response alone proves nothing: proxies that translate
 * plain HTTP into calls leave grpc-status in it. It is believed where the request's type is unknown.
 */
bool grpc_is_call(const struct message *request, const struct message *response)
{
    struct bytes method = message_field(request, HTTP1_FIELD_METHOD);

    if (method.ptr && !bytes_equal(method, BYTES_LITERAL("POST")))
        return false;
    if (message_field(request, GRPC_FIELD_CONTENT_TYPE).ptr)
        return true;
    return response && request->flags & MESSAGE_TRUNCATED &&
           (message_field(response, GRPC_FIELD_CONTENT_TYPE).ptr ||
            message_field(response, GRPC_FIELD_STATUS).ptr);
}

/* "/package.Service/Method": the service is what stands before the last slash. */
static void describe_path(struct bytes path, struct span *span)
{
    size_t slash = path.len;

    span->name = BYTES_LITERAL("grpc");
    if (path.len < 2 || path.ptr[0] != '/')
        return;
    while (path.ptr[slash - 1] != '/')
        slash--;
    span->name = bytes_skip(path, 1);
    if (slash > 2)
        span_add_text(span, RPC_SERVICE, bytes_slice(path, 1, slash - 2));
    if (slash < path.len)
        span_add_text(span, RPC_METHOD, bytes_skip(path, slash));
}

static void describe_server(const struct message *request, struct span *span)
{
    struct http1_url url = url_read(false, BYTES_LITERAL("POST"), BYTES_LITERAL("/"),
                                    message_field(request, HTTP1_FIELD_HOST));
    uint16_t port = url.port.ptr ? url_port(&url) : 0;

    if (!url.host.len)
        return;
    span_add_text(span, SEMCONV_SERVER_ADDRESS, url.host);
    if (port)
        span_add_integer(span, SEMCONV_SERVER_PORT, port);
}

static void set_error(struct span *span, struct bytes type)
{
    span->status = SPAN_STATUS_ERROR;
    span_add_text(span, SEMCONV_ERROR_TYPE, type);
}

/* A proxy may answer in the server's place, and knows no status of gRPC. */
static void describe_http(int64_t code, struct span *span)
{
    if (code == 0 || code == HTTP_OK)
        return;
    span_add_integer(span, HTTP_RESPONSE_STATUS_CODE, code);
    set_error(span, arena_printf(span->arena, "%d", (int)code));
}

static void describe_status(const struct message *response, struct span *span)
{
    uint64_t status;
    bool known;

    if (bytes_parse_u64(message_field(response, GRPC_FIELD_STATUS), &status) < 0 ||
        status > INT32_MAX) {
        describe_http(response->code, span);
        return;
    }
    known = status < STATUS_CODES;
    span_add_integer(span, RPC_GRPC_STATUS_CODE, (int64_t)status);
    if (span->kind == SPAN_KIND_SERVER ? !known || statuses[status].server_error
                                       : status != STATUS_OK)
        set_error(span, known ? bytes_from_string(statuses[status].name)
                              : arena_printf(span->arena, "%u", (unsigned)status));
}

static void describe_count(const struct message *message, unsigned id, struct bytes key,
                           struct span *span)
{
    struct reader reader = reader_make(message_field(message, id));
    uint32_t count = reader_be32(&reader);

    if (!reader.failed)
        span_add_integer(span, key, count);
}

static void describe_counts(const struct message *message, struct span *span)
{
    describe_count(message, GRPC_FIELD_REQUESTS, FLOWTRACE_RPC_REQUESTS, span);
    describe_count(message, GRPC_FIELD_RESPONSES, FLOWTRACE_RPC_RESPONSES, span);
}

void grpc_describe(const struct message *request, const struct message *response,
                   struct span *span)
{
    struct bytes timeout = message_field(request, GRPC_FIELD_TIMEOUT);
    struct bytes version = message_field(request, HTTP1_FIELD_VERSION);

    span_add_text(span, RPC_SYSTEM, BYTES_LITERAL("grpc"));
    describe_path(message_field(request, HTTP1_FIELD_TARGET), span);
    describe_server(request, span);
    span_add_text(span, SEMCONV_NETWORK_PROTOCOL_NAME, BYTES_LITERAL("http"));
    if (version.len)
        span_add_text(span, SEMCONV_NETWORK_PROTOCOL_VERSION, version);
    if (timeout.len)
        span_add_text(span, FLOWTRACE_RPC_TIMEOUT, timeout);
    if (response)
        describe_status(response, span);
    /* Whoever ended the call has the counts, or each its own. */
    describe_counts(request, span);
    if (response)
        describe_counts(response, span);
}
