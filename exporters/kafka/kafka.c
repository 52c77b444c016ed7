/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans to a Kafka topic, by librdkafka: the value of a message is an ExportTraceServiceRequest in
 * protobuf, as the Kafka receivers of the OpenTelemetry Collector and of Jaeger read it
 * (encoding otlp_proto). A batch is one message without a key, or, with kafka.partition = trace, one
 * message per trace with the trace id, in hexadecimal, as its key.
 *
 * A send ends when each of its messages has its fate. What was taken is remembered while the rest
 * of the batch is tried again, so that no message is sent twice without need.
 */
#include "exporters/exporter.h"
#include "exporters/kafka/client.h"
#include "exporters/kafka/partition.h"

#include "base/log.h"
#include "base/macro.h"
#include "otlp/otlp.h"

#include <errno.h>

#define TOPIC_DEFAULT "otlp_spans"
#define PORT_HINT "kafka:HOST:9092"
#define REQUEST_MAX ((size_t)64 << 20)
#define KEY_LEN (2 * sizeof(struct trace_id))

struct kafka_settings {
    char *topic;
    char *partition;
    struct string_list properties;
};

static bool is_partition(const char *text)
{
    return strcmp(text, "none") == 0 || strcmp(text, "trace") == 0;
}

static bool is_topic(const char *text)
{
    return *text && strlen(text) < 250 && !strpbrk(text, " /:");
}

static bool is_property(const char *text)
{
    return *text && *text != '=' && strchr(text, '=');
}

static const struct setting_form form_partition = {is_partition, "none or trace"};
static const struct setting_form form_topic = {is_topic, "the name of a topic"};
static const struct setting_form form_property = {is_property, "of the form NAME=VALUE"};

#define AT(member) .offset = offsetof(struct kafka_settings, member)

static const struct setting rows[] = {
    {"topic", SETTING_TEXT, TOPIC_DEFAULT, AT(topic), .form = &form_topic,
     .description = "The topic to which batches go."},
    {"partition", SETTING_TEXT, "none", AT(partition), .form = &form_partition,
     .description = "none: a batch is one message without a key; trace: each trace of it is one, "
                    "with the trace id as its key, so that all its spans go to one partition."},
    {"properties", SETTING_LIST, "", AT(properties), .form = &form_property, .secret = true,
     .description = "Properties of librdkafka (its CONFIGURATION.md), such as "
                    "`security.protocol=SASL_SSL`. `NAME=file:PATH` and `NAME=env:VARIABLE` read "
                    "the value at the start from there: for passwords."},
};

/* One message of the batch that is being sent. */
struct message {
    _Atomic int fate; /* enum message_fate */
    size_t n_spans;
    size_t begin, len; /* of its value in `requests` */
    char key[KEY_LEN + 1];
};

struct kafka_exporter {
    struct kafka_client_options options;
    struct kafka_client *client; /* NULL: died, the next send makes a new one */
    bool by_trace;
    const _Atomic bool *stopping;
    const struct batch *batch; /* the one whose messages these are, or NULL */
    struct message *messages;
    size_t n_messages, allocated;
    struct buffer requests;
};

static void kafka_close(void *exporter)
{
    struct kafka_exporter *kafka = exporter;

    if (!kafka)
        return;
    kafka_client_free(kafka->client);
    buffer_done(&kafka->requests);
    free(kafka->messages);
    free(kafka);
}

static void kafka_closep(struct kafka_exporter **kafka)
{
    kafka_close(*kafka);
}

static int kafka_open(const struct exporter_options *options, void **ret_exporter)
{
    _cleanup_(kafka_closep) struct kafka_exporter *kafka = calloc(1, sizeof(*kafka));
    const struct kafka_settings *settings = options->settings;
    int r;

    if (!kafka)
        return log_error(-ENOMEM, "exporter kafka");
    if (!*options->target)
        return log_error(-EINVAL, "exporter kafka: no brokers: give " PORT_HINT);
    kafka->options = (struct kafka_client_options){
        .brokers = options->target,
        .topic = settings->topic,
        .properties = &settings->properties,
        .timeout_ns = options->send_timeout_ns,
    };
    kafka->by_trace = strcmp(settings->partition, "trace") == 0;
    kafka->stopping = options->stopping;
    kafka->requests = buffer_make(REQUEST_MAX);
    r = kafka_client_new(&kafka->options, &kafka->client);
    if (r < 0)
        return r;
    *ret_exporter = TAKE_PTR(kafka);
    return 0;
}

/* ---- a batch to messages --------------------------------------------------------------------- */

static struct message *add_message(struct kafka_exporter *kafka)
{
    if (kafka->n_messages == kafka->allocated) {
        size_t more = MAX(2 * kafka->allocated, (size_t)8);
        struct message *messages = realloc(kafka->messages, more * sizeof(*messages));

        if (!messages)
            return NULL;
        kafka->messages = messages;
        kafka->allocated = more;
    }
    return &kafka->messages[kafka->n_messages++];
}

static int encode_part(void *arg, const struct trace_id *id, const struct batch *part)
{
    struct kafka_exporter *kafka = arg;
    struct message *message = add_message(kafka);
    int r;

    if (!message)
        return -ENOMEM;
    *message = (struct message){.fate = MESSAGE_RETRY, .n_spans = part->n_spans,
                                .begin = kafka->requests.len};
    r = otlp_encode_request(part, &kafka->requests);
    message->len = kafka->requests.len - message->begin;
    if (id)
        bytes_to_hex(bytes_make(id, sizeof(*id)), message->key);
    return r == 0 && message->len > kafka_client_max(kafka->client) ? -EMSGSIZE : r;
}

/* -EMSGSIZE, before any message is put: one would be too large. */
static int encode(struct kafka_exporter *kafka, const struct batch *batch)
{
    int r;

    kafka->batch = NULL;
    kafka->n_messages = 0;
    buffer_reset(&kafka->requests);
    r = kafka->by_trace ? partition_by_trace(batch, encode_part, kafka)
                        : encode_part(kafka, NULL, batch);
    if (r == 0)
        kafka->batch = batch;
    return r;
}

/* ---- their fates to an outcome --------------------------------------------------------------- */

static size_t spans_with(const struct kafka_exporter *kafka, enum message_fate fate)
{
    size_t n = 0;

    for (size_t i = 0; i < kafka->n_messages; i++)
        if (kafka->messages[i].fate == (int)fate)
            n += kafka->messages[i].n_spans;
    return n;
}

/*
 * What is to be tried again comes first. Where the broker finds one trace too large, the batch comes
 * back in halves, and with them what was taken of other traces: at least once.
 */
static struct export_outcome conclude(struct kafka_exporter *kafka)
{
    size_t refused = spans_with(kafka, MESSAGE_REFUSED), taken = spans_with(kafka, MESSAGE_TAKEN);
    struct export_outcome outcome = {.result = EXPORT_OK, .rejected_spans = refused,
                                     .reason = kafka_client_reason(kafka->client)};

    if (spans_with(kafka, MESSAGE_RETRY) > 0)
        outcome.result = EXPORT_RETRY;
    else if (spans_with(kafka, MESSAGE_TOO_LARGE) > 0)
        outcome.result = EXPORT_TOO_LARGE;
    else if (taken == 0)
        outcome.result = EXPORT_REFUSED;
    if (outcome.result != EXPORT_RETRY)
        kafka->batch = NULL;
    return outcome;
}

static uint64_t put(struct kafka_exporter *kafka, struct message *message)
{
    struct bytes value = bytes_make(kafka->requests.ptr + message->begin, message->len);

    kafka_client_put(kafka->client, bytes_from_string(message->key), value, &message->fate);
    return value.len;
}

/* Puts what has no fate yet, all at once, and waits for it. Returns the bytes. */
static uint64_t put_open_ones(struct kafka_exporter *kafka)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < kafka->n_messages; i++)
        if (kafka->messages[i].fate == MESSAGE_RETRY)
            bytes += put(kafka, &kafka->messages[i]);
    kafka_client_wait(kafka->client, kafka->stopping);
    return bytes;
}

/* The broker's limit is one of all that goes in one request: alone, a message may well pass. */
static uint64_t put_large_ones_alone(struct kafka_exporter *kafka)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < kafka->n_messages && kafka->n_messages > 1; i++) {
        if (kafka->messages[i].fate != MESSAGE_TOO_LARGE)
            continue;
        bytes += put(kafka, &kafka->messages[i]);
        kafka_client_wait(kafka->client, kafka->stopping);
    }
    return bytes;
}

static struct export_outcome failed(enum export_result result, const char *reason)
{
    return (struct export_outcome){.result = result, .reason = reason};
}

static struct export_outcome kafka_send(void *exporter, const struct batch *batch)
{
    struct kafka_exporter *kafka = exporter;
    struct export_outcome outcome;
    uint64_t bytes;
    int r;

    if (!kafka->client && kafka_client_new(&kafka->options, &kafka->client) < 0)
        return failed(EXPORT_RETRY, "no new producer can be made");
    r = batch == kafka->batch ? 0 : encode(kafka, batch);
    if (r == -EMSGSIZE)
        return failed(EXPORT_TOO_LARGE, "a span is larger than message.max.bytes");
    if (r < 0)
        return failed(r == -ENOMEM ? EXPORT_RETRY : EXPORT_FAILED, "cannot encode a batch");
    bytes = put_open_ones(kafka);
    bytes += put_large_ones_alone(kafka);
    outcome = conclude(kafka);
    outcome.bytes = bytes;
    if (kafka_client_is_dead(kafka->client)) {
        kafka_client_free(TAKE_PTR(kafka->client));
        outcome.reason = "the producer met a fatal error, a new one is made";
    }
    return outcome;
}

/* Between the batches librdkafka has things to say, too. */
static void kafka_idle(void *exporter)
{
    struct kafka_exporter *kafka = exporter;

    if (kafka->client)
        kafka_client_wait(kafka->client, kafka->stopping);
}

const struct exporter_ops exporter_kafka = {
    .settings = {.name = "kafka", .rows = rows, .n_rows = ELEMENTSOF(rows),
                 .size = sizeof(struct kafka_settings)},
    .usage = "kafka:HOST[:PORT],...       OTLP to the topic otlp_spans of a Kafka broker",
    .open = kafka_open,
    .send = kafka_send,
    .idle = kafka_idle,
    .close = kafka_close,
};
