/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which connection does a TLS session's clear text belong to, where the program moves the cipher
 * text itself (memory BIOs: Python's asyncio, Node)? No socket operation is nested in a TLS call
 * then, so that the kernel side cannot tell, and the two are joined by votes:
 *
 *   thread:   receive on C     TLS call on S      ...      TLS call on S     send on C
 *                  '---- S reads what C received            '---- C sends what S wrote
 *
 * S is C's when a receive and a send have said so, with three votes in all, and eight times those
 * for any other connection. The first vote counts twice where both are new. So every handshake has
 * them before the first clear byte; what comes earlier on connections that are older than the agent
 * is dropped and counted, never guessed.
 *
 * No system call, no clock: events in, events out. Bounded tables; the least recently used goes.
 */
#pragma once

#include "base/counters.h"
#include "bpf/record.h"
#include "span/event.h"

struct tls_join;

struct tls_join_options {
    size_t max_connections;
    size_t max_sessions;
    struct counters *counters;
    void (*set_verdict)(void *arg, uint64_t id, enum ft_verdict_kind kind, uint32_t head);

    /* Nobody's clear text was seen on a TLS connection of this process. */
    void (*untraceable)(void *arg, uint32_t tgid, const char *comm);

    /* One operation of a connection that is to be joined: it is not delivered. */
    void (*cipher_text)(void *arg, const struct event *event);
    void *arg;
};

int tls_join_new(const struct tls_join_options *options, struct tls_join **ret_join);
void tls_join_free(struct tls_join *join); /* NULL is fine */

/*
 * One record of the ring as an event. True: it is to be delivered, as it has become; its facts then
 * live until the next call. False: it is taken, and counted where it is an operation.
 */
bool tls_join_take(struct tls_join *join, enum ft_kind kind, struct event *event);

/* What the core wants of a connection; false: of none that is joined here, tell the kernel. */
bool tls_join_set_verdict(struct tls_join *join, uint64_t connection, struct verdict verdict);
