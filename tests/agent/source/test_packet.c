/* SPDX-License-Identifier: Apache-2.0 */
#include "source/packet.h"

#include "base/buffer.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PAYLOAD "GET / HTTP/1.1\r\n\r\n"

static int setup(void **state)
{
    struct fragments *fragments = NULL;
    int r = fragments_new(&fragments);

    *state = fragments;
    return r;
}

static int teardown(void **state)
{
    fragments_free(*state);
    return 0;
}

/* ---- frames, built from the inside out ------------------------------------------------------- */

struct frame {
    uint8_t bytes[2048];
    size_t len;
};

static void prepend(struct frame *frame, const void *head, size_t n)
{
    memmove(frame->bytes + n, frame->bytes, frame->len);
    memcpy(frame->bytes, head, n);
    frame->len += n;
}

#define PREPEND(frame, ...)                                                                        \
    do {                                                                                           \
        const uint8_t head_[] = {__VA_ARGS__};                                                     \
        prepend(frame, head_, sizeof(head_));                                                      \
    } while (0)
#define BE16(n) (uint8_t)((n) >> 8), (uint8_t)(n)

static struct frame payload(void)
{
    struct frame frame = {.len = sizeof(PAYLOAD) - 1};

    memcpy(frame.bytes, PAYLOAD, frame.len);
    return frame;
}

static void put_tcp(struct frame *frame)
{
    PREPEND(frame, BE16(40000), BE16(80), 1, 2, 3, 4, 5, 6, 7, 8, 8 << 4, TCP_FLAG_ACK, BE16(500),
            0, 0, 0, 0, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2); /* with 12 bytes of options */
}

static void put_udp(struct frame *frame, uint16_t port)
{
    size_t len = frame->len + 8;

    PREPEND(frame, BE16(5000), BE16(port), BE16(len), 0, 0);
}

static void put_v4(struct frame *frame, uint8_t transport, uint16_t fragment)
{
    size_t len = frame->len + 20;

    PREPEND(frame, 0x45, 0, BE16(len), BE16(77), BE16(fragment), 64, transport, 0, 0,
            10, 0, 0, 1, 10, 0, 0, 2);
}

static void put_v6(struct frame *frame, uint8_t next)
{
    size_t len = frame->len;

    PREPEND(frame, 0x60, 0, 0, 0, BE16(len), next, 64, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 1, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2);
}

static void put_ethernet(struct frame *frame, uint16_t type)
{
    PREPEND(frame, 1, 2, 3, 4, 5, 6, 6, 5, 4, 3, 2, 1, BE16(type));
}

static enum packet_result decode(void **state, const struct frame *frame, int link,
                                 struct packet *ret_packet)
{
    return packet_decode(*state, link, bytes_make(frame->bytes, frame->len), frame->len,
                         ret_packet);
}

static void assert_is_the_request(const struct packet *packet)
{
    assert_int_equal(packet->transport, IPPROTO_TCP);
    assert_int_equal(packet->source.port, 40000);
    assert_int_equal(packet->destination.port, 80);
    assert_int_equal(packet->source.address[15], 1);
    assert_int_equal(packet->destination.address[15], 2);
    assert_int_equal(packet->sequence, 0x01020304);
    assert_int_equal(packet->acknowledged, 0x05060708);
    assert_int_equal(packet->flags, TCP_FLAG_ACK);
    assert_int_equal(packet->length, sizeof(PAYLOAD) - 1);
    assert_true(bytes_equal(packet->payload, BYTES_LITERAL(PAYLOAD)));
}

static void assert_decodes(void **state, const struct frame *frame, int link)
{
    struct packet packet;

    assert_int_equal(decode(state, frame, link, &packet), PACKET_OK);
    assert_is_the_request(&packet);
}

/* ---- the tests ------------------------------------------------------------------------------- */

static struct frame tcp_v4(void)
{
    struct frame frame = payload();

    put_tcp(&frame);
    put_v4(&frame, IPPROTO_TCP, 0x4000);
    return frame;
}

static void every_link_type_leads_to_the_same_packet(void **state)
{
    struct frame raw = tcp_v4(), frame;

    assert_decodes(state, &raw, LINK_RAW);
    assert_decodes(state, &raw, LINK_RAW_BSD);
    assert_decodes(state, &raw, LINK_IPV4);
    frame = raw;
    put_ethernet(&frame, 0x0800);
    assert_decodes(state, &frame, LINK_ETHERNET);
    frame = raw;
    PREPEND(&frame, 2, 0, 0, 0);
    assert_decodes(state, &frame, LINK_NULL);
    assert_decodes(state, &frame, LINK_LOOP);
    frame = raw;
    PREPEND(&frame, 0, 4, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0);
    assert_decodes(state, &frame, LINK_LINUX_SLL);
    frame = raw;
    PREPEND(&frame, 8, 0, 0, 0, 0, 0, 0, 3, 0, 1, 4, 6, 1, 2, 3, 4, 5, 6, 0, 0);
    assert_decodes(state, &frame, LINK_LINUX_SLL2);
}

static void only_these_link_types_are_known(void **state)
{
    static const int known[] = {0, 1, 12, 14, 101, 108, 113, 228, 229, 276};
    size_t n = 0;

    for (int link = -1; link < 300; link++)
        n += link_type_is_known(link);
    assert_int_equal(n, sizeof(known) / sizeof(*known));
    for (size_t i = 0; i < n; i++)
        assert_true(link_type_is_known(known[i]));
}

static void vlan_tags_are_passed_over(void **state)
{
    struct frame frame = tcp_v4();

    PREPEND(&frame, 0, 5, 8, 0);
    PREPEND(&frame, 0, 6, 0x81, 0);
    put_ethernet(&frame, 0x88a8);
    assert_decodes(state, &frame, LINK_ETHERNET);
}

static void the_links_padding_is_no_payload(void **state)
{
    struct frame frame = tcp_v4();

    put_ethernet(&frame, 0x0800);
    frame.len += 6;
    assert_decodes(state, &frame, LINK_ETHERNET);
}

static void a_length_of_0_means_all_that_was_on_the_wire(void **state)
{
    struct frame frame = tcp_v4();

    frame.bytes[2] = frame.bytes[3] = 0;
    assert_decodes(state, &frame, LINK_RAW);
}

static void extension_headers_of_ipv6_are_passed_over(void **state)
{
    struct frame frame = payload();

    put_tcp(&frame);
    PREPEND(&frame, IPPROTO_TCP, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0); /* AH */
    PREPEND(&frame, IPPROTO_AH, 0, 0, 0, 0, 0, 0, 9);         /* an atomic fragment */
    PREPEND(&frame, IPPROTO_FRAGMENT, 0, 1, 4, 0, 0, 0, 0);   /* destination options */
    PREPEND(&frame, IPPROTO_DSTOPTS, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    put_v6(&frame, IPPROTO_HOPOPTS);
    assert_decodes(state, &frame, LINK_IPV6);
}

static struct frame cut_out(const struct frame *whole, size_t from, size_t end)
{
    struct frame frame = {.len = end - from};

    memcpy(frame.bytes, whole->bytes + from, frame.len);
    return frame;
}

static void fragments_of_ipv4_are_put_together(void **state)
{
    struct frame whole = payload(), first, last;
    struct packet packet;

    put_tcp(&whole);
    first = cut_out(&whole, 0, 24);
    last = cut_out(&whole, 24, whole.len);
    put_v4(&first, IPPROTO_TCP, 0x2000);
    put_v4(&last, IPPROTO_TCP, 24 / 8);
    assert_int_equal(decode(state, &last, LINK_RAW, &packet), PACKET_FRAGMENT);
    assert_decodes(state, &first, LINK_RAW);
}

static void fragments_of_ipv6_are_put_together(void **state)
{
    struct frame whole = payload(), first, last;
    struct packet packet;

    put_tcp(&whole);
    first = cut_out(&whole, 0, 24);
    last = cut_out(&whole, 24, whole.len);
    PREPEND(&first, IPPROTO_TCP, 0, BE16(0 | 1), 0, 0, 0, 9);
    PREPEND(&last, IPPROTO_TCP, 0, BE16(24), 0, 0, 0, 9);
    put_v6(&first, IPPROTO_FRAGMENT);
    put_v6(&last, IPPROTO_FRAGMENT);
    assert_int_equal(decode(state, &first, LINK_IPV6, &packet), PACKET_FRAGMENT);
    assert_decodes(state, &last, LINK_IPV6);
}

static struct frame in_vxlan(struct frame frame)
{
    put_ethernet(&frame, 0x0800);
    PREPEND(&frame, 8, 0, 0, 0, 0, 0, 42, 0);
    put_udp(&frame, 4789);
    put_v4(&frame, IPPROTO_UDP, 0);
    return frame;
}

static struct frame in_geneve(struct frame frame)
{
    PREPEND(&frame, 1, 2, 3, 0); /* an option of one word */
    PREPEND(&frame, 1, 0, 8, 0, 0, 0, 42, 0);
    put_udp(&frame, 6081);
    put_v4(&frame, IPPROTO_UDP, 0);
    return frame;
}

static void tunnels_show_their_inner_packet(void **state)
{
    struct frame frame = in_vxlan(tcp_v4());

    assert_decodes(state, &frame, LINK_RAW);
    frame = in_geneve(tcp_v4());
    assert_decodes(state, &frame, LINK_RAW);
    frame = in_vxlan(in_geneve(tcp_v4()));
    assert_decodes(state, &frame, LINK_RAW);
}

static void tunnels_in_tunnels_have_an_end(void **state)
{
    struct frame frame = tcp_v4();
    struct packet packet;

    for (unsigned i = 0; i < 20; i++)
        frame = in_geneve(frame);
    assert_int_equal(decode(state, &frame, LINK_RAW, &packet), PACKET_OTHER);
}

static void other_datagrams_at_a_tunnels_port_are_datagrams(void **state)
{
    struct frame frame = payload();
    struct packet packet;

    put_udp(&frame, 4789);
    put_v4(&frame, IPPROTO_UDP, 0);
    assert_int_equal(decode(state, &frame, LINK_RAW, &packet), PACKET_OK);
    assert_int_equal(packet.transport, IPPROTO_UDP);
    assert_int_equal(packet.destination.port, 4789);
    assert_true(bytes_equal(packet.payload, BYTES_LITERAL(PAYLOAD)));
}

static void what_was_not_captured_still_has_its_length(void **state)
{
    struct frame frame = tcp_v4();
    struct packet packet;

    put_ethernet(&frame, 0x0800);
    assert_int_equal(packet_decode(*state, LINK_ETHERNET, bytes_make(frame.bytes, frame.len - 10),
                                   frame.len, &packet), PACKET_OK);
    assert_int_equal(packet.length, sizeof(PAYLOAD) - 1);
    assert_int_equal(packet.payload.len, sizeof(PAYLOAD) - 1 - 10);
}

/* Each header cut anywhere is a cut packet, and nothing is read behind the cut (ASan looks on). */
static void a_packet_cut_anywhere_is_a_cut_packet(void **state)
{
    struct frame frame = in_vxlan(tcp_v4());
    size_t headers = frame.len - (sizeof(PAYLOAD) - 1) - 12;

    put_ethernet(&frame, 0x0800);
    headers += 14;
    for (size_t len = 0; len < frame.len; len++) {
        uint8_t *exact = malloc(len ?: 1);
        struct packet packet = {0};
        enum packet_result result;

        memcpy(exact, frame.bytes, len);
        result = packet_decode(*state, LINK_ETHERNET, bytes_make(exact, len), frame.len, &packet);
        if (len >= headers)
            assert_int_equal(packet.transport, IPPROTO_TCP);
        else if (result == PACKET_OK)
            assert_int_equal(packet.transport, IPPROTO_UDP); /* too little of the inner packet */
        else
            assert_int_equal(result, PACKET_CUT);
        free(exact);
    }
}

static void lengths_that_contradict_each_other_are_malformed(void **state)
{
    struct frame short_header = tcp_v4(), short_total = tcp_v4(), short_offset = tcp_v4();
    struct frame long_offset = tcp_v4(), short_udp = payload();
    struct packet packet;

    short_header.bytes[0] = 0x44;
    short_total.bytes[3] = 19;
    short_offset.bytes[20 + 12] = 4 << 4;
    long_offset.bytes[3] = 20 + 20 + 4; /* the packet ends inside the options */
    put_udp(&short_udp, 53);
    short_udp.bytes[5] = 7;
    put_v4(&short_udp, IPPROTO_UDP, 0);
    assert_int_equal(decode(state, &short_header, LINK_RAW, &packet), PACKET_MALFORMED);
    assert_int_equal(decode(state, &short_total, LINK_RAW, &packet), PACKET_MALFORMED);
    assert_int_equal(decode(state, &short_offset, LINK_RAW, &packet), PACKET_MALFORMED);
    assert_int_equal(decode(state, &long_offset, LINK_RAW, &packet), PACKET_MALFORMED);
    assert_int_equal(decode(state, &short_udp, LINK_RAW, &packet), PACKET_MALFORMED);
}

static void what_is_neither_tcp_nor_udp_is_other(void **state)
{
    struct frame icmp = payload(), arp = payload(), version = payload();
    struct packet packet;

    put_v4(&icmp, IPPROTO_ICMP, 0);
    put_ethernet(&arp, 0x0806);
    version.bytes[0] = 0x50;
    assert_int_equal(decode(state, &icmp, LINK_RAW, &packet), PACKET_OTHER);
    assert_int_equal(decode(state, &arp, LINK_ETHERNET, &packet), PACKET_OTHER);
    assert_int_equal(decode(state, &version, LINK_RAW, &packet), PACKET_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(every_link_type_leads_to_the_same_packet),
        TEST(only_these_link_types_are_known),
        TEST(vlan_tags_are_passed_over),
        TEST(the_links_padding_is_no_payload),
        TEST(a_length_of_0_means_all_that_was_on_the_wire),
        TEST(extension_headers_of_ipv6_are_passed_over),
        TEST(fragments_of_ipv4_are_put_together),
        TEST(fragments_of_ipv6_are_put_together),
        TEST(tunnels_show_their_inner_packet),
        TEST(tunnels_in_tunnels_have_an_end),
        TEST(other_datagrams_at_a_tunnels_port_are_datagrams),
        TEST(what_was_not_captured_still_has_its_length),
        TEST(a_packet_cut_anywhere_is_a_cut_packet),
        TEST(lengths_that_contradict_each_other_are_malformed),
        TEST(what_is_neither_tcp_nor_udp_is_other),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
