/* SPDX-License-Identifier: Apache-2.0 */
/* One message of DNS, wherever it came from, to what is told of it. */
#pragma once

#include "protocols/dns/dns.h"

enum dns_section { DNS_QUESTIONS, DNS_ANSWERS, DNS_AUTHORITY, DNS_ADDITIONAL, DNS_SECTIONS };

enum dns_result {
    DNS_BAD,   /* this is no DNS */
    DNS_SHORT, /* the bytes end before the question does, if it is DNS */
    DNS_PART,  /* ... behind it */
    DNS_WHOLE, /* all sections are there, and nothing is behind them */
    DNS_MORE_THAN_WHOLE,
};

struct dns_message {
    uint16_t id;
    uint16_t flags;
    unsigned opcode;
    unsigned rcode; /* extended by OPT */
    uint16_t counts[DNS_SECTIONS];
    uint16_t type;     /* of the first question, if there is one */
    uint32_t question; /* a hash of it, whatever the case of its letters; 0: there is none */
};

/*
 * Does the beginning of a header, of any length, look like one? `response`: an answer's. Datagrams
 * with id 0 may be those of mDNS, which allows for more.
 */
bool dns_header_fits(struct bytes data, enum delivery delivery, bool response);

/*
 * Reads `data`, a message or its beginning. With `fields`, which has none yet, adds those of enum
 * dns_field, with texts in `scratch`: of questions the first, of responses the answers as well.
 */
enum dns_result dns_read(struct bytes data, enum delivery delivery, struct arena *scratch,
                         struct message *fields, struct dns_message *ret_message);
