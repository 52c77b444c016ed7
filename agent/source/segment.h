/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP segments of a capture to the events of connections: each direction in the order of its bytes,
 * whatever order, repetition or loss the segments came with.
 *
 *   segments  [1000..1500) [2000..2500) [1000..1500) [1500..2000)
 *   events    [1000..1500)                           [1500..2000) [2000..2500)
 *                           held          repeated    fills the hole
 *
 * A segment has its turn when the bytes in front of it were delivered, and those of the other
 * direction that its sender had received: no answer comes before what it answers.
 *
 * A hole is waited for, since the receiver will ask for it again. It is a loss of the capture, and
 * a gap in the events, when the receiver has acknowledged it and it did not come soon after, when
 * too much is held for it, or when the connection ends.
 *
 * Events are told from the server's side (RFC 9293 section 3.5: who is sent the first SYN): DIR_IN
 * is what the client sends. Where the connection's beginning is not in the capture, the port tells.
 */
#pragma once

#include "base/counters.h"
#include "source/packet.h"

struct segments;

struct segments_options {
    size_t max_connections;
    size_t max_held; /* bytes of segments, of all connections, that wait for an earlier one */
    struct counters *counters;
    void (*deliver)(void *arg, const struct event *event);
    bool (*is_own)(void *arg, const struct packet *packet); /* the agent's traffic? May be NULL */
    void *arg;
};

/* Returns 0 or -ENOMEM. */
int segments_new(const struct segments_options *options, struct segments **ret_segments);
void segments_free(struct segments *segments); /* NULL is fine; what is held is dropped */

/* A packet with PACKET_OK and TCP. Delivers what has its turn by it. */
void segments_add(struct segments *segments, const struct packet *packet, uint64_t time_ns);

/* Time has passed without a packet: gives up the holes that the receiver does not have. */
void segments_advance(struct segments *segments, uint64_t time_ns);

/* Nothing more will come: what is held is delivered behind its holes. */
void segments_flush(struct segments *segments, uint64_t time_ns);
