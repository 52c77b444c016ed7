/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans to any OTLP backend over HTTP/1.1, by libcurl: one POST per batch, as protobuf or JSON
 * (OpenTelemetry specification, protocol/otlp.md, "OTLP/HTTP"). What the answer means for the batch
 * stands in answer.c, which URL is meant in endpoint.c, and what is common with OTLP over gRPC in
 * ../otlp/.
 */
#include "exporters/exporter.h"
#include "exporters/otlp/common.h"
#include "exporters/otlp_http/answer.h"
#include "exporters/otlp_http/endpoint.h"
#include "exporters/otlp_http/gzip.h"

#include "base/log.h"
#include "base/macro.h"
#include "otlp/otlp.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>

#define REQUEST_MAX ((size_t)512 << 20) /* JSON of the largest batch that can be configured */
#define ANSWER_MAX ((size_t)64 << 10)
#define ENDPOINT_DEFAULT "http://localhost:4318"
#define USER_AGENT "flowtrace/" FLOWTRACE_VERSION
#define JSON_TYPE "application/json"
#define PROTOBUF_TYPE "application/x-protobuf"

struct otlp_http_settings {
    struct otlp_settings common;
    char *encoding;
    char *proxy;
};

static bool is_encoding(const char *text)
{
    return !*text || strcmp(text, "protobuf") == 0 || strcmp(text, "json") == 0;
}

static const struct setting_form form_encoding = {is_encoding, "protobuf, json, or empty"};

static const struct setting rows[] = {
    OTLP_SETTING_ROWS,
    {"encoding", SETTING_TEXT, "", .form = &form_encoding, .optional = true,
     .offset = offsetof(struct otlp_http_settings, encoding),
     .description = "Of requests; not set: json where `OTEL_EXPORTER_OTLP_PROTOCOL` is "
                    "`http/json`, else protobuf."},
    {"proxy", SETTING_TEXT, "", .offset = offsetof(struct otlp_http_settings, proxy),
     .secret = true,
     .description = "URL of an HTTP proxy; empty: none, whatever the environment says."},
};

struct otlp_exporter {
    struct otlp_common common;
    char urls[OTLP_ENDPOINTS_MAX][URL_MAX];
    bool json;
    const char *proxy;
    CURL *curl;
    struct curl_slist *headers;
    struct gzip *gzip;
    bool outdated; /* connections began with the files of before */
    struct buffer request, packed, answer;
    char error[CURL_ERROR_SIZE];
};

static struct otlp_exporter *exporter_of(struct otlp_common *common)
{
    return container_of(common, struct otlp_exporter, common);
}

/* ---- what curl calls ------------------------------------------------------------------------- */

/* What is too long is cut, not an error: the status alone says whether the batch has arrived. */
static size_t take_answer(char *data, size_t one, size_t n, void *arg)
{
    struct otlp_exporter *otlp = arg;

    buffer_append(&otlp->answer, data, n);
    return n;
}

/* Several times a second, also while nothing moves: not 0 ends the transfer. */
static int look_for_stop(void *arg, curl_off_t download_total, curl_off_t download,
                         curl_off_t upload_total, curl_off_t upload)
{
    const struct otlp_exporter *otlp = arg;

    return *otlp->common.stopping;
}

/* ---- open and close -------------------------------------------------------------------------- */

static void http_close(void *exporter)
{
    struct otlp_exporter *otlp = exporter;

    if (!otlp)
        return;
    curl_easy_cleanup(otlp->curl);
    curl_slist_free_all(otlp->headers);
    gzip_free(otlp->gzip);
    otlp_common_done(&otlp->common);
    buffer_done(&otlp->request);
    buffer_done(&otlp->packed);
    buffer_done(&otlp->answer);
    free(otlp);
}

static void http_closep(struct otlp_exporter **otlp)
{
    http_close(*otlp);
}

static int add_url(struct otlp_common *common, const char *text, enum otlp_origin origin,
                   bool *ret_tls, const char **ret_problem)
{
    char *url = exporter_of(common)->urls[common->n_endpoints];
    int r = url_make(text, origin, common->choice.insecure, url, ret_problem);

    *ret_tls = r == 0 && strncmp(url, "https:", strlen("https:")) == 0;
    return r;
}

/* In curl's form: "Name: value", "Name;" for an empty value, "Name:" for not to be sent at all. */
static int add_line(struct otlp_exporter *otlp, const char *line)
{
    struct curl_slist *more = curl_slist_append(otlp->headers, line);

    if (!more)
        return -ENOMEM;
    otlp->headers = more;
    return 0;
}

static int add_header(struct otlp_exporter *otlp, const char *name, const char *value)
{
    _cleanup_(freep) char *line = NULL;

    if (asprintf(&line, "%s%s%s", name, *value ? ": " : ";", value) < 0)
        return -ENOMEM;
    return add_line(otlp, line);
}

static int add_headers(struct otlp_exporter *otlp)
{
    int r = add_header(otlp, "Content-Type", otlp->json ? JSON_TYPE : PROTOBUF_TYPE);

    /* Without it curl waits for a "100 Continue" before larger bodies. */
    if (r == 0)
        r = add_line(otlp, "Expect:");
    if (r == 0 && otlp->common.choice.gzip)
        r = add_header(otlp, "Content-Encoding", "gzip");
    for (size_t i = 0; i < otlp->common.choice.n_headers && r == 0; i++)
        r = add_header(otlp, otlp->common.choice.headers[i].name, otlp->common.choice.headers[i].value);
    return r;
}

static CURLcode set_text(CURL *curl, CURLoption option, char *text)
{
    struct curl_blob blob = {.data = text, .len = text ? strlen(text) : 0,
                             .flags = CURL_BLOB_COPY};

    return text ? curl_easy_setopt(curl, option, &blob) : CURLE_OK;
}

/* The files as they were read and found to fit together, not as they may be by then. */
static int use_files(struct otlp_exporter *otlp)
{
    const struct otlp_tls *tls = &otlp->common.tls;
    CURLcode code = set_text(otlp->curl, CURLOPT_CAINFO_BLOB, tls->ca);

    if (code == CURLE_OK)
        code = set_text(otlp->curl, CURLOPT_SSLCERT_BLOB, tls->certificate);
    if (code == CURLE_OK)
        code = set_text(otlp->curl, CURLOPT_SSLKEY_BLOB, tls->key);
    return code == CURLE_OK ? 0 : code == CURLE_OUT_OF_MEMORY ? -ENOMEM : -ENOTSUP;
}

/* All of it that stays the same for every request. */
static int make_curl(struct otlp_exporter *otlp)
{
    uint64_t timeout_ms = MIN(MAX(otlp->common.choice.timeout_ns / 1000000, UINT64_C(1)),
                              (uint64_t)INT32_MAX);
    CURL *curl = curl_easy_init();

    if (!curl)
        return -ENOMEM;
    otlp->curl = curl;
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, USER_AGENT);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, otlp->headers);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, otlp->proxy);
    curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, otlp);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_for_stop);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, otlp);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, otlp->error);
    /* A backend that has moved is found by its name: each new connection asks anew. */
    curl_easy_setopt(curl, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    /* Files that changed are to be read again, and to count. */
    curl_easy_setopt(curl, CURLOPT_CA_CACHE_TIMEOUT, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    return use_files(otlp);
}

/* curl knows it only when it connects, and its complaint quotes the password. */
static int check_proxy(const char *proxy)
{
    CURLU *url = *proxy ? curl_url() : NULL;
    bool bad = url && curl_url_set(url, CURLUPART_URL, proxy,
                                   CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK;

    curl_url_cleanup(url);
    return bad ? log_error(-EINVAL, "exporter otlp_http: otlp_http.proxy is no URL: give "
                                    "http://HOST:PORT") : 0;
}

static bool wants_json(const struct otlp_http_settings *settings)
{
    bool of_signal;
    const char *protocol = otlp_environment("PROTOCOL", &of_signal);

    return settings->encoding ? strcmp(settings->encoding, "json") == 0
                              : protocol && strcmp(protocol, "http/json") == 0;
}

static int prepare(struct otlp_exporter *otlp, const struct exporter_options *options)
{
    const struct otlp_http_settings *settings = options->settings;
    int r;

    r = otlp_common_open("otlp_http", options, &otlp->common);
    if (r == 0)
        r = otlp_open_endpoints(&otlp->common, options->target, ENDPOINT_DEFAULT, add_url);
    if (r < 0)
        return r;
    otlp->proxy = settings->proxy;
    r = check_proxy(otlp->proxy);
    if (r < 0)
        return r;
    otlp->json = wants_json(settings);
    r = add_headers(otlp);
    if (r == 0)
        r = make_curl(otlp);
    if (r == 0 && otlp->common.choice.gzip)
        r = gzip_new(&otlp->gzip);
    return r < 0 ? log_error(r, "exporter otlp_http") : 0;
}

static int http_open(const struct exporter_options *options, void **ret_exporter)
{
    _cleanup_(http_closep) struct otlp_exporter *otlp = calloc(1, sizeof(*otlp));
    int r;

    if (!otlp)
        return log_error(-ENOMEM, "exporter otlp_http");
    otlp->request = buffer_make(REQUEST_MAX);
    otlp->packed = buffer_make(REQUEST_MAX);
    otlp->answer = buffer_make(ANSWER_MAX);
    r = prepare(otlp, options);
    if (r < 0)
        return r;
    *ret_exporter = TAKE_PTR(otlp);
    return 0;
}

/* ---- send ------------------------------------------------------------------------------------ */

static int encode(struct otlp_exporter *otlp, const struct batch *batch, struct bytes *ret_body)
{
    int r;

    buffer_reset(&otlp->request);
    r = otlp->json ? otlp_encode_json(batch, &otlp->request)
                   : otlp_encode_request(batch, &otlp->request);
    if (r < 0)
        return r;
    *ret_body = buffer_bytes(&otlp->request);
    if (!otlp->gzip || ret_body->len > otlp->common.choice.max_message)
        return 0;
    buffer_reset(&otlp->packed);
    r = gzip_append(otlp->gzip, *ret_body, &otlp->packed);
    *ret_body = buffer_bytes(&otlp->packed);
    return r;
}

/*
 * Connections live on with the files they began with: after a change, none of them is used again. A
 * copy of the handle has all that was set, and no connection.
 */
static bool renew_connections(struct otlp_exporter *otlp)
{
    CURL *copy = curl_easy_duphandle(otlp->curl);

    if (!copy)
        return false;
    curl_easy_cleanup(otlp->curl);
    otlp->curl = copy;
    return use_files(otlp) == 0;
}

static void note_renewal(struct otlp_common *common)
{
    exporter_of(common)->outdated = true;
}

/* False: nobody answered, and otlp->error says why. */
static bool post(struct otlp_exporter *otlp, struct bytes body, struct answer *ret_answer)
{
    curl_off_t retry_after = 0;
    const char *type = NULL;
    CURLcode code;

    buffer_reset(&otlp->answer);
    otlp->error[0] = '\0';
    if (otlp->outdated && !renew_connections(otlp))
        return false;
    otlp->outdated = false;
    curl_easy_setopt(otlp->curl, CURLOPT_URL, otlp->urls[otlp->common.current]);
    curl_easy_setopt(otlp->curl, CURLOPT_POSTFIELDS, body.ptr);
    curl_easy_setopt(otlp->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    code = curl_easy_perform(otlp->curl);
    /* Of a proxy that it cannot use curl quotes the URL, and the password in it. */
    if (*otlp->proxy && strstr(otlp->error, otlp->proxy))
        snprintf(otlp->error, sizeof(otlp->error), "the proxy of otlp_http.proxy cannot be used");
    if (code != CURLE_OK)
        return false;
    *ret_answer = (struct answer){.body = buffer_bytes(&otlp->answer)};
    curl_easy_getinfo(otlp->curl, CURLINFO_RESPONSE_CODE, &ret_answer->status);
    curl_easy_getinfo(otlp->curl, CURLINFO_RETRY_AFTER, &retry_after);
    curl_easy_getinfo(otlp->curl, CURLINFO_CONTENT_TYPE, &type);
    ret_answer->retry_after_s = retry_after > 0 ? (uint64_t)retry_after : 0;
    ret_answer->type = answer_type_of(type);
    return true;
}

static struct export_outcome try_post(struct otlp_common *common, void *body)
{
    struct otlp_exporter *otlp = exporter_of(common);
    const char *url = otlp->urls[common->current];
    struct answer answer;

    if (post(otlp, *(const struct bytes *)body, &answer))
        return answer_outcome(&answer, url, common->reason);
    snprintf(common->reason, sizeof(common->reason), "%.*s: %.190s", otlp_shown(url), url,
             otlp->error[0] ? otlp->error : "no answer");
    return (struct export_outcome){.result = EXPORT_RETRY, .reason = common->reason};
}

static struct export_outcome http_send(void *exporter, const struct batch *batch)
{
    struct otlp_exporter *otlp = exporter;
    struct bytes body;
    int r = encode(otlp, batch, &body);

    if (r < 0)
        return otlp_failed(&otlp->common, "cannot encode a request", r);
    if (otlp->request.len > otlp->common.choice.max_message)
        return (struct export_outcome){.result = EXPORT_TOO_LARGE,
                                       .reason = "a span is larger than otlp_http.max_message"};
    return otlp_send_anywhere(&otlp->common, body.len, note_renewal, try_post, &body);
}

const struct exporter_ops exporter_otlp_http = {
    .settings = {.name = "otlp_http", .rows = rows, .n_rows = ELEMENTSOF(rows),
                 .size = sizeof(struct otlp_http_settings)},
    .usage = "otlp_http[:URL,...]         OTLP over HTTP; default http://localhost:4318",
    .open = http_open,
    .send = http_send,
    .close = http_close,
};
