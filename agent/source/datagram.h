/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UDP datagrams of a capture to events. Nothing is remembered between them: an endpoint pair is a
 * connection, and each event brings its facts, as those of the kernel side do.
 */
#pragma once

#include "source/packet.h"

/* An event and what it points to. */
struct datagram_event {
    struct event event;
    struct connection_facts facts;
};

/*
 * A packet with PACKET_OK and UDP, told from the server's side: of a group's or the lower port's.
 * The datagram's bytes are not copied. `position`: unlike any other datagram's of the run.
 */
void datagram_to_event(const struct packet *packet, uint64_t time_ns, uint64_t position,
                       struct datagram_event *ret_event);
