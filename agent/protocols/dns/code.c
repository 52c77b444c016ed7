/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of names. */
#include "protocols/dns/code.h"

#include "base/macro.h"

struct named {
    uint16_t number;
    struct bytes name;
};

#define NAMED(number, name) {number, {(const uint8_t *)(name), sizeof(name) - 1}}

/* The usual ones first. */
static const struct named types[] = {
    NAMED(1, "A"),          NAMED(28, "AAAA"),      NAMED(5, "CNAME"),    NAMED(33, "SRV"),
    NAMED(12, "PTR"),       NAMED(65, "HTTPS"),     NAMED(15, "MX"),      NAMED(16, "TXT"),
    NAMED(2, "NS"),         NAMED(6, "SOA"),        NAMED(64, "SVCB"),    NAMED(13, "HINFO"),
    NAMED(17, "RP"),        NAMED(18, "AFSDB"),     NAMED(24, "SIG"),     NAMED(25, "KEY"),
    NAMED(29, "LOC"),       NAMED(35, "NAPTR"),     NAMED(36, "KX"),      NAMED(37, "CERT"),
    NAMED(39, "DNAME"),     NAMED(41, "OPT"),       NAMED(42, "APL"),     NAMED(43, "DS"),
    NAMED(44, "SSHFP"),     NAMED(45, "IPSECKEY"),  NAMED(46, "RRSIG"),   NAMED(47, "NSEC"),
    NAMED(48, "DNSKEY"),    NAMED(49, "DHCID"),     NAMED(50, "NSEC3"),   NAMED(51, "NSEC3PARAM"),
    NAMED(52, "TLSA"),      NAMED(53, "SMIMEA"),    NAMED(55, "HIP"),     NAMED(59, "CDS"),
    NAMED(60, "CDNSKEY"),   NAMED(61, "OPENPGPKEY"), NAMED(62, "CSYNC"),  NAMED(63, "ZONEMD"),
    NAMED(99, "SPF"),       NAMED(108, "EUI48"),    NAMED(109, "EUI64"),  NAMED(249, "TKEY"),
    NAMED(250, "TSIG"),     NAMED(251, "IXFR"),     NAMED(252, "AXFR"),   NAMED(255, "ANY"),
    NAMED(256, "URI"),      NAMED(257, "CAA"),
};

static const struct named classes[] = {
    NAMED(1, "IN"), NAMED(3, "CH"), NAMED(4, "HS"), NAMED(254, "NONE"), NAMED(255, "ANY"),
};

static const struct named opcodes[] = {
    NAMED(0, "QUERY"), NAMED(4, "NOTIFY"), NAMED(5, "UPDATE"),
};

static const struct named rcodes[] = {
    NAMED(0, "NOERROR"),   NAMED(1, "FORMERR"),  NAMED(2, "SERVFAIL"),  NAMED(3, "NXDOMAIN"),
    NAMED(4, "NOTIMP"),    NAMED(5, "REFUSED"),  NAMED(6, "YXDOMAIN"),  NAMED(7, "YXRRSET"),
    NAMED(8, "NXRRSET"),   NAMED(9, "NOTAUTH"),  NAMED(10, "NOTZONE"),  NAMED(16, "BADVERS"),
    NAMED(17, "BADKEY"),   NAMED(18, "BADTIME"), NAMED(19, "BADMODE"),  NAMED(20, "BADNAME"),
    NAMED(21, "BADALG"),   NAMED(22, "BADTRUNC"), NAMED(23, "BADCOOKIE"),
};

static struct bytes find(const struct named *table, size_t n, unsigned number)
{
    for (size_t i = 0; i < n; i++)
        if (table[i].number == number)
            return table[i].name;
    return BYTES_NULL;
}

struct bytes dns_type_name(uint16_t type)
{
    return find(types, ELEMENTSOF(types), type);
}

struct bytes dns_class_name(uint16_t number)
{
    return find(classes, ELEMENTSOF(classes), number);
}

struct bytes dns_opcode_name(unsigned opcode)
{
    return find(opcodes, ELEMENTSOF(opcodes), opcode);
}

struct bytes dns_rcode_name(unsigned rcode)
{
    return find(rcodes, ELEMENTSOF(rcodes), rcode);
}
