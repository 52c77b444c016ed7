/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CloudEvents over HTTP (cloudevents/bindings/http-protocol-binding.md): structured and batched by
 * their content types, binary where there are ce- headers; and what all events become.
 */
#include "source/receiver/events.h"

#include "base/clock.h"
#include "otlp/otlp.h"
#include "source/receiver/routes.h"

#include <errno.h>

#define TEXT_MAX 16384 /* strings made for one span, or for the headers of one event */
#define SPAN_MAX (256u << 10)
#define ONE BYTES_LITERAL("application/cloudevents+json")
#define MANY BYTES_LITERAL("application/cloudevents-batch+json")
#define PLAIN_JSON BYTES_LITERAL("application/json")
#define PREFIX BYTES_LITERAL("ce-")

struct flow_event_rules events_rules(const struct settings *settings, bool lenient)
{
    return (struct flow_event_rules){
        .lenient = lenient,
        .fields = (const char *const *)settings->receivers_fields.items,
        .n_fields = settings->receivers_fields.n,
    };
}

void events_take(void *arg, const struct flow_event *event)
{
    _cleanup_(buffer_done) struct buffer encoded = buffer_make(SPAN_MAX);
    const struct event_sender *sender = arg;
    const struct receiver_options *options = sender->collect->options;
    uint64_t now_ns = clock_ns(CLOCK_REALTIME);
    struct batch_origin origin = {0};
    uint8_t text[TEXT_MAX];
    struct arena arena = arena_over(text, sizeof(text));
    struct span span;

    flow_event_span(event, now_ns, now_ns + counters_get(options->counters, COUNTER_received_spans),
                    &arena, &span);
    if (otlp_encode_span(&span, &encoded) == 0 &&
        collect_span(sender->collect, sender->peer, 0, &origin, buffer_bytes(&encoded)))
        counters_add(options->counters, COUNTER_received_events, 1);
    else
        counters_add(options->counters, COUNTER_received_rejected, 1);
}

/* ---- binary mode ----------------------------------------------------------------------------- */

struct headers {
    struct flow_event event;
    struct arena arena;
};

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Section 3.1.3.2: what is not printable ASCII is percent-encoded. Decoded in its place. */
static struct bytes decode_percents(struct bytes copy)
{
    uint8_t *text = (uint8_t *)copy.ptr;
    size_t n = 0;

    for (size_t i = 0; i < copy.len; i++) {
        int high = text[i] == '%' && i + 2 < copy.len ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;

        text[n++] = low >= 0 ? (uint8_t)(high << 4 | low) : text[i];
        i += low >= 0 ? 2 : 0;
    }
    return bytes_make(text, n);
}

static void take_header(void *arg, struct bytes name, struct bytes value)
{
    struct headers *headers = arg;
    struct attribute attribute = {.type = ATTRIBUTE_TEXT};
    struct bytes start = bytes_slice(name, 0, PREFIX.len);
    uint8_t *key;

    /* HTTP's own context is that of the request, which the event's goes before. */
    if (name.len <= PREFIX.len || !bytes_equal_nocase(start, PREFIX))
        return;
    attribute.key = arena_copy(&headers->arena, bytes_skip(name, PREFIX.len));
    key = (uint8_t *)attribute.key.ptr;
    for (size_t i = 0; i < attribute.key.len; i++)
        if (key[i] >= 'A' && key[i] <= 'Z')
            key[i] |= 0x20;
    attribute.text = decode_percents(arena_copy(&headers->arena, value));
    flow_event_set(&headers->event, &attribute);
}

static bool is_json(struct bytes content_type)
{
    struct bytes type = bytes_slice(content_type, 0, bytes_find(content_type, ';'));

    return media_type_is(content_type, PLAIN_JSON) ||
           bytes_ends_with(bytes_trim(type), BYTES_LITERAL("+json"));
}

static int take_binary(struct event_sender *sender, const struct body *body,
                       const struct flow_event_rules *rules, const char **ret_reason)
{
    uint8_t text[TEXT_MAX];
    struct headers headers = {.arena = arena_over(text, sizeof(text))};

    body->each_header(body->connection, take_header, &headers);
    *ret_reason = flow_event_problem(&headers.event, rules);
    if (*ret_reason)
        return -EBADMSG;
    if (rules->n_fields && is_json(body->content_type))
        return flow_event_read_data(&headers.event, body->bytes, rules, events_take, sender,
                                    ret_reason);
    events_take(sender, &headers.event);
    return 0;
}

/* ---- the route ------------------------------------------------------------------------------- */

bool events_takes(struct bytes content_type)
{
    return true; /* in binary mode it is the data's */
}

void events_refuse(struct bytes content_type, unsigned code, const char *reason,
                   struct answer *answer)
{
    answer->code = code;
    answer->content_type = "text/plain; charset=utf-8";
    buffer_printf(&answer->text, "%s\n", reason);
}

void events_answer(struct collect *collect, const struct peer *peer, const struct body *body,
                   struct answer *answer)
{
    struct flow_event_rules rules = events_rules(collect->options->settings, false);
    struct event_sender sender = {collect, peer};
    bool batch = media_type_is(body->content_type, MANY);
    const char *reason = NULL;
    int r;

    if (batch || media_type_is(body->content_type, ONE))
        r = flow_events_read(body->bytes, batch, &rules, events_take, &sender, &reason);
    else
        r = take_binary(&sender, body, &rules, &reason);
    if (r < 0)
        events_refuse(body->content_type, 400, reason, answer);
    else
        answer->code = 202;
}
