/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans to any OTLP backend over HTTP/1.1, by libcurl: one POST per batch, as protobuf or JSON
 * (OpenTelemetry specification, protocol/otlp.md, "OTLP/HTTP"). What the answer means for the batch
 * stands in answer.c, which URL is meant in endpoint.c, settings and environment in
 * ../otlp/settings.h.
 *
 * Of several endpoints one is in use until it does not take a batch now and says no time to come
 * again; the batch then goes to the next one at once, and only when none took it, it is to be tried
 * again later.
 */
#include "exporters/exporter.h"
#include "exporters/otlp/settings.h"
#include "exporters/otlp_http/answer.h"
#include "exporters/otlp_http/endpoint.h"
#include "exporters/otlp_http/gzip.h"

#include "base/log.h"
#include "otlp/otlp.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

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
    {"encoding", SETTING_TEXT, "", .form = &form_encoding,
     .offset = offsetof(struct otlp_http_settings, encoding),
     .description = "Of requests; empty: json where `OTEL_EXPORTER_OTLP_PROTOCOL` is `http/json`, "
                    "else protobuf."},
    {"proxy", SETTING_TEXT, "", .offset = offsetof(struct otlp_http_settings, proxy),
     .secret = true,
     .description = "URL of an HTTP proxy; empty: none, whatever the environment says."},
};

struct otlp_exporter {
    struct otlp_choice choice;
    char urls[OTLP_ENDPOINTS_MAX][URL_MAX];
    size_t n_urls;
    size_t current; /* the URL in use */
    bool json;
    CURL *curl;
    struct curl_slist *headers;
    struct gzip *gzip;
    struct timespec changed[3]; /* of the files of TLS, when they were last looked at */
    bool outdated;              /* connections began with the files of before */
    const _Atomic bool *stopping;
    struct buffer request, packed, answer;
    char error[CURL_ERROR_SIZE];
    char reason[ANSWER_REASON_MAX];
};

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

    return *otlp->stopping;
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
    otlp_choice_done(&otlp->choice);
    buffer_done(&otlp->request);
    buffer_done(&otlp->packed);
    buffer_done(&otlp->answer);
    free(otlp);
}

static void http_closep(struct otlp_exporter **otlp)
{
    http_close(*otlp);
}

static int add_url(struct otlp_exporter *otlp, const char *text, enum url_kind kind)
{
    const char *problem;
    int r;

    if (otlp->n_urls == OTLP_ENDPOINTS_MAX)
        return log_error(-E2BIG, "exporter otlp_http: more than %d endpoints", OTLP_ENDPOINTS_MAX);
    r = url_make(text, kind, otlp->choice.insecure, otlp->urls[otlp->n_urls], &problem);
    if (r < 0) {
        /* Not what may be a password: "user:password@host" is what is refused, among others. */
        log_error(0, "exporter otlp_http: %.*s: %s", url_shown(text),
                  strchr(text, '@') ? "a URL" : text, problem);
        return r;
    }
    otlp->n_urls++;
    return 0;
}

static int add_urls(struct otlp_exporter *otlp, const char *target)
{
    enum url_kind kind = URL_GIVEN;
    bool of_signal;
    int r = 0;

    if (!*target) {
        target = otlp_environment("ENDPOINT", &of_signal);
        kind = target && of_signal ? URL_EXACT : URL_BASE;
        target = target ?: ENDPOINT_DEFAULT;
    }
    for (char *text; r == 0 && (text = otlp_next_endpoint(&target)); free(text))
        r = add_url(otlp, text, kind);
    if (r == 0 && otlp->n_urls == 0)
        return log_error(-EINVAL, "exporter otlp_http: no endpoint: give otlp_http:http://HOST");
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
    if (r == 0 && otlp->choice.gzip)
        r = add_header(otlp, "Content-Encoding", "gzip");
    for (size_t i = 0; i < otlp->choice.n_headers && r == 0; i++)
        r = add_header(otlp, otlp->choice.headers[i].name, otlp->choice.headers[i].value);
    return r;
}

static const char *file_of(const struct otlp_exporter *otlp, size_t i)
{
    const char *path = i == 0   ? otlp->choice.ca
                       : i == 1 ? otlp->choice.certificate
                                : otlp->choice.key;

    return *path ? path : NULL;
}

/* All of it that stays the same for every request. */
static int make_curl(struct otlp_exporter *otlp, const char *proxy)
{
    uint64_t timeout_ms = MIN(MAX(otlp->choice.timeout_ns / 1000000, UINT64_C(1)),
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
    curl_easy_setopt(curl, CURLOPT_PROXY, proxy);
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
    if (file_of(otlp, 0))
        curl_easy_setopt(curl, CURLOPT_CAINFO, file_of(otlp, 0));
    if (file_of(otlp, 1)) {
        curl_easy_setopt(curl, CURLOPT_SSLCERT, file_of(otlp, 1));
        curl_easy_setopt(curl, CURLOPT_SSLKEY, file_of(otlp, 2));
    }
    return 0;
}

static int check_files(const struct otlp_exporter *otlp)
{
    for (size_t i = 0; i < ELEMENTSOF(otlp->changed); i++)
        if (file_of(otlp, i) && access(file_of(otlp, i), R_OK) < 0)
            return log_error(-errno, "exporter otlp_http: %s", file_of(otlp, i));
    return 0;
}

static bool wants_json(const struct otlp_http_settings *settings)
{
    bool of_signal;
    const char *protocol = otlp_environment("PROTOCOL", &of_signal);

    return *settings->encoding ? strcmp(settings->encoding, "json") == 0
                               : protocol && strcmp(protocol, "http/json") == 0;
}

static int prepare(struct otlp_exporter *otlp, const struct exporter_options *options)
{
    const struct otlp_http_settings *settings = options->settings;
    int r;

    r = otlp_choose("otlp_http", &settings->common, options->send_timeout_ns, &otlp->choice);
    if (r == 0)
        r = add_urls(otlp, options->target);
    if (r == 0)
        r = check_files(otlp);
    if (r < 0)
        return r;
    otlp->json = wants_json(settings);
    r = add_headers(otlp);
    if (r == 0)
        r = make_curl(otlp, settings->proxy);
    if (r == 0 && otlp->choice.gzip)
        r = gzip_new(&otlp->gzip);
    return r < 0 ? log_error(r, "exporter otlp_http") : 0;
}

static int http_open(const struct exporter_options *options, void **ret_exporter)
{
    _cleanup_(http_closep) struct otlp_exporter *otlp = calloc(1, sizeof(*otlp));
    int r;

    if (!otlp)
        return log_error(-ENOMEM, "exporter otlp_http");
    otlp->stopping = options->stopping;
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

/* No memory may pass; a request that cannot be made never can. */
static struct export_outcome failed(struct otlp_exporter *otlp, const char *what, int error)
{
    snprintf(otlp->reason, sizeof(otlp->reason), "%s: %s", what, strerror(-error));
    return (struct export_outcome){.result = error == -ENOMEM ? EXPORT_RETRY : EXPORT_FAILED,
                                   .reason = otlp->reason};
}

static int encode(struct otlp_exporter *otlp, const struct batch *batch, struct bytes *ret_body)
{
    int r;

    buffer_reset(&otlp->request);
    r = otlp->json ? otlp_encode_json(batch, &otlp->request)
                   : otlp_encode_request(batch, &otlp->request);
    if (r < 0)
        return r;
    *ret_body = buffer_bytes(&otlp->request);
    if (!otlp->gzip || ret_body->len > otlp->choice.max_message)
        return 0;
    buffer_reset(&otlp->packed);
    r = gzip_append(otlp->gzip, *ret_body, &otlp->packed);
    *ret_body = buffer_bytes(&otlp->packed);
    return r;
}

static bool files_changed(struct otlp_exporter *otlp)
{
    bool changed = false;

    for (size_t i = 0; i < ELEMENTSOF(otlp->changed); i++) {
        struct stat info;

        if (!file_of(otlp, i) || stat(file_of(otlp, i), &info) < 0)
            continue;
        changed |= info.st_mtim.tv_sec != otlp->changed[i].tv_sec ||
                   info.st_mtim.tv_nsec != otlp->changed[i].tv_nsec;
        otlp->changed[i] = info.st_mtim;
    }
    return changed;
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
    return true;
}

/* False: nobody answered, and otlp->error says why. */
static bool post(struct otlp_exporter *otlp, struct bytes body, struct answer *ret_answer)
{
    curl_off_t retry_after = 0;
    const char *type = NULL;

    buffer_reset(&otlp->answer);
    otlp->error[0] = '\0';
    otlp->outdated |= files_changed(otlp);
    if (otlp->outdated && !renew_connections(otlp))
        return false;
    otlp->outdated = false;
    curl_easy_setopt(otlp->curl, CURLOPT_URL, otlp->urls[otlp->current]);
    curl_easy_setopt(otlp->curl, CURLOPT_POSTFIELDS, body.ptr);
    curl_easy_setopt(otlp->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    if (curl_easy_perform(otlp->curl) != CURLE_OK)
        return false;
    *ret_answer = (struct answer){.body = buffer_bytes(&otlp->answer)};
    curl_easy_getinfo(otlp->curl, CURLINFO_RESPONSE_CODE, &ret_answer->status);
    curl_easy_getinfo(otlp->curl, CURLINFO_RETRY_AFTER, &retry_after);
    curl_easy_getinfo(otlp->curl, CURLINFO_CONTENT_TYPE, &type);
    ret_answer->retry_after_s = retry_after > 0 ? (uint64_t)retry_after : 0;
    ret_answer->json = type && strncmp(type, JSON_TYPE, strlen(JSON_TYPE)) == 0;
    return true;
}

/* One POST after the other until somebody answers, beginning with the URL in use. */
static struct export_outcome post_anywhere(struct otlp_exporter *otlp, struct bytes body)
{
    struct export_outcome outcome = {.result = EXPORT_RETRY, .reason = otlp->reason};
    struct answer answer;
    uint64_t bytes = 0;

    for (size_t i = 0; i < otlp->n_urls && !*otlp->stopping; i++) {
        bytes += body.len;
        outcome = (struct export_outcome){.result = EXPORT_RETRY, .reason = otlp->reason};
        if (post(otlp, body, &answer))
            outcome = answer_outcome(&answer, otlp->urls[otlp->current], otlp->reason);
        else
            snprintf(otlp->reason, sizeof(otlp->reason), "%.*s: %.190s",
                     url_shown(otlp->urls[otlp->current]), otlp->urls[otlp->current],
                     otlp->error[0] ? otlp->error : "no answer");
        if (outcome.result != EXPORT_RETRY || outcome.retry_after_ns > 0)
            break;
        otlp->current = (otlp->current + 1) % otlp->n_urls;
    }
    outcome.bytes = bytes;
    return outcome;
}

static struct export_outcome http_send(void *exporter, const struct batch *batch)
{
    struct otlp_exporter *otlp = exporter;
    struct bytes body;
    int r = encode(otlp, batch, &body);

    if (r < 0)
        return failed(otlp, "cannot encode a request", r);
    if (otlp->request.len > otlp->choice.max_message)
        return (struct export_outcome){.result = EXPORT_TOO_LARGE,
                                       .reason = "a span is larger than otlp_http.max_message"};
    return post_anywhere(otlp, body);
}

const struct exporter_ops exporter_otlp_http = {
    .settings = {.name = "otlp_http", .rows = rows, .n_rows = ELEMENTSOF(rows),
                 .size = sizeof(struct otlp_http_settings)},
    .usage = "otlp_http[:URL,...]         OTLP over HTTP; default http://localhost:4318",
    .open = http_open,
    .send = http_send,
    .close = http_close,
};
