/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One packet of a capture, from the link layer to the transport's payload. Pure but for the table
 * of IP fragments.
 *
 *   [link][VLAN..][IPv4 | IPv6, extension headers][TCP | UDP][payload]
 *                                                  UDP 4789, 6081: a tunnel, and all of it again
 *
 * Two lengths travel through all layers: what was captured, and what was on the wire. A length of 0
 * in an IP header (segmentation done by the hardware) means all that was on the wire.
 */
#pragma once

#include "source/fragment.h"
#include "span/event.h"

/* Link types, with the numbers of tcpdump.org/linktypes.html. */
enum link_type {
    LINK_NULL = 0,     /* BSD loopback: address family in the writer's byte order */
    LINK_ETHERNET = 1,
    LINK_RAW_BSD = 12, /* DLT_RAW, as some write it into files */
    LINK_RAW_OPENBSD = 14,
    LINK_RAW = 101,
    LINK_LOOP = 108, /* OpenBSD loopback: address family in network byte order */
    LINK_LINUX_SLL = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_LINUX_SLL2 = 276,
};

bool link_type_is_known(int link_type);

enum tcp_flags {
    TCP_FLAG_FIN = 0x01,
    TCP_FLAG_SYN = 0x02,
    TCP_FLAG_RST = 0x04,
    TCP_FLAG_ACK = 0x10,
};

struct packet {
    struct endpoint source;
    struct endpoint destination;
    uint8_t transport; /* IPPROTO_TCP or IPPROTO_UDP */
    uint8_t flags;     /* TCP: enum tcp_flags */
    uint32_t sequence; /* TCP */
    uint32_t acknowledged;
    uint32_t length;      /* bytes of payload on the wire */
    struct bytes payload; /* those of them that were captured */
};

enum packet_result {
    PACKET_OK,
    PACKET_OTHER,     /* neither TCP nor UDP over IP, or a link header that is not understood */
    PACKET_FRAGMENT,  /* kept until the others are there */
    PACKET_CUT,       /* the capture holds too little of it */
    PACKET_MALFORMED, /* lengths that contradict each other */
};

/* `captured` of `wire_length` bytes. The payload points into them, or into the fragments until the
 * next call. */
enum packet_result packet_decode(struct fragments *fragments, int link_type, struct bytes captured,
                                 size_t wire_length, struct packet *ret_packet);
