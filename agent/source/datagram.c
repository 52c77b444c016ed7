/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams of a capture; the contract stands in datagram.h. */
#include "source/datagram.h"

#define OF_DATAGRAMS (UINT64_C(1) << 63) /* ids of TCP connections are counted from 1 on */

/* RFC 5771, RFC 4291 section 2.7. */
static bool is_group(const struct endpoint *endpoint)
{
    static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

    if (memcmp(endpoint->address, v4_prefix, sizeof(v4_prefix)) == 0)
        return endpoint->address[12] >> 4 == 14;
    return endpoint->address[0] == 0xff;
}

/* Where the ports are the same any order will do, if it is the same for both directions. */
static bool is_from_server(const struct packet *packet)
{
    const struct endpoint *source = &packet->source, *destination = &packet->destination;

    if (is_group(destination))
        return false;
    if (source->port != destination->port)
        return source->port < destination->port;
    return memcmp(source->address, destination->address, sizeof(source->address)) < 0;
}

void datagram_to_event(const struct packet *packet, uint64_t time_ns, uint64_t position,
                       struct datagram_event *ret_event)
{
    bool from_server = is_from_server(packet);
    const struct endpoint *server = from_server ? &packet->source : &packet->destination;
    const struct endpoint *client = from_server ? &packet->destination : &packet->source;
    struct exec_context exec = endpoint_exec(server);

    ret_event->facts = (struct connection_facts){
        .local = *server,
        .remote = *client,
        .passive = true,
        .transport = TRANSPORT_UDP,
    };
    ret_event->event = (struct event){
        .kind = EVENT_DATA,
        .dir = from_server ? DIR_OUT : DIR_IN,
        .time_ns = time_ns,
        .connection = OF_DATAGRAMS | hash_pair(exec.process_start_ns,
                                               endpoint_exec(client).process_start_ns),
        .exec = exec,
        .position = position,
        .length = packet->length,
        .data = bytes_slice(packet->payload, 0, CAPTURE_HEAD_MAX),
        .connection_facts = &ret_event->facts,
    };
}
