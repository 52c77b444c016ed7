/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DNS (RFC 1035) over UDP, one message per datagram, and over TCP, behind two bytes of length:
 *
 *   [id][flags][counts of the four sections][question][answers][authority][additional, OPT]
 *
 * A question and its answer are told by id, name, type and class together, in whatever order they
 * come. mDNS (RFC 6762) and LLMNR (RFC 4795) have the same messages; ports and the group tell them.
 * A question to a group may have any number of answers from anybody, so it has none here.
 */
#pragma once

#include "protocols/protocol.h"

#define DNS_HEADER_SIZE 12
#define DNS_QUESTION_MIN 5  /* the root's name, type, class */
#define DNS_RECORD_MIN 11   /* the root's name, type, class, time to live, length */
#define DNS_READ_MAX 4094   /* bytes of a message over TCP that are waited for */
#define DNS_ADDRESSES_MAX 12
#define DNS_RECORDS_MAX 8
#define DNS_PORT_MDNS 5353
#define DNS_PORT_LLMNR 5355
#define DNS_SLOTS 16

enum dns_field {
    DNS_FIELD_NAME = FIELD_PROTOCOL, /* the question's, as text */
    DNS_FIELD_QUESTION,              /* its type and class, as they stand there */
    DNS_FIELD_HEADER,                /* flags and counts, as they stand there */
    DNS_FIELD_OPT,                   /* OPT: UDP size, then what stands for its time to live */
    DNS_FIELD_ADDRESS,               /* of an A or AAAA answer: 4 or 16 bytes */
    DNS_FIELD_RECORD,                /* of another answer: "CNAME www.example.com" */
};

enum dns_variant { DNS_VARIANT_DNS, DNS_VARIANT_MDNS, DNS_VARIANT_LLMNR };

enum dns_flags {
    DNS_FLAG_RESPONSE = 0x8000,
    DNS_FLAG_AUTHORITATIVE = 0x0400,
    DNS_FLAG_TRUNCATED = 0x0200,
    DNS_FLAG_RECURSION_AVAILABLE = 0x0080,
    DNS_FLAG_RESERVED = 0x0040,
};

/* A request whose answer may come without the question. */
struct dns_slot {
    uint32_t question; /* hash */
    uint16_t id;
    bool open;
};

/* request->code: enum dns_opcode, and enum dns_variant << 8. response->code: the (extended) rcode. */
struct dns_state {
    uint32_t transfer; /* the last zone transfer's id + 1: it has further answers */
    struct dns_slot slots[DNS_SLOTS]; /* by id */
};

extern const struct protocol dns_protocol;

enum probe_result dns_probe(struct bytes data, enum delivery delivery);
struct parse_result dns_parse(void *state, const struct parse_input *input,
                              struct message *ret_message);
size_t dns_resync(void *state, const struct parse_input *input);
void dns_describe(const struct message *request, const struct message *response,
                  struct span *span);
