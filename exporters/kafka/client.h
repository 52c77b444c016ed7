/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A producer of librdkafka as this exporter needs it: messages are put, then waited for until each
 * has its fate. Idempotent, acks=all, no lingering; whatever else librdkafka can, a property says.
 * One thread at a time uses a client.
 */
#pragma once

#include "base/bytes.h"
#include "config/settings.h"

#include <stdatomic.h>

#define CLIENT_REASON_MAX 400

enum message_fate {
    MESSAGE_WAITS, /* its fate is not known yet */
    MESSAGE_TAKEN, /* all replicas in sync have it */
    MESSAGE_RETRY, /* not taken, or nobody knows: put it again */
    MESSAGE_TOO_LARGE,
    MESSAGE_REFUSED,
};

struct kafka_client_options {
    const char *brokers; /* "HOST:PORT,HOST:PORT" */
    const char *topic;
    const struct string_list *properties; /* "NAME=VALUE"; VALUE may be file:PATH or env:NAME */
    uint64_t timeout_ns;                  /* of one message, from put to fate */
};

struct kafka_client;

/* Connects in the background, later. What is wrong is logged, never a value. 0 or negative errno. */
int kafka_client_new(const struct kafka_client_options *options, struct kafka_client **ret_client);
void kafka_client_free(struct kafka_client *client); /* NULL is fine */

/* The largest value that the producer puts into a message (message.max.bytes, less the frame). */
size_t kafka_client_max(const struct kafka_client *client);

/*
 * Key and value must stay until *fate is no longer MESSAGE_WAITS, which it may be at once, and else
 * becomes within kafka_client_wait. A key without bytes: none, any partition.
 */
void kafka_client_put(struct kafka_client *client, struct bytes key, struct bytes value,
                      _Atomic int *fate);

/* Serves librdkafka until no message waits. *stopping: what waits is given up: MESSAGE_RETRY. */
void kafka_client_wait(struct kafka_client *client, const _Atomic bool *stopping);

/* Why the last message that was not taken was not: one clause, valid until the next put. */
const char *kafka_client_reason(const struct kafka_client *client);

/* The producer cannot go on (librdkafka: a fatal error): free it and make a new one. */
bool kafka_client_is_dead(const struct kafka_client *client);
