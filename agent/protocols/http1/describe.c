/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP exchange as span attributes, by the stable OpenTelemetry semantic conventions for HTTP:
 *
 *   GET /shops/17?q=a HTTP/1.1     name "GET /shops/{}", http.request.method, url.*, server.*
 *   Host: shop:8080                user_agent.original, http.request.body.size
 *   HTTP/1.1 503 ...               http.response.status_code, error.type "503", status ERROR
 *
 * No other header is recorded. The query stays as it was: policy/ redacts it later.
 */
#include "protocols/http/grpc.h"
#include "protocols/http1/http1.h"
#include "protocols/http1/method.h"
#include "protocols/http1/route.h"
#include "protocols/http1/url.h"

#include "base/macro.h"
#include "span/semconv.h"

#define HTTP_REQUEST_METHOD BYTES_LITERAL("http.request.method")
#define HTTP_REQUEST_METHOD_ORIGINAL BYTES_LITERAL("http.request.method_original")
#define HTTP_REQUEST_BODY_SIZE BYTES_LITERAL("http.request.body.size")
#define HTTP_RESPONSE_BODY_SIZE BYTES_LITERAL("http.response.body.size")
#define HTTP_RESPONSE_STATUS_CODE BYTES_LITERAL("http.response.status_code")
#define URL_FULL BYTES_LITERAL("url.full")
#define URL_PATH BYTES_LITERAL("url.path")
#define URL_QUERY BYTES_LITERAL("url.query")
#define URL_SCHEME BYTES_LITERAL("url.scheme")
#define USER_AGENT_ORIGINAL BYTES_LITERAL("user_agent.original")
/* In what way the request or the response can be read differently by others. */
#define FLOWTRACE_HTTP_AMBIGUOUS BYTES_LITERAL("flowtrace.http.ambiguous")

static const char *const ambiguities[HTTP1_AMBIGUITIES] = {
    [HTTP1_TWO_FRAMINGS] = "transfer_encoding_and_content_length",
    [HTTP1_BAD_LENGTH] = "content_length",
    [HTTP1_BAD_CODING] = "transfer_encoding",
    [HTTP1_OLD_CODING] = "transfer_encoding_in_http_1.0",
    [HTTP1_FOLDED_LINE] = "folded_line",
    [HTTP1_BARE_CR] = "bare_cr",
    [HTTP1_NUL] = "nul",
    [HTTP1_BLANK_IN_NAME] = "blank_before_colon",
    [HTTP1_TWO_HOSTS] = "different_hosts",
    [HTTP1_BARE_LF_CHUNK] = "chunk_without_cr",
    [HTTP1_BLANKS_IN_LINE] = "blanks_in_request_line",
    [HTTP1_ODD_VERSION] = "http_version",
    [HTTP1_BAD_NAME] = "header_name",
    [HTTP1_BARE_LF] = "bare_lf",
    [HTTP1_BLANK_IN_CHUNK] = "blank_in_chunk_size",
    [HTTP1_BAD_CHUNK] = "chunk_size",
    [HTTP1_BAD_CHUNK_END] = "chunk_end",
};

static void add_text(struct span *span, struct bytes key, struct bytes text)
{
    if (text.len)
        span_add_text(span, key, text);
}

/* The parts in one string of the arena, or an empty one where it has no room. */
static struct bytes join(struct arena *arena, const struct bytes *parts, size_t n_parts)
{
    size_t len = 0, at = 0;
    uint8_t *out;

    for (size_t i = 0; i < n_parts; i++)
        len += parts[i].len;
    out = arena_alloc(arena, len);
    if (!out)
        return BYTES_NULL;
    for (size_t i = 0; i < n_parts; i++) {
        if (parts[i].len)
            memcpy(out + at, parts[i].ptr, parts[i].len);
        at += parts[i].len;
    }
    return bytes_make(out, len);
}

/* A folded header value on one line: each line end becomes blanks (RFC 9112, section 5.2). */
static struct bytes unfold(struct arena *arena, struct bytes value)
{
    uint8_t *out;

    if (bytes_find(value, '\n') == SIZE_MAX)
        return value;
    out = arena_alloc(arena, value.len);
    for (size_t i = 0; out && i < value.len; i++)
        out[i] = value.ptr[i] == '\r' || value.ptr[i] == '\n' ? ' ' : value.ptr[i];
    return out ? bytes_make(out, value.len) : BYTES_NULL;
}

static void describe_method(struct bytes method, struct span *span)
{
    bool conventional = method_is_conventional(method);

    if (!method.len)
        return;
    span_add_text(span, HTTP_REQUEST_METHOD, conventional ? method : BYTES_LITERAL("_OTHER"));
    if (!conventional)
        span_add_text(span, HTTP_REQUEST_METHOD_ORIGINAL, method);
}

/* The method alone where the target is cut: the beginning of a path is not a route. */
static void describe_name(struct bytes method, const struct http1_url *url, bool target_cut,
                          struct span *span)
{
    uint8_t route[ROUTE_MAX];
    size_t len = target_cut && !url->query.ptr ? 0 : route_write(url->path, route);
    struct bytes shown = method_is_conventional(method) ? method : BYTES_LITERAL("HTTP");
    const struct bytes parts[] = {shown, BYTES_LITERAL(" "), {route, len}};

    span->name = len ? join(span->arena, parts, ELEMENTSOF(parts)) : shown;
    span->plain_name = shown;
}

/* No url.full of a target that is cut, or no path: "http://shop" "oops" would be another host. */
static bool has_full(const struct http1_url *url, bool target_cut)
{
    return !target_cut && url->scheme.ptr && url->host.len &&
           (url->path.len == 0 || url->path.ptr[0] == '/');
}

static void describe_url(const struct http1_url *url, bool target_cut, struct span *span)
{
    const struct bytes full[] = {url->scheme, BYTES_LITERAL("://"), url->authority, url->path,
                                 url->query.ptr ? BYTES_LITERAL("?") : BYTES_NULL, url->query};
    uint16_t port = url_port(url);

    if (span->kind == SPAN_KIND_CLIENT && has_full(url, target_cut))
        add_text(span, URL_FULL, join(span->arena, full, ELEMENTSOF(full)));
    add_text(span, URL_SCHEME, url->scheme);
    add_text(span, URL_PATH, url->path);
    add_text(span, URL_QUERY, url->query);
    if (url->host.len) {
        span_add_text(span, SEMCONV_SERVER_ADDRESS, url->host);
        if (port)
            span_add_integer(span, SEMCONV_SERVER_PORT, port);
    }
}

static void describe_body(const struct message *message, struct bytes key, struct span *span)
{
    uint64_t size;

    if (bytes_parse_u64(message_field(message, HTTP1_FIELD_BODY_SIZE), &size) == 0)
        span_add_integer(span, key, (int64_t)size);
}

/* The request's, else the response's. */
static void describe_ambiguity(const struct message *request, const struct message *response,
                               struct span *span)
{
    struct bytes found = message_field(request, HTTP1_FIELD_AMBIGUITY);

    if (!found.len && response)
        found = message_field(response, HTTP1_FIELD_AMBIGUITY);
    if (found.len && found.ptr[0] < HTTP1_AMBIGUITIES && ambiguities[found.ptr[0]])
        span_add_text(span, FLOWTRACE_HTTP_AMBIGUOUS,
                      bytes_from_string(ambiguities[found.ptr[0]]));
}

static void describe_response(const struct message *response, struct span *span)
{
    int64_t first_error = span->kind == SPAN_KIND_SERVER ? 500 : 400;

    if (response->code)
        span_add_integer(span, HTTP_RESPONSE_STATUS_CODE, response->code);
    describe_body(response, HTTP_RESPONSE_BODY_SIZE, span);
    if (response->code >= first_error) {
        span->status = SPAN_STATUS_ERROR;
        span_add_text(span, SEMCONV_ERROR_TYPE,
                      arena_printf(span->arena, "%d", (int)response->code));
    }
}

static void describe_exchange(const struct message *request, const struct message *response,
                              struct span *span)
{
    struct bytes method = message_field(request, HTTP1_FIELD_METHOD);
    struct bytes version = message_field(request, HTTP1_FIELD_VERSION);
    struct bytes target = message_field(request, HTTP1_FIELD_TARGET);
    struct bytes scheme = message_field(request, HTTP1_FIELD_SCHEME);
    bool target_cut = !version.ptr || !target.ptr;
    struct http1_url url = url_read(request->flags & MESSAGE_SECURE, method, target,
                                    message_field(request, HTTP1_FIELD_HOST));

    if (scheme.len)
        url.scheme = scheme;
    describe_name(method, &url, target_cut, span);
    describe_method(method, span);
    describe_url(&url, target_cut, span);
    add_text(span, USER_AGENT_ORIGINAL,
             unfold(span->arena, message_field(request, HTTP1_FIELD_USER_AGENT)));
    describe_body(request, HTTP_REQUEST_BODY_SIZE, span);
    if (!version.len && response)
        version = message_field(response, HTTP1_FIELD_VERSION);
    span_add_text(span, SEMCONV_NETWORK_PROTOCOL_NAME, BYTES_LITERAL("http"));
    add_text(span, SEMCONV_NETWORK_PROTOCOL_VERSION, version);
    if (response)
        describe_response(response, span);
}

void http1_describe(const struct message *request, const struct message *response,
                    struct span *span)
{
    if (grpc_is_call(request, response))
        grpc_describe(request, response, span);
    else
        describe_exchange(request, response, span);
    describe_ambiguity(request, response, span);
}
