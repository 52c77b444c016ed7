/* SPDX-License-Identifier: Apache-2.0 */
/* librdkafka's mock cluster of one broker, and what arrived in a topic of it. */
#pragma once

#include "base/buffer.h"

#include <librdkafka/rdkafka.h>

struct cluster;

struct cluster *cluster_start(void);
void cluster_stop(struct cluster *cluster); /* NULL is fine */

const char *cluster_brokers(const struct cluster *cluster);

/* The broker answers the next n Produce requests with this error. */
void cluster_fail(struct cluster *cluster, size_t n, rd_kafka_resp_err_t error);

/* Nobody is there any more, or again. */
void cluster_set_down(struct cluster *cluster, bool down);

/* The broker answers so much later from now on. */
void cluster_set_slow(struct cluster *cluster, int ms);

struct record {
    char key[64];
    struct buffer value;
};

/* Reads all of the topic from its beginning: at most max records. The caller frees the values. */
size_t cluster_read(struct cluster *cluster, const char *topic, struct record *records, size_t max);
