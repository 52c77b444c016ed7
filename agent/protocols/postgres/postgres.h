/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PostgreSQL (protocol 3): what the files of this folder share.
 *
 *   frame   one message's bytes             statement  prepared statements, portals
 *   client  what the client sends           server     what the server sends
 *   sync    probe and resync                describe   messages -> span attributes
 *
 * One exchange is what one ReadyForQuery answers: a simple query, or everything up to a Sync, which
 * a client's library makes of one call or of a batch. Errors need no bookkeeping then: the server
 * skips what is left up to the Sync.
 *
 *   client  [Q select 1]      [P insert..][B][E][B][E][S]       code: 2 executions
 *   server     [T][D][C][Z]      [1][2][C][2][C][Z]
 *
 * Starting up is an exchange too: from the start-up packet to the first ReadyForQuery. Of passwords
 * and parameters' values nothing is looked at.
 */
#pragma once

#include "protocols/postgres/frame.h"
#include "protocols/postgres/statement.h"
#include "protocols/protocol.h"

#define POSTGRES_TEXT_MAX 3072 /* bytes of a statement that are waited for */
#define POSTGRES_NAME_MAX 512  /* bytes of the names in a Bind or Execute */
#define POSTGRES_TEXTS 4       /* different statements that are told of one exchange */
#define POSTGRES_DATABASE_MAX 63

enum postgres_field {
    POSTGRES_FIELD_TEXT = FIELD_PROTOCOL, /* a statement, as it was sent */
    POSTGRES_FIELD_TEXT_CUT, /* its beginning */
    POSTGRES_FIELD_UNKNOWN,  /* a statement was executed whose text is not known */
    POSTGRES_FIELD_MORE,     /* ... or has no room here */
    POSTGRES_FIELD_DATABASE,
    POSTGRES_FIELD_STARTUP, /* what the request is, where it is no statement: a mark */
    POSTGRES_FIELD_CANCEL,
    POSTGRES_FIELD_FUNCTION,
    POSTGRES_FIELD_CHANNEL, /* a notification's */
    POSTGRES_FIELD_TAG,     /* of the first command that is complete: "SELECT 5" */
    POSTGRES_FIELD_CODE,    /* of the first error: SQLSTATE */
};

/* request->code: executions. response->code: rows. */
struct postgres_state {
    bool negotiating; /* the next byte of the server answers a request for encryption */
    bool starting;    /* an error ends the exchange */
    bool in_group;    /* behind the first message of an extended query, before its Sync */
    bool answering;   /* behind the first message of an answer, before ReadyForQuery */
    bool tag_told, code_told;
    bool unknown_told, more_told;
    uint8_t texts;         /* told of the group */
    uint8_t database_len;
    uint32_t executions;   /* in the group */
    uint64_t statement;    /* the group's last one that was told, */
    uint64_t text;         /* and the hash of its text */
    uint64_t rows;
    char database[POSTGRES_DATABASE_MAX];
    struct statements statements;
};

extern const struct protocol postgres_protocol;

enum probe_result postgres_probe(struct bytes data, enum delivery delivery);
struct parse_result postgres_parse(void *state, const struct parse_input *input,
                                   struct message *ret_message);
size_t postgres_resync(void *state, const struct parse_input *input);
void postgres_describe(const struct message *request, const struct message *response,
                       struct span *span);

/* client.c, server.c: the two directions of postgres_parse. */
struct parse_result postgres_parse_client(struct postgres_state *postgres,
                                          const struct parse_input *input,
                                          struct message *ret_message);
struct parse_result postgres_parse_server(struct postgres_state *postgres,
                                          const struct parse_input *input,
                                          struct message *ret_message);

/* postgres.c: the message of a frame, without fields; what is not in `used` is skipped. */
struct parse_result postgres_give(const struct frame *frame, struct bytes data,
                                  enum message_kind kind, unsigned flags,
                                  struct message *ret_message);
struct parse_result postgres_pass(const struct frame *frame);
struct parse_result postgres_refuse(enum frame_match match, const struct parse_input *input);
