/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/exporter.h"
#include "exporters/worker.h"

#include "base/clock.h"
#include "otlp/otlp.h"
#include "rpc/client.h"
#include "sample.h"
#include "server.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define METHOD "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
#define REQUEST_MAX (1 << 20)
#define LONG_NS SAMPLE_TIMEOUT_NS

extern const struct exporter_ops exporter_otlp_grpc;

struct fixture {
    struct server *server;
    void *exporter;
    _Atomic bool stopping;
};

static void target_of(const struct server *server, char out[static 64])
{
    snprintf(out, 64, "http://127.0.0.1:%u", server_port(server));
}

static int set_up(void **state)
{
    static struct fixture fixture;
    char target[64];

    fixture = (struct fixture){.server = server_start(0)};
    assert_non_null(fixture.server);
    target_of(fixture.server, target);
    assert_int_equal(sample_open(&exporter_otlp_grpc, target, NULL, &fixture.stopping,
                                 &fixture.exporter), 0);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    exporter_otlp_grpc.close(fixture->exporter);
    server_stop(fixture->server);
    return 0;
}

static struct export_outcome send_spans(struct fixture *fixture, size_t n)
{
    return sample_send(&exporter_otlp_grpc, fixture->exporter, n);
}

static void a_batch_is_one_call_with_one_request(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(3);
    _cleanup_(buffer_done) struct buffer expected = buffer_make(REQUEST_MAX);
    const struct server_call *seen;

    assert_int_equal(exporter_otlp_grpc.send(fixture->exporter, batch).result, EXPORT_OK);
    assert_int_equal(otlp_encode_request(batch, &expected), 0);
    seen = server_last_call(fixture->server);
    assert_int_equal(seen->number, 1);
    assert_string_equal(seen->method, METHOD);
    assert_true(bytes_equal(buffer_bytes(&seen->message), buffer_bytes(&expected)));
}

static void a_partial_success_is_ok_but_for_the_rejected(void **state)
{
    struct fixture *fixture = *state;
    struct export_outcome outcome;

    server_set_answer(fixture->server,
                      &(struct server_answer){.message = BYTES_LITERAL("\x0a\x02\x08\x02")});
    outcome = send_spans(fixture, 3);
    assert_int_equal(outcome.result, EXPORT_OK);
    assert_int_equal(outcome.rejected_spans, 2);
}

static void a_refused_batch_is_dropped_with_the_backends_words(void **state)
{
    struct fixture *fixture = *state;
    struct export_outcome outcome;

    server_set_answer(fixture->server, &(struct server_answer){.status = RPC_UNIMPLEMENTED,
                                                               .no_message = true,
                                                               .text = "unknown service"});
    outcome = send_spans(fixture, 1);
    assert_int_equal(outcome.result, EXPORT_REFUSED);
    assert_non_null(strstr(outcome.reason, "UNIMPLEMENTED: unknown service"));
}

static void a_backend_that_is_away_is_tried_again(void **state)
{
    struct fixture *fixture = *state;
    unsigned port = server_port(fixture->server);
    char endpoint[64];
    struct export_outcome outcome;

    server_stop(TAKE_PTR(fixture->server));
    outcome = send_spans(fixture, 1);
    assert_int_equal(outcome.result, EXPORT_RETRY);
    assert_int_equal(outcome.retry_after_ns, 0);
    snprintf(endpoint, sizeof(endpoint), "127.0.0.1:%u: UNAVAILABLE", port);
    assert_non_null(strstr(outcome.reason, endpoint));
}

static void stopping_gives_up_a_call_and_asks_for_another(void **state)
{
    struct fixture *fixture = *state;
    uint64_t start = clock_ns(CLOCK_MONOTONIC);

    server_set_answer(fixture->server, &(struct server_answer){.hangs = true});
    fixture->stopping = true;
    assert_int_equal(send_spans(fixture, 1).result, EXPORT_RETRY);
    assert_true(clock_ns(CLOCK_MONOTONIC) - start < LONG_NS / 4);
}

static struct worker *start_worker(const char *target)
{
    struct worker_options options = {.target = target,
                                     .settings = sample_settings(&exporter_otlp_grpc, NULL),
                                     .queue_bytes = REQUEST_MAX,
                                     .send_timeout_ns = LONG_NS};
    struct worker *worker;

    assert_int_equal(worker_start(&exporter_otlp_grpc, &options, &worker), 0);
    return worker;
}

static void spans_wait_for_a_backend_that_comes_back(void **state)
{
    struct fixture *fixture = *state;
    unsigned port = server_port(fixture->server);
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(5);
    struct worker *worker;
    char target[64];

    target_of(fixture->server, target);
    server_stop(TAKE_PTR(fixture->server));
    worker = start_worker(target);
    worker_put(worker, batch);
    while (worker_stats(worker)->retries < 2)
        usleep(10000);
    assert_false(worker_stats(worker)->healthy);
    assert_int_equal(worker_stats(worker)->queued, 5);
    fixture->server = server_start(port);
    assert_non_null(fixture->server);
    worker_stop(worker, LONG_NS);
    assert_int_equal(worker_stats(worker)->delivered, 5);
    assert_true(worker_stats(worker)->healthy);
    worker_free(worker);
}

static void a_worker_stops_in_time_though_the_backend_hangs(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(5);
    uint64_t start = clock_ns(CLOCK_MONOTONIC);
    struct worker *worker;
    char target[64];

    target_of(fixture->server, target);
    server_set_answer(fixture->server, &(struct server_answer){.hangs = true});
    worker = start_worker(target);
    worker_put(worker, batch);
    worker_stop(worker, 300 * NS_PER_MS);
    assert_true(clock_ns(CLOCK_MONOTONIC) - start < LONG_NS / 4);
    assert_int_equal(worker_stats(worker)->lost_undelivered, 5);
    assert_int_equal(worker_stats(worker)->queued, 0);
    worker_free(worker);
}

static int open_with(const char *target, const char *const *assignments, void **ret_exporter)
{
    return sample_open(&exporter_otlp_grpc, target, assignments, NULL, ret_exporter);
}

static void a_wrong_endpoint_is_refused_at_once(void **state)
{
    static const char *const no_key[] = {"otlp.certificate=/x.pem", NULL};
    static const char *const no_ca[] = {"otlp.ca=/nowhere.pem", NULL};
    void *exporter = NULL;

    assert_int_equal(open_with("http://host:4318/v1/traces", NULL, &exporter), -EINVAL);
    assert_int_equal(open_with("http://a:1,ftp://b:2", NULL, &exporter), -EINVAL);
    assert_int_equal(open_with(",", NULL, &exporter), -EINVAL);
    assert_int_equal(open_with("https://host:4317", no_key, &exporter), -EINVAL);
    assert_int_equal(open_with("https://host:4317", no_ca, &exporter), -ENOENT);
    assert_null(exporter);
}

/* The first endpoint is nobody's, then the second goes away and the first is there. */
static void another_endpoint_takes_over_within_the_same_send(void **state)
{
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(2);
    struct fixture *fixture = *state;
    struct server *first = server_start(0);
    unsigned port = server_port(first);
    void *exporter = NULL;
    char target[128];

    server_stop(first);
    snprintf(target, sizeof(target), "http://127.0.0.1:%u,http://127.0.0.1:%u", port,
             server_port(fixture->server));
    assert_int_equal(open_with(target, NULL, &exporter), 0);
    assert_int_equal(exporter_otlp_grpc.send(exporter, batch).result, EXPORT_OK);
    assert_int_equal(server_last_call(fixture->server)->number, 1);
    server_stop(TAKE_PTR(fixture->server));
    assert_int_equal(exporter_otlp_grpc.send(exporter, batch).result, EXPORT_RETRY);
    fixture->server = server_start(port);
    assert_non_null(fixture->server);
    assert_int_equal(exporter_otlp_grpc.send(exporter, batch).result, EXPORT_OK);
    exporter_otlp_grpc.close(exporter);
}

static void a_request_above_the_limit_is_not_even_tried(void **state)
{
    static const char *const small[] = {"otlp.max_message=4KiB", NULL};
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(255);
    struct fixture *fixture = *state;
    void *exporter = NULL;
    char target[64];

    target_of(fixture->server, target);
    assert_int_equal(open_with(target, small, &exporter), 0);
    assert_int_equal(exporter_otlp_grpc.send(exporter, batch).result, EXPORT_TOO_LARGE);
    assert_int_equal(server_last_call(fixture->server)->number, 0);
    exporter_otlp_grpc.close(exporter);
}

static void without_a_target_the_environment_decides(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(1);
    void *exporter = NULL;
    char target[64];

    target_of(fixture->server, target);
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1", 1);
    setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", target, 1);
    setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-token=a%20b", 1);
    assert_int_equal(open_with("", NULL, &exporter), 0);
    assert_int_equal(exporter_otlp_grpc.send(exporter, batch).result, EXPORT_OK);
    assert_string_equal(server_last_call(fixture->server)->token, "a b");
    exporter_otlp_grpc.close(exporter);
    unsetenv("OTEL_EXPORTER_OTLP_ENDPOINT");
    unsetenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    unsetenv("OTEL_EXPORTER_OTLP_HEADERS");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_batch_is_one_call_with_one_request),
        CASE(a_partial_success_is_ok_but_for_the_rejected),
        CASE(a_refused_batch_is_dropped_with_the_backends_words),
        CASE(a_backend_that_is_away_is_tried_again),
        CASE(stopping_gives_up_a_call_and_asks_for_another),
        CASE(spans_wait_for_a_backend_that_comes_back),
        CASE(a_worker_stops_in_time_though_the_backend_hangs),
        cmocka_unit_test(a_wrong_endpoint_is_refused_at_once),
        CASE(another_endpoint_takes_over_within_the_same_send),
        CASE(a_request_above_the_limit_is_not_even_tried),
        CASE(without_a_target_the_environment_decides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
