/* SPDX-License-Identifier: Apache-2.0 */
/* The mock cluster; its contract stands in cluster.h. */
#include "cluster.h"

#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>

#define VALUE_MAX ((size_t)16 << 20)
#define PRODUCE_REQUEST 0 /* Kafka protocol, "Api Keys" */
#define BROKER 1
#define WAIT_MS 5000

struct cluster {
    rd_kafka_t *owner;
    rd_kafka_mock_cluster_t *mock;
};

/* The mock logs nothing that a test needs. */
static void be_silent(const rd_kafka_t *kafka, int level, const char *facility, const char *text)
{
}

struct cluster *cluster_start(void)
{
    struct cluster *cluster = calloc(1, sizeof(*cluster));
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char problem[256];

    rd_kafka_conf_set_log_cb(conf, be_silent);
    cluster->owner = rd_kafka_new(RD_KAFKA_PRODUCER, conf, problem, sizeof(problem));
    cluster->mock = rd_kafka_mock_cluster_new(cluster->owner, 1);
    return cluster;
}

void cluster_stop(struct cluster *cluster)
{
    if (!cluster)
        return;
    rd_kafka_mock_cluster_destroy(cluster->mock);
    rd_kafka_destroy(cluster->owner);
    free(cluster);
}

const char *cluster_brokers(const struct cluster *cluster)
{
    return rd_kafka_mock_cluster_bootstraps(cluster->mock);
}

void cluster_fail(struct cluster *cluster, size_t n, rd_kafka_resp_err_t error)
{
    while (n-- > 0)
        rd_kafka_mock_push_request_errors(cluster->mock, PRODUCE_REQUEST, 1, error);
}

void cluster_set_down(struct cluster *cluster, bool down)
{
    if (down)
        rd_kafka_mock_broker_set_down(cluster->mock, BROKER);
    else
        rd_kafka_mock_broker_set_up(cluster->mock, BROKER);
}

void cluster_set_slow(struct cluster *cluster, int ms)
{
    rd_kafka_mock_broker_set_rtt(cluster->mock, BROKER, ms);
}

static rd_kafka_t *make_consumer(const struct cluster *cluster)
{
    const char *const properties[][2] = {{"bootstrap.servers", cluster_brokers(cluster)},
                                         {"group.id", "test"},
                                         {"auto.offset.reset", "earliest"},
                                         {"enable.partition.eof", "true"}};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char problem[256];

    for (size_t i = 0; i < ELEMENTSOF(properties); i++)
        rd_kafka_conf_set(conf, properties[i][0], properties[i][1], problem, sizeof(problem));
    rd_kafka_conf_set_log_cb(conf, be_silent);
    return rd_kafka_new(RD_KAFKA_CONSUMER, conf, problem, sizeof(problem));
}

/* The mock makes four partitions: all are read to their ends. */
static rd_kafka_topic_partition_list_t *all_partitions(const char *topic)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(4);

    for (int32_t i = 0; i < 4; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    return list;
}

size_t cluster_read(struct cluster *cluster, const char *topic, struct record *records, size_t max)
{
    rd_kafka_topic_partition_list_t *partitions = all_partitions(topic);
    rd_kafka_t *consumer = make_consumer(cluster);
    rd_kafka_message_t *message;
    int ends = 0;
    size_t n = 0;

    rd_kafka_assign(consumer, partitions);
    while (ends < partitions->cnt && n < max &&
           (message = rd_kafka_consumer_poll(consumer, WAIT_MS))) {
        ends += message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (!message->err) {
            snprintf(records[n].key, sizeof(records[n].key), "%.*s", (int)message->key_len,
                     message->key ? (const char *)message->key : "");
            records[n].value = buffer_make(VALUE_MAX);
            buffer_append(&records[n++].value, message->payload, message->len);
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_topic_partition_list_destroy(partitions);
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    return n;
}
