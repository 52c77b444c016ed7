/* SPDX-License-Identifier: Apache-2.0 */
/* Framing, pairing and detection. */
#include "protocols/dns/dns.h"

#include "base/macro.h"
#include "protocols/dns/code.h"
#include "protocols/dns/read.h"

#define LENGTH_SIZE 2 /* over TCP (RFC 1035 section 4.2.2) */
#define PROBE_WAIT 512 /* bytes of a first message over TCP; clients' are smaller */

static size_t be16_at(struct bytes data, size_t at)
{
    return (size_t)data.ptr[at] << 8 | data.ptr[at + 1];
}

/* ---- probe ----------------------------------------------------------------------------------- */

static enum probe_result sender_of(const struct dns_message *message)
{
    return message->flags & DNS_FLAG_RESPONSE ? PROBE_SERVER : PROBE_CLIENT;
}

/* Only some errors are answered without the question. */
static bool is_telling(const struct dns_message *message)
{
    return message->question || message->rcode || message->counts[DNS_ANSWERS];
}

static enum probe_result probe_datagram(struct bytes data)
{
    struct dns_message message;
    enum dns_result result = dns_read(data, DELIVERY_DATAGRAM, NULL, NULL, &message);

    if (data.len == 0)
        return PROBE_MORE;
    if ((result != DNS_WHOLE && result != DNS_PART) || !is_telling(&message))
        return PROBE_NO;
    return sender_of(&message);
}

static enum probe_result probe_stream(struct bytes data)
{
    struct bytes first = bytes_skip(data, LENGTH_SIZE);
    struct dns_message message;
    enum dns_result result;
    size_t len;

    if (data.len < LENGTH_SIZE)
        return PROBE_MORE;
    len = be16_at(data, 0);
    if (len < DNS_HEADER_SIZE ||
        !dns_header_fits(first, DELIVERY_STREAM, first.len > 2 && first.ptr[2] >> 7))
        return PROBE_NO;
    if (first.len < MIN(len, (size_t)PROBE_WAIT))
        return PROBE_MORE;
    result = dns_read(bytes_slice(first, 0, len), DELIVERY_STREAM, NULL, NULL, &message);
    if ((result != DNS_WHOLE && (result != DNS_PART || first.len >= len)) || !is_telling(&message))
        return PROBE_NO;
    return sender_of(&message);
}

enum probe_result dns_probe(struct bytes data, enum delivery delivery)
{
    return delivery == DELIVERY_DATAGRAM ? probe_datagram(data) : probe_stream(data);
}

/* ---- delivery --------------------------------------------------------------------------------- */

/* Where a message is in the input. */
struct frame {
    struct bytes message;
    size_t used;
    uint64_t skip; /* what is not looked at, behind `used` */
    bool cut;      /* ... since it is lost */
};

/* PARSE_MESSAGE: *ret_frame is set. */
static struct parse_result find_frame(const struct parse_input *input, struct frame *ret_frame)
{
    struct bytes data = input->data, message = bytes_skip(data, LENGTH_SIZE);
    struct parse_result more = {.status = PARSE_MORE, .need = data.len + 1};
    size_t len, wanted;

    if (input->delivery == DELIVERY_DATAGRAM) {
        *ret_frame = (struct frame){data, data.len, 0, true};
        return (struct parse_result){.status = PARSE_MESSAGE};
    }
    len = data.len < LENGTH_SIZE ? DNS_HEADER_SIZE : be16_at(data, 0);
    wanted = MIN(len, (size_t)DNS_READ_MAX);
    if (len < DNS_HEADER_SIZE || !dns_header_fits(message, DELIVERY_STREAM, input->sender == SENDER_SERVER))
        return (struct parse_result){.status = PARSE_BAD};
    if (message.len < wanted && !input->cut) {
        if (data.len >= LENGTH_SIZE)
            more.need = LENGTH_SIZE + wanted;
        return more;
    }
    message = bytes_slice(message, 0, wanted);
    *ret_frame = (struct frame){
        .message = message,
        .used = LENGTH_SIZE + message.len,
        .skip = len - message.len,
        .cut = message.len < wanted,
    };
    return (struct parse_result){.status = data.len < LENGTH_SIZE ? PARSE_BAD : PARSE_MESSAGE};
}

/* May the result be, of a message of which this much was there? */
static bool is_sound(const struct frame *frame, enum dns_result result)
{
    return result == DNS_WHOLE || result == DNS_MORE_THAN_WHOLE ||
           (result == DNS_PART && (frame->cut || frame->skip));
}

/* ---- pairing --------------------------------------------------------------------------------- */

static struct dns_slot *slot_of(struct dns_state *state, uint16_t id)
{
    return &state->slots[id % DNS_SLOTS];
}

/* Id and question; the high bit keeps it from being 0. */
static uint64_t stream_of(uint16_t id, uint32_t question)
{
    return UINT64_C(1) << 63 | (uint64_t)question << 16 | id;
}

static void note_request(struct dns_state *state, const struct dns_message *message)
{
    *slot_of(state, message->id) = (struct dns_slot){message->question, message->id, true};
    if (message->type == DNS_TYPE_AXFR || message->type == DNS_TYPE_IXFR)
        state->transfer = message->id + 1u;
    else if (state->transfer == message->id + 1u)
        state->transfer = 0;
}

/* The question that this answers, or 0: none that is open. */
static uint32_t take_answered(struct dns_state *state, const struct dns_message *message)
{
    struct dns_slot *slot = slot_of(state, message->id);
    uint32_t question = slot->question;

    if (!slot->open || slot->id != message->id)
        return 0;
    if (message->question && message->question != question)
        return 0;
    slot->open = false;
    return question;
}

/* ---- groups ---------------------------------------------------------------------------------- */

/* RFC 4291 section 2.7, RFC 5771. */
static bool is_multicast(const struct endpoint *endpoint)
{
    static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

    if (memcmp(endpoint->address, v4_prefix, sizeof(v4_prefix)) == 0)
        return endpoint->address[12] >> 4 == 14;
    return endpoint->address[0] == 0xff;
}

/*
 * Of datagrams that go to a group. Who receives one may not know where it was sent to, but full mDNS
 * has its port at both ends (RFC 6762 section 5.2), and LLMNR is asked nowhere else (RFC 4795).
 */
static enum dns_variant variant_of(const struct parse_input *input)
{
    const struct endpoint *from = input->source, *to = input->destination;

    if (!from || !to)
        return DNS_VARIANT_DNS;
    if (from->port == DNS_PORT_LLMNR || to->port == DNS_PORT_LLMNR)
        return DNS_VARIANT_LLMNR;
    if (to->port == DNS_PORT_MDNS && (from->port == DNS_PORT_MDNS || is_multicast(to)))
        return DNS_VARIANT_MDNS;
    return DNS_VARIANT_DNS;
}

/* An answer from the port of mDNS to who asked the group from another one. */
static bool answers_group(const struct parse_input *input)
{
    return input->source && input->source->port == DNS_PORT_MDNS;
}

/* ---- parse ----------------------------------------------------------------------------------- */

static struct parse_result pass(const struct frame *frame)
{
    return (struct parse_result){.status = PARSE_NONE, .used = frame->used, .skip = frame->skip};
}

static struct parse_result give_request(struct dns_state *state, const struct parse_input *input,
                                        const struct frame *frame,
                                        const struct dns_message *dns, struct message *message)
{
    enum dns_variant variant = variant_of(input);

    message->kind = MESSAGE_REQUEST;
    message->flags |= variant == DNS_VARIANT_DNS ? 0 : MESSAGE_ONE_WAY;
    message->stream = stream_of(dns->id, dns->question);
    message->code = (int64_t)dns->opcode | (int64_t)variant << 8;
    if (variant == DNS_VARIANT_DNS)
        note_request(state, dns);
    return (struct parse_result){
        .status = PARSE_MESSAGE, .used = frame->used, .skip = frame->skip};
}

static struct parse_result give_response(struct dns_state *state, const struct parse_input *input,
                                         const struct frame *frame,
                                         const struct dns_message *dns, struct message *message)
{
    uint32_t question;

    if (variant_of(input) != DNS_VARIANT_DNS)
        return pass(frame);
    question = take_answered(state, dns);
    if (!question && (answers_group(input) || state->transfer == dns->id + 1u))
        return pass(frame);
    message->kind = MESSAGE_RESPONSE;
    message->stream = stream_of(dns->id, question ? question : dns->question);
    message->code = dns->rcode;
    return (struct parse_result){
        .status = PARSE_MESSAGE, .used = frame->used, .skip = frame->skip};
}

struct parse_result dns_parse(void *state, const struct parse_input *input,
                              struct message *ret_message)
{
    static const struct parse_result bad = {.status = PARSE_BAD};
    struct frame frame;
    struct parse_result found = find_frame(input, &frame);
    struct dns_message dns;
    struct message message;
    enum dns_result result;
    bool response;

    if (found.status != PARSE_MESSAGE)
        return found;
    message_start(&message, MESSAGE_REQUEST, MESSAGE_ENDS, frame.message);
    result = dns_read(frame.message, input->delivery, input->scratch, &message, &dns);
    if (!is_sound(&frame, result))
        return bad;
    if (result == DNS_PART && frame.cut)
        message.flags |= MESSAGE_TRUNCATED;
    response = dns.flags & DNS_FLAG_RESPONSE;
    if (!response && !dns.question)
        return bad;
    /* Two who ask each other, from the port where they are asked: one direction's is told. */
    if (response != (input->sender == SENDER_SERVER) && variant_of(input) == DNS_VARIANT_DNS)
        return pass(&frame);
    found = response ? give_response(state, input, &frame, &dns, &message)
                     : give_request(state, input, &frame, &dns, &message);
    if (found.status == PARSE_MESSAGE) /* without the fields that it does not have */
        memcpy(ret_message, &message,
               offsetof(struct message, fields) + message.n_fields * sizeof(message.fields[0]));
    return found;
}

/* ---- resync ---------------------------------------------------------------------------------- */

/* A message that is there as far as its length says, or whose beginning looks like one. */
static bool may_begin(struct bytes data, enum sender sender)
{
    struct bytes message = bytes_skip(data, LENGTH_SIZE);
    struct dns_message dns;
    enum dns_result result;
    size_t len;

    if (data.len < LENGTH_SIZE)
        return true;
    len = be16_at(data, 0);
    if (len < DNS_HEADER_SIZE || !dns_header_fits(message, DELIVERY_STREAM, sender == SENDER_SERVER))
        return false;
    result = dns_read(bytes_slice(message, 0, len), DELIVERY_STREAM, NULL, NULL, &dns);
    return result == DNS_WHOLE || (message.len < len && result != DNS_BAD);
}

size_t dns_resync(void *state, const struct parse_input *input)
{
    size_t offset = 0;

    if (input->delivery == DELIVERY_DATAGRAM)
        return dns_probe(input->data, DELIVERY_DATAGRAM) == PROBE_NO ? input->data.len : 0;
    while (offset < input->data.len && !may_begin(bytes_skip(input->data, offset), input->sender))
        offset++;
    return offset;
}

const struct protocol dns_protocol = {
    .name = "dns",
    .traits = {.state_size = sizeof(struct dns_state)},
    .probe = dns_probe,
    .parse = dns_parse,
    .resync = dns_resync,
    .describe = dns_describe,
};
