/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question and its answer as span attributes. The OpenTelemetry semantic conventions have a metric
 * of DNS and no span, but the names of two attributes; the others are flowtrace's own:
 *
 *   www.example.com A      name "QUERY A", dns.question.name, flowtrace.dns.question.type
 *   192.0.2.1, CNAME x     dns.answers ["192.0.2.1"], flowtrace.dns.records ["CNAME x"]
 *   SERVFAIL, NXDOMAIN     flowtrace.dns.response.code, error.type
 *
 * That a name does not exist is an error to who asked, but none of the server's: its span has status
 * ERROR where it says that it failed. The name of the span has operation and type only.
 */
#include "protocols/dns/dns.h"

#include "base/macro.h"
#include "protocols/dns/code.h"
#include "span/semconv.h"

#include <arpa/inet.h>

#define DNS_QUESTION_NAME BYTES_LITERAL("dns.question.name")
#define DNS_ANSWERS_KEY BYTES_LITERAL("dns.answers")
#define FLOWTRACE_DNS_OPERATION BYTES_LITERAL("flowtrace.dns.operation")
#define FLOWTRACE_DNS_QUESTION_TYPE BYTES_LITERAL("flowtrace.dns.question.type")
#define FLOWTRACE_DNS_QUESTION_CLASS BYTES_LITERAL("flowtrace.dns.question.class")
#define FLOWTRACE_DNS_UNICAST_WANTED BYTES_LITERAL("flowtrace.dns.unicast_response")
#define FLOWTRACE_DNS_RESPONSE_CODE BYTES_LITERAL("flowtrace.dns.response.code")
#define FLOWTRACE_DNS_ANSWER_COUNT BYTES_LITERAL("flowtrace.dns.answer.count")
#define FLOWTRACE_DNS_RECORDS BYTES_LITERAL("flowtrace.dns.records")
#define FLOWTRACE_DNS_TRUNCATED BYTES_LITERAL("flowtrace.dns.truncated")
#define FLOWTRACE_DNS_AUTHORITATIVE BYTES_LITERAL("flowtrace.dns.authoritative")
#define FLOWTRACE_DNS_UDP_SIZE BYTES_LITERAL("flowtrace.dns.edns.udp_size")
#define FLOWTRACE_DNS_DNSSEC_OK BYTES_LITERAL("flowtrace.dns.edns.dnssec_ok")

#define OPT_DNSSEC_OK 0x80 /* in the fifth byte: size, extended rcode, version, flags */

static uint16_t be16(struct bytes field, size_t at)
{
    return field.len < at + 2 ? 0 : (uint16_t)(field.ptr[at] << 8 | field.ptr[at + 1]);
}

/* "A", or "TYPE65280" (RFC 3597 section 5). */
static struct bytes number_text(struct bytes name, const char *word, unsigned number,
                                struct arena *arena)
{
    return name.len ? name : arena_printf(arena, "%s%u", word, number);
}

static struct bytes protocol_name(unsigned variant)
{
    switch (variant) {
    case DNS_VARIANT_MDNS:
        return BYTES_LITERAL("mdns");
    case DNS_VARIANT_LLMNR:
        return BYTES_LITERAL("llmnr");
    default:
        return BYTES_LITERAL("dns");
    }
}

static void describe_question(const struct message *request, unsigned variant, struct span *span)
{
    struct bytes question = message_field(request, DNS_FIELD_QUESTION);
    struct bytes opt = message_field(request, DNS_FIELD_OPT);
    struct bytes name = message_field(request, DNS_FIELD_NAME);
    struct bytes operation = dns_opcode_name((unsigned)request->code & 15);
    uint16_t type = be16(question, 0), class = be16(question, 2);
    struct bytes type_text = number_text(dns_type_name(type), "TYPE", type, span->arena);
    bool unicast = variant == DNS_VARIANT_MDNS && class & 0x8000;

    class &= variant == DNS_VARIANT_MDNS ? 0x7fff : 0xffff;
    span->plain_name = operation;
    span->name = arena_printf(span->arena, "%.*s %.*s", BYTES_PRINTF(operation),
                              BYTES_PRINTF(type_text));
    if (span->name.len < operation.len + 1 + type_text.len)
        span->name = operation;
    span_add_text(span, SEMCONV_NETWORK_PROTOCOL_NAME, protocol_name(variant));
    span_add_text(span, FLOWTRACE_DNS_OPERATION, operation);
    if (name.len)
        span_add_text(span, DNS_QUESTION_NAME, name);
    if (type_text.len)
        span_add_text(span, FLOWTRACE_DNS_QUESTION_TYPE, type_text);
    if (class != DNS_CLASS_IN)
        span_add_text(span, FLOWTRACE_DNS_QUESTION_CLASS,
                      number_text(dns_class_name(class), "CLASS", class, span->arena));
    if (unicast)
        span_add_boolean(span, FLOWTRACE_DNS_UNICAST_WANTED, true);
    if (opt.len == 6) {
        span_add_integer(span, FLOWTRACE_DNS_UDP_SIZE, be16(opt, 0));
        span_add_boolean(span, FLOWTRACE_DNS_DNSSEC_OK, opt.ptr[4] & OPT_DNSSEC_OK);
    }
}

static struct bytes address_text(struct bytes address, struct arena *arena)
{
    char text[INET6_ADDRSTRLEN];
    int family = address.len == 4 ? AF_INET : AF_INET6;

    if (!inet_ntop(family, address.ptr, text, sizeof(text)))
        return BYTES_NULL;
    return arena_copy(arena, bytes_from_string(text));
}

/* The texts of the fields with this id, as far as there is room for them. */
static void add_list(const struct message *response, unsigned id, struct bytes key,
                     struct span *span)
{
    struct bytes *items = NULL;
    size_t n = 0;

    for (unsigned i = 0; i < response->n_fields; i++)
        n += response->fields[i].id == id;
    if (n)
        items = arena_alloc(span->arena, n * sizeof(*items));
    if (!items)
        return;
    n = 0;
    for (unsigned i = 0; i < response->n_fields; i++) {
        struct bytes value = response->fields[i].value;

        if (response->fields[i].id != id)
            continue;
        if (id == DNS_FIELD_ADDRESS)
            value = address_text(value, span->arena);
        if (value.len)
            items[n++] = value;
    }
    span_add_texts(span, key, items, n);
    if (id == DNS_FIELD_ADDRESS) {
        span->told_addresses = items;
        span->n_told_addresses = n;
    }
}

static void describe_answer(const struct message *response, struct span *span)
{
    struct bytes header = message_field(response, DNS_FIELD_HEADER);
    unsigned rcode = (unsigned)response->code;
    struct bytes code = number_text(dns_rcode_name(rcode), "RCODE", rcode, span->arena);
    uint16_t flags = be16(header, 0);

    span_add_text(span, FLOWTRACE_DNS_RESPONSE_CODE, code);
    span_add_integer(span, FLOWTRACE_DNS_ANSWER_COUNT, be16(header, 4));
    add_list(response, DNS_FIELD_ADDRESS, DNS_ANSWERS_KEY, span);
    add_list(response, DNS_FIELD_RECORD, FLOWTRACE_DNS_RECORDS, span);
    if (flags & DNS_FLAG_AUTHORITATIVE)
        span_add_boolean(span, FLOWTRACE_DNS_AUTHORITATIVE, true);
    if (flags & DNS_FLAG_TRUNCATED)
        span_add_boolean(span, FLOWTRACE_DNS_TRUNCATED, true);
    if (rcode == DNS_RCODE_NOERROR)
        return;
    if (span->kind == SPAN_KIND_SERVER && rcode != DNS_RCODE_SERVFAIL)
        return;
    span->status = SPAN_STATUS_ERROR;
    span_add_text(span, SEMCONV_ERROR_TYPE, code);
}

void dns_describe(const struct message *request, const struct message *response,
                  struct span *span)
{
    unsigned variant = (unsigned)(request->code >> 8) & 3;

    if (variant != DNS_VARIANT_DNS)
        span->kind = span->kind == SPAN_KIND_CLIENT ? SPAN_KIND_PRODUCER : SPAN_KIND_CONSUMER;
    describe_question(request, variant, span);
    if (response)
        describe_answer(response, span);
    if (span->n_told_addresses)
        span->told_name = message_field(request, DNS_FIELD_NAME);
}
