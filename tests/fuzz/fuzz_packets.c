/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fuzz target for captures: packets through the layers and the reassembly of TCP. The input:
 *
 *   [link type][wire bytes beyond those captured][length:2][bytes] ...
 *
 * Whatever comes, every event must lie behind the one before it in its direction, and every packet
 * must have been counted once.
 */
#include "source/segment.h"

#include "base/macro.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define N_CONNECTIONS 64 /* whose order is checked */

struct capture {
    struct counters counters;
    struct fragments *fragments;
    struct segments *segments;
    uint64_t now_ns;
    uint64_t next[N_CONNECTIONS][2];
};

static void on_event(void *arg, const struct event *event)
{
    struct capture *capture = arg;
    uint64_t *next = &capture->next[event->connection % N_CONNECTIONS][event->dir];

    if (event->kind != EVENT_DATA)
        return;
    assert(event->length > 0 && event->data.len <= event->length);
    if (event->connection < N_CONNECTIONS) {
        assert(event->position >= *next);
        *next = event->position + event->length;
    }
}

static void feed(struct capture *capture, struct reader *reader)
{
    static const int links[] = {LINK_NULL, LINK_ETHERNET, LINK_RAW, LINK_LINUX_SLL,
                                LINK_LINUX_SLL2, LINK_IPV6};
    int link = links[reader_u8(reader) % ELEMENTSOF(links)];
    size_t beyond = reader_u8(reader);
    size_t wanted = reader_be16(reader), left = reader_left(reader);
    struct bytes bytes = reader_take(reader, MIN(wanted, left));
    uint8_t *exact = malloc(bytes.len ?: 1);
    struct packet packet;

    if (bytes.len)
        memcpy(exact, bytes.ptr, bytes.len);
    capture->now_ns += 10000000;
    if (packet_decode(capture->fragments, link, bytes_make(exact, bytes.len), bytes.len + beyond,
                      &packet) == PACKET_OK &&
        packet.transport == IPPROTO_TCP) {
        counters_add(&capture->counters, COUNTER_packets, 1);
        segments_add(capture->segments, &packet, capture->now_ns);
    }
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader reader = reader_make(bytes_make(data, size));
    struct capture capture = {0};
    struct segments_options options = {
        .max_connections = 8,
        .max_held = 1 << 14,
        .counters = &capture.counters,
        .deliver = on_event,
        .arg = &capture,
    };

    if (fragments_new(&capture.fragments) < 0 || segments_new(&options, &capture.segments) < 0)
        abort();
    while (reader_left(&reader) >= 4)
        feed(&capture, &reader);
    segments_flush(capture.segments, capture.now_ns);
    assert(counters_sum(&capture.counters, COUNTER_PACKETS) ==
           counters_sum(&capture.counters, COUNTER_PACKET_USED));
    segments_free(capture.segments);
    fragments_free(capture.fragments);
    return 0;
}
