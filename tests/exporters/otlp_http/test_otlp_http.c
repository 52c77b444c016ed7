/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/exporter.h"

#include "base/clock.h"
#include "http_server.h"
#include "otlp/otlp.h"
#include "sample.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <zlib.h>

#include <cmocka.h>

#define LONG_NS SAMPLE_TIMEOUT_NS

extern const struct exporter_ops exporter_otlp_http;

struct fixture {
    struct http_server *server;
    void *exporter;
    _Atomic bool stopping;
};

static int open_with(struct fixture *fixture, const char *target, const char *const *assignments)
{
    exporter_otlp_http.close(fixture->exporter);
    fixture->exporter = NULL;
    return sample_open(&exporter_otlp_http, target, assignments, &fixture->stopping,
                       &fixture->exporter);
}

static int open_server(struct fixture *fixture, const char *const *assignments)
{
    char target[64];

    snprintf(target, sizeof(target), "http://127.0.0.1:%u", http_server_port(fixture->server));
    return open_with(fixture, target, assignments);
}

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.server = http_server_start(0)};
    assert_non_null(fixture.server);
    assert_int_equal(open_server(&fixture, NULL), 0);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    exporter_otlp_http.close(fixture->exporter);
    http_server_stop(fixture->server);
    return 0;
}

static struct export_outcome send_spans(struct fixture *fixture, size_t n)
{
    return sample_send(&exporter_otlp_http, fixture->exporter, n);
}

static void assert_body(struct fixture *fixture, struct bytes expected)
{
    assert_true(
        bytes_equal(buffer_bytes(&http_server_last(fixture->server)->body), expected));
}

static bool head_has(struct fixture *fixture, const char *line)
{
    return strstr(http_server_last(fixture->server)->head, line);
}

static void a_batch_is_one_post_of_protobuf(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(255);
    _cleanup_(buffer_done) struct buffer expected = buffer_make(1 << 20);

    assert_int_equal(exporter_otlp_http.send(fixture->exporter, batch).result, EXPORT_OK);
    assert_int_equal(otlp_encode_request(batch, &expected), 0);
    assert_true(head_has(fixture, "POST /v1/traces HTTP/1.1\r\n"));
    assert_true(head_has(fixture, "Content-Type: application/x-protobuf\r\n"));
    assert_true(head_has(fixture, "User-Agent: flowtrace/"));
    assert_false(head_has(fixture, "Expect:"));
    assert_body(fixture, buffer_bytes(&expected));
}

static void json_and_headers_go_where_they_are_asked_for(void **state)
{
    static const char *const json[] = {"otlp_http.encoding=json",
                                       "otlp_http.headers=authorization=Bearer x,empty=", NULL};
    struct fixture *fixture = *state;
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(2);
    _cleanup_(buffer_done) struct buffer expected = buffer_make(1 << 20);

    assert_int_equal(open_server(fixture, json), 0);
    assert_int_equal(exporter_otlp_http.send(fixture->exporter, batch).result, EXPORT_OK);
    assert_int_equal(otlp_encode_json(batch, &expected), 0);
    assert_true(head_has(fixture, "Content-Type: application/json\r\n"));
    assert_true(head_has(fixture, "authorization: Bearer x\r\n"));
    assert_true(head_has(fixture, "empty:\r\n"));
    assert_body(fixture, buffer_bytes(&expected));
}

static void gzip_is_smaller_and_said(void **state)
{
    static const char *const gzip[] = {"otlp_http.compression=gzip", NULL};
    struct fixture *fixture = *state;
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(200);
    _cleanup_(buffer_done) struct buffer expected = buffer_make(1 << 20);
    static uint8_t inflated[1 << 16];
    const struct http_request *seen;
    struct export_outcome outcome;
    z_stream stream = {.next_out = inflated, .avail_out = sizeof(inflated)};

    assert_int_equal(open_server(fixture, gzip), 0);
    outcome = exporter_otlp_http.send(fixture->exporter, batch);
    assert_int_equal(outcome.result, EXPORT_OK);
    assert_int_equal(otlp_encode_request(batch, &expected), 0);
    seen = http_server_last(fixture->server);
    assert_true(head_has(fixture, "Content-Encoding: gzip\r\n"));
    assert_true(outcome.bytes == seen->body.len && seen->body.len < expected.len / 4);
    stream.next_in = seen->body.ptr;
    stream.avail_in = (uInt)seen->body.len;
    assert_int_equal(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    inflateEnd(&stream);
    assert_true(bytes_equal(bytes_make(inflated, stream.total_out), buffer_bytes(&expected)));
}

static void a_connection_serves_many_requests(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(send_spans(fixture, 1).result, EXPORT_OK);
    assert_int_equal(http_server_last(fixture->server)->number, 5);
    assert_int_equal(http_server_last(fixture->server)->connection, 1);
}

static void retry_after_is_a_number_or_a_date(void **state)
{
    struct fixture *fixture = *state;
    struct export_outcome outcome;
    char answer[256], date[64];
    time_t later = time(NULL) + 60;

    http_server_set_answer(fixture->server, "HTTP/1.1 429 Slow\r\nRetry-After: 3\r\n"
                                            "Content-Length: 0\r\n\r\n");
    outcome = send_spans(fixture, 1);
    assert_int_equal(outcome.result, EXPORT_RETRY);
    assert_true(outcome.retry_after_ns == 3 * NS_PER_S);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime(&later));
    snprintf(answer, sizeof(answer),
             "HTTP/1.1 503 Away\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", date);
    http_server_set_answer(fixture->server, answer);
    outcome = send_spans(fixture, 1);
    assert_in_range(outcome.retry_after_ns, 30 * NS_PER_S, 61 * NS_PER_S);
}

static void a_refusal_brings_the_backends_words(void **state)
{
    struct fixture *fixture = *state;
    struct export_outcome outcome;

    http_server_set_answer(fixture->server, "HTTP/1.1 401 Who\r\nContent-Length: 8\r\n\r\nno token");
    outcome = send_spans(fixture, 1);
    assert_int_equal(outcome.result, EXPORT_REFUSED);
    assert_non_null(strstr(outcome.reason, "status 401: no token"));
}

static void half_an_answer_and_a_reset_are_tried_again(void **state)
{
    struct fixture *fixture = *state;

    http_server_set_answer(fixture->server, "");
    assert_int_equal(send_spans(fixture, 1).result, EXPORT_RETRY);
    http_server_set_answer(fixture->server,
                           "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhalf");
    assert_int_equal(send_spans(fixture, 1).result, EXPORT_RETRY);
    http_server_set_answer(fixture->server, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    assert_int_equal(send_spans(fixture, 1).result, EXPORT_OK);
}

static void an_endless_answer_is_cut_and_its_status_counts(void **state)
{
    static char answer[(1 << 20) + 256];
    struct fixture *fixture = *state;
    int n = snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n",
                     1 << 20);

    memset(answer + n, 'x', 1 << 20);
    http_server_set_answer(fixture->server, answer);
    assert_int_equal(send_spans(fixture, 1).result, EXPORT_OK);
}

static void a_redirect_is_not_followed(void **state)
{
    struct fixture *fixture = *state;

    http_server_set_answer(fixture->server, "HTTP/1.1 302 There\r\nLocation: /elsewhere\r\n"
                                            "Content-Length: 0\r\n\r\n");
    assert_int_equal(send_spans(fixture, 1).result, EXPORT_REFUSED);
    assert_int_equal(http_server_last(fixture->server)->number, 1);
}

static void a_silent_backend_costs_the_timeout(void **state)
{
    static const char *const soon[] = {"otlp_http.timeout=200ms", NULL};
    struct fixture *fixture = *state;
    struct export_outcome outcome;

    http_server_set_answer(fixture->server, NULL);
    assert_int_equal(open_server(fixture, soon), 0);
    outcome = send_spans(fixture, 1);
    assert_int_equal(outcome.result, EXPORT_RETRY);
    assert_non_null(strstr(outcome.reason, "timed out"));
}

static void stopping_gives_up_a_request(void **state)
{
    struct fixture *fixture = *state;
    uint64_t begin = clock_ns(CLOCK_MONOTONIC);

    http_server_set_answer(fixture->server, NULL);
    fixture->stopping = true;
    assert_int_equal(send_spans(fixture, 1).result, EXPORT_RETRY);
    assert_true(clock_ns(CLOCK_MONOTONIC) - begin < LONG_NS / 4);
}

static void another_endpoint_takes_over_within_the_same_send(void **state)
{
    struct fixture *fixture = *state;
    struct http_server *first = http_server_start(0);
    unsigned port = http_server_port(first);
    char target[128];

    http_server_stop(first);
    snprintf(target, sizeof(target), "http://127.0.0.1:%u,http://127.0.0.1:%u", port,
             http_server_port(fixture->server));
    assert_int_equal(open_with(fixture, target, NULL), 0);
    assert_int_equal(send_spans(fixture, 1).result, EXPORT_OK);
    http_server_stop(TAKE_PTR(fixture->server));
    assert_int_equal(send_spans(fixture, 1).result, EXPORT_RETRY);
    fixture->server = http_server_start(port);
    assert_non_null(fixture->server);
    assert_int_equal(send_spans(fixture, 1).result, EXPORT_OK);
}

static void a_proxy_that_cannot_be_used_is_told_without_its_password(void **state)
{
    static const char *const strange[] = {"otlp_http.proxy=strange://me:hunter2@h:1", NULL};
    static const char *const no_url[] = {"otlp_http.proxy=http://me:hunter2@:1", NULL};
    struct fixture *fixture = *state;
    struct export_outcome outcome;

    assert_int_equal(open_server(fixture, strange), 0);
    outcome = send_spans(fixture, 1);
    assert_int_equal(outcome.result, EXPORT_RETRY);
    assert_non_null(strstr(outcome.reason, "proxy"));
    assert_null(strstr(outcome.reason, "hunter2"));
    assert_int_equal(open_server(fixture, no_url), -EINVAL);
}

static void a_request_above_the_limit_is_not_even_tried(void **state)
{
    static const char *const small[] = {"otlp_http.max_message=4KiB", NULL};
    struct fixture *fixture = *state;

    assert_int_equal(open_server(fixture, small), 0);
    assert_int_equal(send_spans(fixture, 255).result, EXPORT_TOO_LARGE);
    assert_int_equal(http_server_last(fixture->server)->number, 0);
}

static void what_is_wrong_is_refused_at_once(void **state)
{
    static const char *const no_ca[] = {"otlp_http.ca=/nowhere.pem", NULL};
    struct fixture fixture = {0};

    assert_int_equal(open_with(&fixture, "ftp://host", NULL), -EINVAL);
    assert_int_equal(open_with(&fixture, ",", NULL), -EINVAL);
    assert_int_equal(open_with(&fixture, "https://host", no_ca), -ENOENT);
    assert_null(fixture.exporter);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_batch_is_one_post_of_protobuf),
        CASE(json_and_headers_go_where_they_are_asked_for),
        CASE(gzip_is_smaller_and_said),
        CASE(a_connection_serves_many_requests),
        CASE(retry_after_is_a_number_or_a_date),
        CASE(a_refusal_brings_the_backends_words),
        CASE(half_an_answer_and_a_reset_are_tried_again),
        CASE(an_endless_answer_is_cut_and_its_status_counts),
        CASE(a_redirect_is_not_followed),
        CASE(a_silent_backend_costs_the_timeout),
        CASE(stopping_gives_up_a_request),
        CASE(another_endpoint_takes_over_within_the_same_send),
        CASE(a_proxy_that_cannot_be_used_is_told_without_its_password),
        CASE(a_request_above_the_limit_is_not_even_tried),
        cmocka_unit_test(what_is_wrong_is_refused_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
