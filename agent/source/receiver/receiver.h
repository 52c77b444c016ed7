/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What programs of this host wish to say themselves: spans of SDKs and business events, taken in on
 * local sockets, by one thread with one epoll, beside the source that watches the kernel.
 *
 *   UNIX stream, loopback TCP --HTTP--.
 *   UNIX stream --lines---------------+--> span bytes --> batch --> take_batch (the exporters)
 *   UNIX datagram --------------------'
 *
 * Accepted means exported or counted: a span is counted when it is in a batch, and a batch is
 * always given on. While no exporter has room, who can be told to come again is told so.
 *
 * Bounded: RECEIVER_CLIENTS_MAX connections on each socket, of them RECEIVER_CLIENTS_PER_PROCESS of
 * one process; receivers.message_max bytes of one message, receivers.memory of all that are under
 * way. Each turn of the loop reads from everybody once, so no client waits for another's flood. Who
 * finishes no request for RECEIVER_PROGRESS_NS is cut off.
 */
#pragma once

#include "base/counters.h"
#include "config/settings.h"
#include "enrich/said.h"
#include "otlp/batch.h"

#define RECEIVER_CLIENTS_MAX 256
#define RECEIVER_CLIENTS_PER_PROCESS 64
#define RECEIVER_IDLE_SECONDS 60
#define RECEIVER_PROGRESS_NS UINT64_C(90000000000)
#define RECEIVER_RETRY_SECONDS 1 /* after which a client that was told so may come again */

/* In receivers.directory. */
#define RECEIVER_HTTP_SOCKET "http.sock"
#define RECEIVER_LINES_SOCKET "events.sock"
#define RECEIVER_DATAGRAM_SOCKET "events.dgram"

/* All functions are called on the receiver's thread; what is pointed to must outlive it. */
struct receiver_options {
    const struct settings *settings;
    const struct said *configured, *agent; /* what is said of every resource, or NULL */
    struct counters *counters; /* only those that are called received_* are written */
    bool (*has_room)(void *arg, size_t bytes); /* has an exporter room for so much? */
    void (*take_batch)(void *arg, struct batch *batch); /* refers to it for the call only */
    void *arg;
};

struct receiver;

/*
 * Opens what the settings name and starts the thread; *ret_receiver is NULL where they name
 * nothing. Logs what failed. Returns 0 or a negative errno.
 */
int receiver_start(const struct receiver_options *options, struct receiver **ret_receiver);

/* Ends the thread, gives the last batch on, and removes the sockets. NULL is fine. */
void receiver_stop(struct receiver *receiver);

/* The port of receivers.http: what the kernel chose where the setting said 0; 0: none. */
uint16_t receiver_port(const struct receiver *receiver);
