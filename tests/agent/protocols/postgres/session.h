/* SPDX-License-Identifier: Apache-2.0 */
/* A connection for the tests of this folder: it takes bytes and keeps the last messages. */
#pragma once

#include "protocols/postgres/postgres.h"

#include "base/arena.h"

#include "wire.h"

struct session {
    struct postgres_state postgres;
    struct message request, response; /* as track collects them: parts add to them */
    struct message pushed;            /* the last request of the server's */
    unsigned n_messages;
    unsigned flags;      /* of the last message */
    uint8_t memory[65536];
    struct arena arena;
};

/* Parses all of the bytes; false where something is BAD or left over. */
bool session_feed(struct session *session, enum sender sender, struct bytes bytes);

static inline bool session_ask(struct session *session, struct bytes bytes)
{
    return session_feed(session, SENDER_CLIENT, bytes);
}

static inline bool session_answer(struct session *session, struct bytes bytes)
{
    return session_feed(session, SENDER_SERVER, bytes);
}
