/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every protocol must prove, from conversations that its mirror in tests/ brings along:
 *
 *   client  [GET /a HTTP/1.1 ..][GET /b ...]          one fixture: chunks, in the order in which
 *   server                        [HTTP/1.1 200 ...]  they were captured
 *
 * Each property takes all conversations of a fixture. driver.h checks every single call on the way.
 */
#pragma once

#include "driver.h"

struct chunk {
    enum sender sender;
    struct bytes bytes;
};

/* Whole messages only, beginning with the first bytes of a connection, sent by the client. */
struct conversation {
    const char *name;
    bool datagrams;      /* each chunk is one */
    bool fragile;        /* several requests are open at once: behind a gap they may be confused */
    unsigned n_messages; /* that a parser must find in it */
    unsigned n_chunks;
    const struct chunk *chunks;
};

struct fixture {
    const struct protocol *protocol;
    const struct conversation *conversations;
    size_t n_conversations;
    bool answers_prove_nothing; /* a server's first bytes may be anybody's: probe says no to them */
};

#define CLIENT(text) {SENDER_CLIENT, {(const uint8_t *)("" text), sizeof(text) - 1}}
#define SERVER(text) {SENDER_SERVER, {(const uint8_t *)("" text), sizeof(text) - 1}}
#define CONVERSATION(title, messages, ...)                                                         \
    {.name = title, .n_messages = messages, CHUNKS(__VA_ARGS__)}
#define FRAGILE_CONVERSATION(title, messages, ...)                                                 \
    {.name = title, .fragile = true, .n_messages = messages, CHUNKS(__VA_ARGS__)}
#define DATAGRAM_CONVERSATION(title, messages, ...)                                                \
    {.name = title, .datagrams = true, .n_messages = messages, CHUNKS(__VA_ARGS__)}
#define CHUNKS(...)                                                                                \
    .n_chunks = sizeof((const struct chunk[]){__VA_ARGS__}) / sizeof(struct chunk),                \
    .chunks = (const struct chunk[]){__VA_ARGS__}

void harness_finds_the_messages(const struct fixture *fixture);
void harness_probe_knows_the_sender(const struct fixture *fixture);
void harness_is_deterministic(const struct fixture *fixture);
void harness_is_split_invariant(const struct fixture *fixture);
void harness_survives_every_truncation(const struct fixture *fixture);
void harness_finds_messages_behind_garbage(const struct fixture *fixture);
void harness_datagrams_stand_alone(const struct fixture *fixture);
void harness_survives_damage(const struct fixture *fixture);
