/* SPDX-License-Identifier: Apache-2.0 */
/* The producer against librdkafka's mock cluster. */
#include "exporters/kafka/client.h"

#include "base/clock.h"
#include "base/macro.h"
#include "cluster.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define TOPIC "spans"
#define LONG_NS (20 * NS_PER_S)

static _Atomic bool stopping;

struct fixture {
    struct cluster *cluster;
    struct kafka_client *client;
};

static struct kafka_client *client_of(const char *brokers, uint64_t timeout_ns,
                                      const char *const *properties, size_t n)
{
    struct string_list list = {(char **)properties, n};
    struct kafka_client_options options = {
        .brokers = brokers, .topic = TOPIC, .properties = &list, .timeout_ns = timeout_ns};
    struct kafka_client *client = NULL;

    kafka_client_new(&options, &client);
    return client;
}

static int set_up(void **state)
{
    static struct fixture fixture;

    stopping = false;
    fixture.cluster = cluster_start();
    fixture.client = client_of(cluster_brokers(fixture.cluster), LONG_NS, NULL, 0);
    assert_non_null(fixture.client);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    kafka_client_free(fixture->client);
    cluster_stop(fixture->cluster);
    return 0;
}

static enum message_fate put(struct kafka_client *client, const char *key, const char *value)
{
    _Atomic int fate;

    kafka_client_put(client, bytes_from_string(key), bytes_from_string(value), &fate);
    kafka_client_wait(client, &stopping);
    return (enum message_fate)fate;
}

static void what_is_put_arrives_with_its_key_once(void **state)
{
    struct fixture *fixture = *state;
    struct record records[4];

    assert_int_equal(put(fixture->client, "", "first"), MESSAGE_TAKEN);
    assert_int_equal(put(fixture->client, "k", "second"), MESSAGE_TAKEN);
    assert_int_equal(cluster_read(fixture->cluster, TOPIC, records, 4), 2);
    for (size_t i = 0; i < 2; i++) {
        bool first = records[i].key[0] == '\0';

        assert_true(bytes_equal(buffer_bytes(&records[i].value),
                                bytes_from_string(first ? "first" : "second")));
        buffer_done(&records[i].value);
    }
}

static void an_error_that_passes_is_mended_by_the_producer_itself(void **state)
{
    struct fixture *fixture = *state;
    struct record records[4];

    cluster_fail(fixture->cluster, 2, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS);
    assert_int_equal(put(fixture->client, "", "value"), MESSAGE_TAKEN);
    assert_int_equal(cluster_read(fixture->cluster, TOPIC, records, 4), 1);
    buffer_done(&records[0].value);
}

static void each_error_that_stays_has_its_fate(void **state)
{
    static const struct {
        rd_kafka_resp_err_t error;
        enum message_fate fate;
        const char *reason;
    } cases[] = {
        {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, MESSAGE_TOO_LARGE, "size"},
        {RD_KAFKA_RESP_ERR_INVALID_RECORD, MESSAGE_REFUSED, "record"},
        {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, MESSAGE_RETRY, "uthorization"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        /* Some errors end the producer, as idempotence demands. */
        kafka_client_free(fixture->client);
        fixture->client = client_of(cluster_brokers(fixture->cluster), LONG_NS, NULL, 0);
        cluster_fail(fixture->cluster, 1, cases[i].error);
        assert_int_equal(put(fixture->client, "", "value"), cases[i].fate);
        assert_non_null(strstr(kafka_client_reason(fixture->client), cases[i].reason));
    }
}

static void a_broker_that_is_away_is_found_again(void **state)
{
    struct fixture *fixture = *state;
    struct kafka_client *client;

    assert_int_equal(put(fixture->client, "", "before"), MESSAGE_TAKEN);
    cluster_set_down(fixture->cluster, true);
    client = client_of(cluster_brokers(fixture->cluster), 500 * NS_PER_MS, NULL, 0);
    assert_int_equal(put(client, "", "meanwhile"), MESSAGE_RETRY);
    assert_true(kafka_client_reason(client)[0] != '\0');
    cluster_set_down(fixture->cluster, false);
    while (put(client, "", "after") != MESSAGE_TAKEN)
        ;
    kafka_client_free(client);
}

static void stopping_gives_up_what_waits(void **state)
{
    struct fixture *fixture = *state;
    uint64_t begin = clock_ns(CLOCK_MONOTONIC);

    cluster_set_slow(fixture->cluster, 5000);
    stopping = true;
    assert_int_equal(put(fixture->client, "", "value"), MESSAGE_RETRY);
    assert_true(clock_ns(CLOCK_MONOTONIC) - begin < LONG_NS / 4);
}

static void properties_are_passed_on_and_secrets_read(void **state)
{
    static const char *const good[] = {"message.max.bytes=5000", "sasl.username=env:FLOWTRACE_TEST_USER"};
    static const char *const wrong[] = {"no.such.property=1", "acks=some", "sasl.password=file:/nowhere",
                                  "linger.ms", "acks=0"};
    struct kafka_client *client;

    setenv("FLOWTRACE_TEST_USER", "alice", 1);
    client = client_of("localhost:1", LONG_NS, good, 2);
    assert_non_null(client);
    assert_in_range(kafka_client_max(client), 4000, 5000);
    kafka_client_free(client);
    for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
        assert_null(client_of("localhost:1", LONG_NS, &wrong[i], 1));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_put_arrives_with_its_key_once),
        CASE(an_error_that_passes_is_mended_by_the_producer_itself),
        CASE(each_error_that_stays_has_its_fate),
        CASE(a_broker_that_is_away_is_found_again),
        CASE(stopping_gives_up_what_waits),
        cmocka_unit_test(properties_are_passed_on_and_secrets_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
