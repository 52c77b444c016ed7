/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The producer; its contract stands in client.h. librdkafka reports everything from within
 * rd_kafka_poll, on the thread that calls it, so nothing here needs a lock.
 */
#include "exporters/kafka/client.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/macro.h"
#include "exporters/secret.h"

#include <errno.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>

#define POLL_MS 50
#define ERROR_MAX 256
#define NAME_MAX_LEN 64
#define FRAME_MAX 512 /* of a message: its key, the head of the record and of its set */

struct kafka_client {
    rd_kafka_t *kafka;
    char *topic;
    char *brokers;
    size_t n_waiting;
    size_t max_bytes;
    char broker_error[ERROR_MAX]; /* what a connection or a login last failed with */
    char reason[CLIENT_REASON_MAX];
};

DEFINE_CLEANUP(struct kafka_client, kafka_client_free)

/* ---- what librdkafka says -------------------------------------------------------------------- */

static const struct {
    rd_kafka_resp_err_t error;
    enum message_fate fate;
} fates[] = {
    {RD_KAFKA_RESP_ERR_NO_ERROR, MESSAGE_TAKEN},
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, MESSAGE_TOO_LARGE},
    {RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, MESSAGE_TOO_LARGE},
    {RD_KAFKA_RESP_ERR_INVALID_MSG, MESSAGE_REFUSED},
    {RD_KAFKA_RESP_ERR_INVALID_RECORD, MESSAGE_REFUSED},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE, MESSAGE_REFUSED},
};

/* All other errors pass or can be mended at the broker: a topic, a right, a login. */
static enum message_fate fate_of(rd_kafka_resp_err_t error)
{
    for (size_t i = 0; i < ELEMENTSOF(fates); i++)
        if (fates[i].error == error)
            return fates[i].fate;
    return MESSAGE_RETRY;
}

/* A time-out by itself says nothing: why the broker was not reached says more. */
static void explain(struct kafka_client *client, rd_kafka_resp_err_t error)
{
    bool late = error == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT && client->broker_error[0];
    bool topic = error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
                 error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;

    if (topic)
        snprintf(client->reason, sizeof(client->reason),
                 "%.120s: there is no topic %.100s: create it", client->brokers, client->topic);
    else
        snprintf(client->reason, sizeof(client->reason), "%.120s: topic %.100s: %.*s",
                 client->brokers, client->topic, ERROR_MAX - 100,
                 late ? client->broker_error : rd_kafka_err2str(error));
}

static void settle(struct kafka_client *client, _Atomic int *fate, rd_kafka_resp_err_t error)
{
    if (error)
        explain(client, error);
    else
        client->broker_error[0] = '\0';
    *fate = (int)fate_of(error);
}

static void take_report(rd_kafka_t *kafka, const rd_kafka_message_t *message, void *arg)
{
    struct kafka_client *client = arg;

    client->n_waiting--;
    settle(client, message->_private, message->err);
}

static void take_error(rd_kafka_t *kafka, int error, const char *reason, void *arg)
{
    struct kafka_client *client = arg;

    /* That all are down says less than why the last of them is. */
    if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || !client->broker_error[0])
        snprintf(client->broker_error, sizeof(client->broker_error), "%s", reason);
    log_debug("kafka: %s", reason);
}

static void take_log(const rd_kafka_t *kafka, int level, const char *facility, const char *text)
{
    log_debug("kafka: %s: %s", facility, text);
}

/* ---- making one ------------------------------------------------------------------------------ */

static int set_property(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char problem[ERROR_MAX];
    rd_kafka_conf_res_t r = rd_kafka_conf_set(conf, name, value, problem, sizeof(problem));

    if (r == RD_KAFKA_CONF_OK)
        return 0;
    /* The text of an invalid value quotes it, and it may be a secret. */
    return log_error(-EINVAL, r == RD_KAFKA_CONF_UNKNOWN
                                  ? "exporter kafka: librdkafka has no property \"%s\""
                                  : "exporter kafka: the value of the property \"%s\" is not "
                                    "one that librdkafka takes",
                     name);
}

static int set_own(rd_kafka_conf_t *conf, const struct kafka_client_options *options)
{
    uint64_t ms = MAX(options->timeout_ns / NS_PER_MS, UINT64_C(100));
    char timeout_ms[32], topic_ms[32];

    snprintf(timeout_ms, sizeof(timeout_ms), "%" PRIu64, ms);
    snprintf(topic_ms, sizeof(topic_ms), "%" PRIu64, MIN(ms / 2, UINT64_C(30000)));
    const char *const properties[][2] = {
        {"bootstrap.servers", options->brokers},
        {"client.id", "flowtrace"},
        {"enable.idempotence", "true"},
        {"acks", "all"},
        /* A batch is one message, or several that are put at once: nothing to wait for. */
        {"linger.ms", "0"},
        {"message.timeout.ms", timeout_ms},
        /* So long a topic may be on its way: were it longer, a missing one was never named. */
        {"topic.metadata.propagation.max.ms", topic_ms},
        {"log.connection.close", "false"},
        {"reconnect.backoff.max.ms", "2000"},
    };

    for (size_t i = 0; i < ELEMENTSOF(properties); i++) {
        int r = set_property(conf, properties[i][0], properties[i][1]);

        if (r < 0)
            return r;
    }
    return 0;
}

static int set_given(rd_kafka_conf_t *conf, const char *property)
{
    size_t len = strcspn(property, "=");
    _cleanup_(freep) char *value = NULL;
    char name[NAME_MAX_LEN];
    int r;

    if (len >= sizeof(name) || !property[len])
        return log_error(-EINVAL, "exporter kafka: a property is of the form NAME=VALUE");
    snprintf(name, sizeof(name), "%.*s", (int)len, property);
    r = secret_read(property + len + 1, &value);
    if (r < 0)
        return log_error(r, "exporter kafka: the value of %s cannot be read", name);
    return set_property(conf, name, value);
}

static size_t max_bytes_of(const rd_kafka_conf_t *conf)
{
    char text[32];
    size_t size = sizeof(text);
    uint64_t bytes = 0;

    if (rd_kafka_conf_get(conf, "message.max.bytes", text, &size) == RD_KAFKA_CONF_OK)
        bytes_parse_u64(bytes_from_string(text), &bytes);
    return bytes > FRAME_MAX ? (size_t)bytes - FRAME_MAX : 0;
}

static int make_conf(struct kafka_client *client, const struct kafka_client_options *options,
                     rd_kafka_conf_t *conf)
{
    int r = set_own(conf, options);

    for (size_t i = 0; i < options->properties->n && r == 0; i++)
        r = set_given(conf, options->properties->items[i]);
    if (r == 0)
        client->max_bytes = max_bytes_of(conf);
    rd_kafka_conf_set_opaque(conf, client);
    rd_kafka_conf_set_dr_msg_cb(conf, take_report);
    rd_kafka_conf_set_error_cb(conf, take_error);
    rd_kafka_conf_set_log_cb(conf, take_log);
    return r;
}

int kafka_client_new(const struct kafka_client_options *options, struct kafka_client **ret_client)
{
    _cleanup_(kafka_client_freep) struct kafka_client *client = calloc(1, sizeof(*client));
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char problem[ERROR_MAX];
    int r = -ENOMEM;

    if (client && conf) {
        client->topic = strdup(options->topic);
        client->brokers = strdup(options->brokers);
        if (client->topic && client->brokers)
            r = make_conf(client, options, conf);
    }
    if (r < 0) {
        rd_kafka_conf_destroy(conf);
        return r;
    }
    /* Takes the configuration over where it succeeds. Its problems name no values. */
    client->kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, problem, sizeof(problem));
    if (!client->kafka) {
        rd_kafka_conf_destroy(conf);
        log_error(0, "exporter kafka: %s", problem);
        return -EINVAL;
    }
    *ret_client = TAKE_PTR(client);
    return 0;
}

void kafka_client_free(struct kafka_client *client)
{
    if (!client)
        return;
    if (client->kafka)
        rd_kafka_destroy(client->kafka);
    free(client->topic);
    free(client->brokers);
    free(client);
}

size_t kafka_client_max(const struct kafka_client *client)
{
    return client->max_bytes;
}

/* ---- messages -------------------------------------------------------------------------------- */

void kafka_client_put(struct kafka_client *client, struct bytes key, struct bytes value,
                      _Atomic int *fate)
{
    rd_kafka_resp_err_t error;

    *fate = MESSAGE_WAITS;
    error = rd_kafka_producev(
        client->kafka, RD_KAFKA_V_TOPIC(client->topic),
        RD_KAFKA_V_KEY(key.len ? key.ptr : NULL, key.len),
        RD_KAFKA_V_VALUE((void *)value.ptr, value.len), RD_KAFKA_V_OPAQUE((void *)fate),
        RD_KAFKA_V_END);
    if (error)
        settle(client, fate, error);
    else
        client->n_waiting++;
}

void kafka_client_wait(struct kafka_client *client, const _Atomic bool *stopping)
{
    bool purged = false;

    rd_kafka_poll(client->kafka, 0);
    while (client->n_waiting > 0) {
        if (*stopping && !purged) {
            rd_kafka_purge(client->kafka, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
            purged = true;
        }
        rd_kafka_poll(client->kafka, POLL_MS);
    }
}

const char *kafka_client_reason(const struct kafka_client *client)
{
    return client->reason;
}

bool kafka_client_is_dead(const struct kafka_client *client)
{
    char text[ERROR_MAX];

    return rd_kafka_fatal_error(client->kafka, text, sizeof(text)) != RD_KAFKA_RESP_ERR_NO_ERROR;
}
