/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of DNS and their names (IANA, "Domain Name System Parameters"). */
#pragma once

#include "base/bytes.h"

enum dns_type {
    DNS_TYPE_A = 1,
    DNS_TYPE_NS = 2,
    DNS_TYPE_CNAME = 5,
    DNS_TYPE_PTR = 12,
    DNS_TYPE_MX = 15,
    DNS_TYPE_AAAA = 28,
    DNS_TYPE_SRV = 33,
    DNS_TYPE_DNAME = 39,
    DNS_TYPE_OPT = 41,
    DNS_TYPE_IXFR = 251,
    DNS_TYPE_AXFR = 252,
};

enum dns_class { DNS_CLASS_IN = 1, DNS_CLASS_CH = 3, DNS_CLASS_HS = 4, DNS_CLASS_NONE = 254,
                 DNS_CLASS_ANY = 255 };

enum dns_opcode { DNS_OPCODE_QUERY = 0, DNS_OPCODE_NOTIFY = 4, DNS_OPCODE_UPDATE = 5 };

enum dns_rcode { DNS_RCODE_NOERROR = 0, DNS_RCODE_SERVFAIL = 2 };

/* Empty where the number has no name. */
struct bytes dns_type_name(uint16_t type);
struct bytes dns_class_name(uint16_t number);
struct bytes dns_opcode_name(unsigned opcode);
struct bytes dns_rcode_name(unsigned rcode);
