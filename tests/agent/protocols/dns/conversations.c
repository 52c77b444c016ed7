/* SPDX-License-Identifier: Apache-2.0 */
/* Conversations in DNS for the shared harness: of stock programs, and as the standards have them. */
#include "../harness.h"
#include "messages.h"

#include "protocols/dns/dns.h"

#include "base/macro.h"

extern const struct fixture dns_fixture;

/* With id 7 for names of its own, over TCP: length, id, flags, counts, question. */
#define SHORT_ASK "\x00\x13\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01" "a\x00\x00\x01\x00\x01"
#define SHORT_ANSWER                                                                               \
    "\x00\x23\x00\x07\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x01" "a\x00\x00\x01\x00\x01"         \
    "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01"
#define OTHER_ASK "\x00\x13\x00\x08\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01" "b\x00\x00\x1c\x00\x01"
#define OTHER_ANSWER                                                                               \
    "\x00\x13\x00\x08\x81\x83\x00\x01\x00\x00\x00\x00\x00\x00\x01" "b\x00\x00\x1c\x00\x01"

static const struct conversation conversations[] = {
    DATAGRAM_CONVERSATION("a name with a CNAME, over UDP", 2, CLIENT(ASK_WWW), SERVER(ANSWER_WWW)),
    DATAGRAM_CONVERSATION("IPv6 addresses, without EDNS", 2, CLIENT(ASK_AAAA), SERVER(ANSWER_AAAA)),
    DATAGRAM_CONVERSATION("mail and services", 4,
        CLIENT(ASK_MX), SERVER(ANSWER_MX), CLIENT(ASK_SRV), SERVER(ANSWER_SRV)),
    DATAGRAM_CONVERSATION("codes: a name that is missing, one that is refused, a broken zone", 6,
        CLIENT(ASK_MISSING), SERVER(ANSWER_MISSING), CLIENT(ASK_REFUSED), SERVER(ANSWER_REFUSED),
        CLIENT(ASK_BROKEN), SERVER(ANSWER_BROKEN)),
    DATAGRAM_CONVERSATION("an answer that was too long for its datagram", 2,
        CLIENT(ASK_BIG), SERVER(ANSWER_BIG)),
    DATAGRAM_CONVERSATION("answers in another order than the questions", 4,
        CLIENT(ASK_TXT), CLIENT(ASK_MX), SERVER(ANSWER_MX), SERVER(ANSWER_TXT)),
    DATAGRAM_CONVERSATION("an extended code, another class, another type", 6,
        CLIENT(ASK_BADVERS), SERVER(ANSWER_BADVERS), CLIENT(ASK_VERSION), SERVER(ANSWER_VERSION),
        CLIENT(ASK_TYPE65280), SERVER(ANSWER_TYPE65280)),
    DATAGRAM_CONVERSATION("a name that is no host's", 2, CLIENT(ASK_WEIRD), SERVER(ANSWER_WEIRD)),
    CONVERSATION("over TCP", 2, CLIENT(ASK_TCP_WWW), SERVER(ANSWER_TCP_WWW)),
    CONVERSATION("a zone transfer, in one message", 2, CLIENT(ASK_TCP_ZONE), SERVER(ANSWER_TCP_ZONE)),
    CONVERSATION("a zone transfer, whose further messages are its own", 3,
        CLIENT(ASK_TCP_ZONE), SERVER(ANSWER_TCP_ZONE ANSWER_TCP_ZONE), CLIENT(SHORT_ASK)),
    CONVERSATION("questions in a row over TCP, answered in another order", 4,
        CLIENT(SHORT_ASK OTHER_ASK), SERVER(OTHER_ANSWER SHORT_ANSWER)),
    CONVERSATION("an error without the question", 2,
        CLIENT(SHORT_ASK), SERVER("\x00\x0c\x00\x07\x81\x01\x00\x00\x00\x00\x00\x00\x00\x00")),
};

const struct fixture dns_fixture = {
    .protocol = &dns_protocol,
    .conversations = conversations,
    .n_conversations = ELEMENTSOF(conversations),
};
