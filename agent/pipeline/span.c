/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An exchange becomes a span: ids and parent from causality, transport from the connection, name
 * and attributes from its protocol, and at last the policy's redaction.
 */
#include "pipeline/internal.h"

#include "span/semconv.h"

#include <arpa/inet.h>

/* Dotted decimal; by hand, since every span has two or three of them. */
static size_t format_v4(const uint8_t *address, char *out)
{
    char *at = out;

    for (int i = 0; i < 4; i++) {
        unsigned part = address[i];

        if (part >= 100)
            *at++ = (char)('0' + part / 100);
        if (part >= 10)
            *at++ = (char)('0' + part / 10 % 10);
        *at++ = (char)('0' + part % 10);
        *at++ = '.';
    }
    return (size_t)(at - out) - 1;
}

static struct bytes address_text(const struct endpoint *endpoint, struct arena *arena)
{
    static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};
    char text[ADDRESS_TEXT_MAX];

    if (memcmp(endpoint->address, v4_prefix, sizeof(v4_prefix)) == 0)
        return arena_copy(arena, bytes_make(text, format_v4(endpoint->address + 12, text)));
    if (!inet_ntop(AF_INET6, endpoint->address, text, sizeof(text)))
        return BYTES_NULL;
    return arena_copy(arena, bytes_from_string(text));
}

struct bytes endpoint_text(const struct endpoint *endpoint, struct arena *arena)
{
    struct bytes address = address_text(endpoint, arena);
    bool is_v6 = bytes_find(address, ':') != SIZE_MAX;

    return arena_printf(arena, is_v6 ? "[%.*s]:%u" : "%.*s:%u", BYTES_PRINTF(address),
                        endpoint->port);
}

bool is_address(struct bytes text)
{
    char copy[ADDRESS_TEXT_MAX];
    uint8_t address[16];

    if (text.len >= sizeof(copy))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return inet_pton(AF_INET, copy, address) == 1 || inet_pton(AF_INET6, copy, address) == 1;
}

static bool is_unix(const struct exchange *exchange)
{
    return exchange->transport >= TRANSPORT_UNIX_STREAM &&
           exchange->transport <= TRANSPORT_UNIX_DATAGRAM;
}

static struct bytes transport_text(enum transport transport)
{
    switch (transport) {
    case TRANSPORT_UDP:
        return BYTES_LITERAL("udp");
    case TRANSPORT_UNIX_STREAM:
    case TRANSPORT_UNIX_SEQPACKET:
    case TRANSPORT_UNIX_DATAGRAM:
        return BYTES_LITERAL("unix");
    case TRANSPORT_TCP:
    case TRANSPORT_MPTCP:
        break;
    }
    return BYTES_LITERAL("tcp");
}

/* As ss(8) writes it: an abstract name with @ for its NUL, a path without the one at its end. */
static struct bytes name_text(const struct exchange *exchange, struct arena *arena)
{
    struct bytes name = exchange->name;

    if (name.len > 1 && name.ptr[0] == 0)
        return arena_printf(arena, "@%.*s", (int)name.len - 1, (const char *)name.ptr + 1);
    return arena_copy(arena, bytes_slice(name, 0, bytes_find(name, 0)));
}

static struct bytes hex_text(const struct span_id *id, struct arena *arena)
{
    char text[2 * sizeof(id->bytes) + 1];

    bytes_to_hex(bytes_make(id->bytes, sizeof(id->bytes)), text);
    return arena_copy(arena, bytes_from_string(text));
}

static void add_peer(const struct exchange *exchange, struct span *span)
{
    if (!exchange->has_endpoints)
        return;
    span_add_text(span, SEMCONV_NETWORK_TRANSPORT, transport_text(exchange->transport));
    if (is_unix(exchange)) {
        if (exchange->name_is_remote && exchange->name.len)
            span_add_text(span, SEMCONV_NETWORK_PEER_ADDRESS, name_text(exchange, span->arena));
        return;
    }
    span_add_text(span, SEMCONV_NETWORK_PEER_ADDRESS, address_text(&exchange->remote, span->arena));
    span_add_integer(span, SEMCONV_NETWORK_PEER_PORT, exchange->remote.port);
}

/* Where the protocol did not tell the server's name, its address stands in. */
static void add_server(const struct exchange *exchange, struct span *span)
{
    const struct endpoint *server = exchange->serves ? &exchange->local : &exchange->remote;

    if (!exchange->has_endpoints)
        return;
    if (is_unix(exchange)) {
        if (exchange->name.len && exchange->name_is_remote == (!exchange->serves) &&
            !span_find(span, SEMCONV_SERVER_ADDRESS))
            span_add_text(span, SEMCONV_SERVER_ADDRESS, name_text(exchange, span->arena));
        return;
    }
    if (exchange->serves)
        span_add_text(span, SEMCONV_CLIENT_ADDRESS, address_text(&exchange->remote, span->arena));
    if (span_find(span, SEMCONV_SERVER_ADDRESS))
        return;
    span_add_text(span, SEMCONV_SERVER_ADDRESS, address_text(server, span->arena));
    span_add_integer(span, SEMCONV_SERVER_PORT, server->port);
}

static void describe(const struct exchange *exchange, struct span *span)
{
    struct message request, response;

    message_from_copy(&exchange->request, MESSAGE_REQUEST, &request);
    if (exchange->has_response)
        message_from_copy(&exchange->response, MESSAGE_RESPONSE, &response);
    exchange->protocol->describe(&request, exchange->has_response ? &response : NULL, span);
}

static void add_end(const struct exchange *exchange, struct span *span)
{
    static const char *const error_types[] = {
        [EXCHANGE_CLOSED] = "connection_closed",
        [EXCHANGE_TIMED_OUT] = "timeout",
        [EXCHANGE_UNFINISHED] = NULL,
        [EXCHANGE_INCOMPLETE] = NULL,
    };
    const char *error_type =
        exchange->end == EXCHANGE_ANSWERED ? NULL : error_types[exchange->end];

    if (exchange->end != EXCHANGE_ANSWERED && exchange->end != EXCHANGE_CLOSED)
        span_add_boolean(span, FLOWTRACE_INCOMPLETE, true);
    if (exchange->repeats)
        span_add_integer(span, FLOWTRACE_REQUEST_REPEATS, exchange->repeats);
    if (!error_type)
        return;
    span->status = SPAN_STATUS_ERROR;
    if (!span_find(span, SEMCONV_ERROR_TYPE))
        span_add_text(span, SEMCONV_ERROR_TYPE, bytes_from_string(error_type));
}

static void add_lineage(const struct lineage *lineage, struct span *span)
{
    if (lineage->evidence != EVIDENCE_NONE || lineage->parent_unknown)
        span_add_text(span, FLOWTRACE_PARENT_EVIDENCE, evidence_name(lineage->evidence));
    if (!span_id_is_zero(&lineage->peer_span_id))
        span_add_text(span, FLOWTRACE_PEER_SPAN_ID, hex_text(&lineage->peer_span_id, span->arena));
    if (!span_id_is_zero(&lineage->linked_span_id))
        span_add_link(span, &lineage->linked_trace_id, &lineage->linked_span_id);
    if (lineage->start_moved)
        span_add_boolean(span, FLOWTRACE_START_MOVED, true);
}

void make_span(struct pipeline *pipeline, struct exchange *exchange, struct span *ret_span)
{
    struct lineage lineage;

    causality_settle(pipeline->causality, &exchange->cause, &lineage);
    arena_reset(&pipeline->span_text);
    span_reset(ret_span, &pipeline->span_text);
    ret_span->trace_id = lineage.trace_id;
    ret_span->span_id = lineage.span_id;
    ret_span->parent_span_id = lineage.parent_span_id;
    ret_span->flags = lineage.flags;
    ret_span->kind = exchange->cause.kind;
    ret_span->start_ns = lineage.start_ns;
    ret_span->end_ns = MAX(exchange->end_ns, lineage.start_ns);
    add_peer(exchange, ret_span);
    describe(exchange, ret_span);
    add_tls(exchange, ret_span);
    add_server(exchange, ret_span);
    add_end(exchange, ret_span);
    add_lineage(&lineage, ret_span);
    add_carried(pipeline, exchange, ret_span);
    policy_redact(pipeline->policy, ret_span);
}
