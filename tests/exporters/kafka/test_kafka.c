/* SPDX-License-Identifier: Apache-2.0 */
/* The exporter against librdkafka's mock cluster. */
#include "exporters/exporter.h"

#include "base/clock.h"
#include "cluster.h"
#include "otlp/otlp.h"
#include "sample.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define LONG_NS (20 * NS_PER_S)
#define TOPIC "otlp_spans"
#define RECORDS_MAX 16

extern const struct exporter_ops exporter_kafka;

struct fixture {
    struct cluster *cluster;
    void *exporter;
    _Atomic bool stopping;
};

static int open_with(struct fixture *fixture, const char *target, const char *const *assignments)
{
    struct exporter_options options = {
        .target = target,
        .settings = sample_settings(&exporter_kafka, assignments),
        .send_timeout_ns = LONG_NS,
        .stopping = &fixture->stopping,
    };

    exporter_kafka.close(fixture->exporter);
    fixture->exporter = NULL;
    return exporter_kafka.open(&options, &fixture->exporter);
}

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.cluster = cluster_start()};
    assert_int_equal(open_with(&fixture, cluster_brokers(fixture.cluster), NULL), 0);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    exporter_kafka.close(fixture->exporter);
    cluster_stop(fixture->cluster);
    return 0;
}

static struct export_outcome send_batch(struct fixture *fixture, const struct batch *batch)
{
    return exporter_kafka.send(fixture->exporter, batch);
}

static void a_batch_is_one_message_without_a_key(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(200);
    _cleanup_(buffer_done) struct buffer expected = buffer_make(1 << 20);
    struct record records[RECORDS_MAX];
    struct export_outcome outcome;

    outcome = send_batch(fixture, batch);
    assert_int_equal(outcome.result, EXPORT_OK);
    assert_int_equal(otlp_encode_request(batch, &expected), 0);
    assert_int_equal(outcome.bytes, expected.len);
    assert_int_equal(cluster_read(fixture->cluster, TOPIC, records, RECORDS_MAX), 1);
    assert_string_equal(records[0].key, "");
    assert_true(bytes_equal(buffer_bytes(&records[0].value), buffer_bytes(&expected)));
    buffer_done(&records[0].value);
}

static void by_trace_each_is_a_message_with_its_id_as_key(void **state)
{
    static const char *const by_trace[] = {"kafka.partition=trace", "kafka.topic=traces", NULL};
    static const struct sample samples[] = {
        {.service = "shop", .trace = 0xab, .id = 1, .name = "a"},
        {.service = "shop", .trace = 0xcd, .id = 2, .name = "b"},
        {.service = "stock", .trace = 0xab, .id = 3, .name = "c"},
    };
    struct fixture *fixture = *state;
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch(samples, 3);
    struct record records[RECORDS_MAX];
    unsigned seen = 0;

    assert_int_equal(open_with(fixture, cluster_brokers(fixture->cluster), by_trace), 0);
    assert_int_equal(send_batch(fixture, batch).result, EXPORT_OK);
    assert_int_equal(cluster_read(fixture->cluster, "traces", records, RECORDS_MAX), 2);
    for (size_t i = 0; i < 2; i++) {
        seen |= strcmp(records[i].key, "abababababababababababababababab") == 0 ? 1u : 0;
        seen |= strcmp(records[i].key, "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd") == 0 ? 2u : 0;
        buffer_done(&records[i].value);
    }
    assert_int_equal(seen, 3);
}

/* All of a request is refused; one by one they pass, and none arrives twice. */
static void traces_that_are_too_large_together_go_alone(void **state)
{
    static const char *const by_trace[] = {"kafka.partition=trace", NULL};
    struct sample samples[8] = {0};
    struct fixture *fixture = *state;
    struct record records[RECORDS_MAX];
    struct batch *batch;
    size_t n;

    for (size_t i = 0; i < ELEMENTSOF(samples); i++)
        samples[i] = (struct sample){.service = "shop", .trace = (uint8_t)(i + 1), .id = 1,
                                     .name = "a"};
    batch = sample_batch(samples, ELEMENTSOF(samples));
    assert_int_equal(open_with(fixture, cluster_brokers(fixture->cluster), by_trace), 0);
    cluster_fail(fixture->cluster, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    assert_int_equal(send_batch(fixture, batch).result, EXPORT_OK);
    n = cluster_read(fixture->cluster, TOPIC, records, RECORDS_MAX);
    assert_int_equal(n, ELEMENTSOF(samples));
    while (n-- > 0)
        buffer_done(&records[n].value);
    batch_unref(batch);
}

/* The producer's own queue takes two messages: the rest comes again, and nothing twice. */
static void what_finds_the_producers_queue_full_is_tried_again(void **state)
{
    static const char *const narrow[] = {
        "kafka.partition=trace", "kafka.properties=queue.buffering.max.messages=2", NULL};
    struct sample samples[8] = {0};
    struct fixture *fixture = *state;
    struct record records[RECORDS_MAX];
    enum export_result result;
    struct batch *batch;
    size_t n, n_retries = 0;

    for (size_t i = 0; i < ELEMENTSOF(samples); i++)
        samples[i] = (struct sample){.service = "shop", .trace = (uint8_t)(i + 1), .id = 1,
                                     .name = "a"};
    batch = sample_batch(samples, ELEMENTSOF(samples));
    assert_int_equal(open_with(fixture, cluster_brokers(fixture->cluster), narrow), 0);
    while ((result = send_batch(fixture, batch).result) == EXPORT_RETRY)
        n_retries++;
    assert_int_equal(result, EXPORT_OK);
    assert_in_range(n_retries, 1, 7);
    n = cluster_read(fixture->cluster, TOPIC, records, RECORDS_MAX);
    assert_int_equal(n, ELEMENTSOF(samples));
    while (n-- > 0)
        buffer_done(&records[n].value);
    batch_unref(batch);
}

static void a_batch_above_the_producers_limit_is_not_even_tried(void **state)
{
    static const char *const small[] = {"kafka.properties=message.max.bytes=4000", NULL};
    struct fixture *fixture = *state;
    _cleanup_(batch_unrefp) struct batch *large = sample_batch_of(255);
    _cleanup_(batch_unrefp) struct batch *fine = sample_batch_of(20);

    assert_int_equal(open_with(fixture, cluster_brokers(fixture->cluster), small), 0);
    assert_int_equal(send_batch(fixture, large).result, EXPORT_TOO_LARGE);
    assert_int_equal(send_batch(fixture, fine).result, EXPORT_OK);
}

static void what_the_broker_says_becomes_the_outcome(void **state)
{
    static const struct {
        rd_kafka_resp_err_t error;
        enum export_result result;
    } cases[] = {
        {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, EXPORT_TOO_LARGE},
        {RD_KAFKA_RESP_ERR_INVALID_RECORD, EXPORT_REFUSED},
        {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, EXPORT_RETRY},
    };
    struct fixture *fixture = *state;
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(2);
    enum export_result result;

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        assert_int_equal(open_with(fixture, cluster_brokers(fixture->cluster), NULL), 0);
        cluster_fail(fixture->cluster, 1, cases[i].error);
        assert_int_equal(send_batch(fixture, batch).result, cases[i].result);
        /* A right that is missing is remembered for some time, then asked for again. */
        while ((result = send_batch(fixture, batch).result) == EXPORT_RETRY)
            usleep(100000);
        assert_int_equal(result, EXPORT_OK);
    }
}

/* An out-of-order sequence without an explanation is fatal to an idempotent producer. */
static void after_a_fatal_error_a_new_producer_goes_on(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(2);
    struct export_outcome outcome;

    assert_int_equal(send_batch(fixture, batch).result, EXPORT_OK);
    cluster_fail(fixture->cluster, 1, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    outcome = send_batch(fixture, batch);
    assert_int_equal(outcome.result, EXPORT_RETRY);
    assert_non_null(strstr(outcome.reason, "fatal"));
    assert_int_equal(send_batch(fixture, batch).result, EXPORT_OK);
}

static void what_is_wrong_is_refused_at_once(void **state)
{
    static const char *const unknown[] = {"kafka.properties=no.such=1", NULL};
    struct fixture fixture = {0};

    assert_int_equal(open_with(&fixture, "", NULL), -EINVAL);
    assert_int_equal(open_with(&fixture, "localhost", unknown), -EINVAL);
    assert_null(fixture.exporter);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_batch_is_one_message_without_a_key),
        CASE(by_trace_each_is_a_message_with_its_id_as_key),
        CASE(traces_that_are_too_large_together_go_alone),
        CASE(what_finds_the_producers_queue_full_is_tried_again),
        CASE(a_batch_above_the_producers_limit_is_not_even_tried),
        CASE(what_the_broker_says_becomes_the_outcome),
        CASE(after_a_fatal_error_a_new_producer_goes_on),
        cmocka_unit_test(what_is_wrong_is_refused_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
