/* SPDX-License-Identifier: Apache-2.0 */
/* The contract stands in session.h. */
#include "session.h"

/* Into `target`, with copies of the values: the state that they may lie in changes. */
static void add(struct session *session, struct message *target, const struct message *message)
{
    if (message->kind != MESSAGE_PART)
        *target = (struct message){.kind = message->kind};
    target->flags |= message->flags;
    if (message->code)
        target->code = message->code;
    for (unsigned i = 0; i < message->n_fields; i++)
        message_add(target, message->fields[i].id,
                    arena_copy(&session->arena, message->fields[i].value));
}

bool session_feed(struct session *session, enum sender sender, struct bytes bytes)
{
    if (!session->arena.base)
        session->arena = arena_over(session->memory, sizeof(session->memory));
    while (bytes.len) {
        struct parse_input input = {sender, false, bytes};
        struct message message;
        struct parse_result result = postgres_parse(&session->postgres, &input, &message);

        if (result.status == PARSE_BAD || result.status == PARSE_MORE)
            return false;
        bytes = bytes_skip(bytes, result.used + (size_t)result.skip);
        if (result.status == PARSE_NONE)
            continue;
        session->n_messages++;
        session->flags = message.flags;
        if (sender == SENDER_CLIENT)
            add(session, &session->request, &message);
        else if (message.kind == MESSAGE_REQUEST)
            add(session, &session->pushed, &message);
        else
            add(session, &session->response, &message);
    }
    return true;
}
