/* SPDX-License-Identifier: Apache-2.0 */
/* The helpers of frames.h. */
#include "frames.h"

#include "base/macro.h"

#include <stdlib.h>

void wire_raw(struct wire *wire, struct bytes bytes)
{
    if (bytes.len > WIRE_SIZE - wire->len)
        abort();
    if (bytes.len)
        memcpy(wire->bytes + wire->len, bytes.ptr, bytes.len);
    wire->len += bytes.len;
}

void wire_frame(struct wire *wire, enum frame_type type, unsigned flags, uint32_t stream,
                struct bytes payload)
{
    const uint8_t head[] = {
        (uint8_t)(payload.len >> 16), (uint8_t)(payload.len >> 8), (uint8_t)payload.len,
        (uint8_t)type, (uint8_t)flags, (uint8_t)(stream >> 24), (uint8_t)(stream >> 16),
        (uint8_t)(stream >> 8), (uint8_t)stream,
    };

    wire_raw(wire, bytes_make(head, sizeof(head)));
    wire_raw(wire, payload);
}

/* The fields' values move to memory that stays. */
static void keep(struct feeder *feeder, struct message *message)
{
    struct arena arena = arena_over(feeder->memory + feeder->memory_used,
                                    sizeof(feeder->memory) - feeder->memory_used);

    for (unsigned i = 0; i < message->n_fields; i++)
        message->fields[i].value = arena_copy(&arena, message->fields[i].value);
    feeder->memory_used += arena.used;
    if (feeder->n < MESSAGES_MAX)
        feeder->messages[feeder->n++] = *message;
}

void feeder_feed(struct feeder *feeder, enum sender sender, struct wire *wire, bool cut)
{
    static uint8_t scratch_memory[SCRATCH_SIZE];
    size_t at = 0;

    feeder->n = 0;
    feeder->memory_used = 0;
    feeder->end = PARSE_NONE;
    while (at < wire->len && (feeder->end == PARSE_NONE || feeder->end == PARSE_MESSAGE)) {
        struct arena scratch = arena_over(scratch_memory, SCRATCH_SIZE);
        struct parse_input input = {sender, cut, bytes_make(wire->bytes + at, wire->len - at),
                                    &scratch};
        struct message message = {0};
        struct parse_result result = http2_parse(&feeder->state, &input, &message);

        feeder->end = result.status;
        if (result.status == PARSE_MESSAGE)
            keep(feeder, &message);
        if (result.status == PARSE_MESSAGE || result.status == PARSE_NONE)
            at += result.used + (size_t)result.skip;
    }
    feeder->used = at;
    wire->len = 0;
}
