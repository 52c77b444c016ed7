/* SPDX-License-Identifier: Apache-2.0 */
/* The layers of a packet, one function each; the picture stands in packet.h. */
#include "source/packet.h"

#include "base/macro.h"

#include <netinet/in.h>

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_ETHERNET 0x6558 /* transparent bridging: an Ethernet frame follows (Geneve) */
#define PORT_VXLAN 4789           /* RFC 7348 section 5 */
#define PORT_GENEVE 6081          /* RFC 8926 section 3.3 */
#define TUNNELS_MAX 4             /* one in the other */
#define TAGS_MAX 4                /* VLAN tags of a frame */
#define EXTENSIONS_MAX 16         /* extension headers of an IPv6 packet */

/* The packet, read up to reader.pos, and how many bytes of it were on the wire. */
struct layer {
    struct reader reader;
    size_t wire;
};

static size_t wire_left(const struct layer *layer)
{
    return layer->wire - MIN(layer->reader.pos, layer->wire);
}

/* The packet ends `length` bytes from here: what follows is the link's padding. */
static void limit(struct layer *layer, size_t length)
{
    layer->wire = MIN(layer->wire, layer->reader.pos + length);
    layer->reader.data.len = MIN(layer->reader.data.len, layer->wire);
}

/* ---- the link -------------------------------------------------------------------------------- */

/* An EtherType, behind the VLAN tags that may stand in front of it (IEEE 802.1Q). */
static uint16_t take_type(struct reader *reader)
{
    uint16_t type = reader_be16(reader);

    for (int i = 0; i < TAGS_MAX && (type == 0x8100 || type == 0x88a8 || type == 0x9100); i++) {
        reader_take(reader, 2);
        type = reader_be16(reader);
    }
    return type;
}

static uint16_t take_ethernet(struct reader *reader)
{
    reader_take(reader, 12);
    return take_type(reader);
}

/* Raw IP tells its version itself. */
static uint16_t look_at_version(const struct reader *reader)
{
    struct bytes rest = bytes_skip(reader->data, reader->pos);
    unsigned version = rest.len ? rest.ptr[0] >> 4 : 0;

    return version == 4 ? ETHERTYPE_IPV4 : version == 6 ? ETHERTYPE_IPV6 : 0;
}

/* The protocol behind the link's header, 0 for what is not known. */
static uint16_t take_link(struct reader *reader, int link_type)
{
    uint16_t type;

    switch (link_type) {
    case LINK_ETHERNET:
        return take_ethernet(reader);
    case LINK_NULL:
    case LINK_LOOP:
        reader_take(reader, 4); /* systems disagree on IPv6's number: the packet itself does not */
        return look_at_version(reader);
    case LINK_LINUX_SLL:
        reader_take(reader, 14);
        return take_type(reader);
    case LINK_LINUX_SLL2:
        type = reader_be16(reader);
        reader_take(reader, 18);
        return type;
    default:
        return look_at_version(reader);
    }
}

bool link_type_is_known(int link_type)
{
    switch (link_type) {
    case LINK_NULL:
    case LINK_ETHERNET:
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
    case LINK_RAW:
    case LINK_LOOP:
    case LINK_LINUX_SLL:
    case LINK_IPV4:
    case LINK_IPV6:
    case LINK_LINUX_SLL2:
        return true;
    default:
        return false;
    }
}

/* ---- IP -------------------------------------------------------------------------------------- */

struct ip {
    uint8_t transport;
    bool fragmented;
    struct fragment fragment; /* its addresses in all cases */
};

static void take_v4_address(struct reader *reader, uint8_t *out)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    struct bytes raw = reader_take(reader, 4);

    memcpy(out, prefix, sizeof(prefix));
    if (raw.len)
        memcpy(out + sizeof(prefix), raw.ptr, raw.len);
}

static void take_v6_address(struct reader *reader, uint8_t *out)
{
    struct bytes raw = reader_take(reader, 16);

    if (raw.len)
        memcpy(out, raw.ptr, raw.len);
}

/* RFC 791 section 3.1. */
static enum packet_result take_v4(struct layer *layer, struct ip *ip)
{
    struct reader *reader = &layer->reader;
    size_t header, total;
    uint16_t fragment;
    struct bytes first = reader_take(reader, 2);

    total = reader_be16(reader);
    ip->fragment.id = reader_be16(reader);
    fragment = reader_be16(reader);
    reader_take(reader, 1);
    ip->transport = reader_u8(reader);
    reader_take(reader, 2);
    take_v4_address(reader, ip->fragment.source);
    take_v4_address(reader, ip->fragment.destination);
    if (reader->failed)
        return PACKET_CUT;
    header = (size_t)(first.ptr[0] & 15) * 4;
    if (first.ptr[0] >> 4 != 4 || header < 20 || (total && total < header))
        return PACKET_MALFORMED;
    reader_take(reader, header - 20);
    if (total)
        limit(layer, total - header);
    ip->fragmented = fragment & 0x3fff;
    ip->fragment.last = !(fragment & 0x2000);
    ip->fragment.offset = (size_t)(fragment & 0x1fff) * 8;
    return PACKET_OK;
}

static void take_v6_fragment(struct reader *reader, struct ip *ip)
{
    uint16_t where;
    struct bytes id;

    reader_take(reader, 1);
    where = reader_be16(reader);
    id = reader_take(reader, 4);
    ip->fragmented = (where & 0xfff9) != 0; /* offset 0 and no more: an atomic fragment */
    ip->fragment.last = !(where & 1);
    ip->fragment.offset = where & 0xfff8;
    if (id.len)
        memcpy(&ip->fragment.id, id.ptr, sizeof(ip->fragment.id));
}

/* RFC 8200 section 4: extension headers up to the transport, or to a fragment that is not first. */
static enum packet_result take_v6_extensions(struct reader *reader, struct ip *ip)
{
    for (int i = 0; i < EXTENSIONS_MAX; i++) {
        uint8_t kind = ip->transport;
        size_t length;

        if (kind != IPPROTO_HOPOPTS && kind != IPPROTO_ROUTING && kind != IPPROTO_DSTOPTS &&
            kind != IPPROTO_FRAGMENT && kind != IPPROTO_AH)
            return PACKET_OK;
        if (ip->fragmented)
            return PACKET_OK; /* the rest belongs to the whole datagram */
        ip->transport = reader_u8(reader);
            if (kind == IPPROTO_FRAGMENT) {
            take_v6_fragment(reader, ip);
            continue;
        }
        length = reader_u8(reader);
            reader_take(reader, kind == IPPROTO_AH ? (length + 2) * 4 - 2 : (length + 1) * 8 - 2);
        if (reader->failed)
            return PACKET_CUT;
    }
    return PACKET_OTHER;
}

/* RFC 8200 section 3. */
static enum packet_result take_v6(struct layer *layer, struct ip *ip)
{
    struct reader *reader = &layer->reader;
    struct bytes first = reader_take(reader, 4);
    size_t length = reader_be16(reader);

    ip->transport = reader_u8(reader);
    reader_take(reader, 1);
    take_v6_address(reader, ip->fragment.source);
    take_v6_address(reader, ip->fragment.destination);
    if (reader->failed)
        return PACKET_CUT;
    if (first.ptr[0] >> 4 != 6)
        return PACKET_MALFORMED;
    if (length)
        limit(layer, length);
    return take_v6_extensions(reader, ip);
}

static enum packet_result take_ip(struct layer *layer, uint16_t type, struct ip *ip)
{
    if (layer->reader.failed)
        return PACKET_CUT;
    if (type == ETHERTYPE_IPV4)
        return take_v4(layer, ip);
    if (type == ETHERTYPE_IPV6)
        return take_v6(layer, ip);
    return PACKET_OTHER;
}

/* Puts the datagram in the place of its last fragment. */
static enum packet_result reassemble(struct fragments *fragments, struct layer *layer,
                                     struct ip *ip)
{
    struct bytes datagram;

    if (reader_left(&layer->reader) < wire_left(layer))
        return PACKET_CUT;
    ip->fragment.transport = ip->transport;
    ip->fragment.data = reader_rest(&layer->reader);
    if (!fragments_add(fragments, &ip->fragment, &datagram))
        return PACKET_FRAGMENT;
    layer->reader = reader_make(datagram);
    layer->wire = datagram.len;
    return PACKET_OK;
}

/* ---- transport ------------------------------------------------------------------------------- */

/* RFC 9293 section 3.1. */
static enum packet_result take_tcp(struct layer *layer, struct packet *packet)
{
    struct reader *reader = &layer->reader;
    size_t header;

    packet->source.port = reader_be16(reader);
    packet->destination.port = reader_be16(reader);
    packet->sequence = reader_be32(reader);
    packet->acknowledged = reader_be32(reader);
    header = reader_be16(reader);
    packet->flags = (uint8_t)header;
    header = header >> 12 << 2;
    reader_take(reader, 6);
    if (reader->failed)
        return PACKET_CUT;
    if (header < 20 || header - 20 > wire_left(layer))
        return PACKET_MALFORMED;
    if (header - 20 > reader_left(reader)) { /* options are cut, and with them all of the payload */
        layer->wire -= header - 20 - reader_left(reader);
        reader_rest(reader);
    } else {
        reader_take(reader, header - 20);
    }
    return PACKET_OK;
}

/* RFC 768. */
static enum packet_result take_udp(struct layer *layer, struct packet *packet)
{
    struct reader *reader = &layer->reader;
    size_t length;

    packet->source.port = reader_be16(reader);
    packet->destination.port = reader_be16(reader);
    length = reader_be16(reader);
    reader_take(reader, 2);
    if (reader->failed)
        return PACKET_CUT;
    if (length && length < 8)
        return PACKET_MALFORMED;
    if (length)
        limit(layer, length - 8);
    return PACKET_OK;
}

static enum packet_result take_transport(struct layer *layer, struct ip *ip, struct packet *packet)
{
    enum packet_result result = PACKET_OTHER;

    memcpy(packet->source.address, ip->fragment.source, 16);
    memcpy(packet->destination.address, ip->fragment.destination, 16);
    packet->transport = ip->transport;
    if (ip->transport == IPPROTO_TCP)
        result = take_tcp(layer, packet);
    else if (ip->transport == IPPROTO_UDP)
        result = take_udp(layer, packet);
    if (result != PACKET_OK)
        return result;
    packet->length = (uint32_t)MIN(wire_left(layer), (size_t)UINT32_MAX);
    packet->payload = bytes_slice(reader_rest(&layer->reader), 0, packet->length);
    return PACKET_OK;
}

/*
 * Where the packet is a tunnel's: the layer moves to the inner packet, and its protocol is
 * returned; 0 where it is not, or does not look like one.
 */
static uint16_t enter_tunnel(const struct packet *packet, struct layer *layer)
{
    struct layer inner = {reader_make(packet->payload), packet->length};
    uint16_t type = 0;

    if (packet->transport != IPPROTO_UDP)
        return 0;
    if (packet->destination.port == PORT_VXLAN) {
        /* RFC 7348 section 5: the flag says that the network's number is valid. */
        type = reader_be16(&inner.reader) == 0x0800 ? ETHERTYPE_ETHERNET : 0;
        reader_take(&inner.reader, 6);
    } else if (packet->destination.port == PORT_GENEVE) {
        /* RFC 8926 section 3.4: version 0, options in words. */
        uint16_t head = reader_be16(&inner.reader);

        type = head >> 14 == 0 ? reader_be16(&inner.reader) : 0;
        reader_take(&inner.reader, 4 + (size_t)(head >> 8 & 0x3f) * 4);
    }
    if (type == ETHERTYPE_ETHERNET)
        type = take_ethernet(&inner.reader);
    if (inner.reader.failed || (type != ETHERTYPE_IPV4 && type != ETHERTYPE_IPV6))
        return 0;
    *layer = inner;
    return type;
}

static enum packet_result take_packet(struct fragments *fragments, struct layer *layer,
                                      uint16_t type, struct packet *ret_packet)
{
    struct ip ip = {0};
    enum packet_result result = take_ip(layer, type, &ip);

    if (result == PACKET_OK && ip.fragmented)
        result = reassemble(fragments, layer, &ip);
    *ret_packet = (struct packet){0};
    return result == PACKET_OK ? take_transport(layer, &ip, ret_packet) : result;
}

enum packet_result packet_decode(struct fragments *fragments, int link_type, struct bytes captured,
                                 size_t wire_length, struct packet *ret_packet)
{
    struct layer layer = {reader_make(captured), MAX(wire_length, captured.len)};
    uint16_t type = take_link(&layer.reader, link_type);

    for (int depth = 0; depth <= TUNNELS_MAX; depth++) {
        struct packet packet;
        enum packet_result result = take_packet(fragments, &layer, type, &packet);

        if (result != PACKET_OK)
            return result;
        type = enter_tunnel(&packet, &layer);
        if (!type) {
            *ret_packet = packet;
            return PACKET_OK;
        }
    }
    return PACKET_OTHER;
}
