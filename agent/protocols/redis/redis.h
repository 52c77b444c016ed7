/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Redis (RESP2, RESP3): what the files of this folder share.
 *
 *   resp     the first line of a value      command   what the commands' names tell
 *   request  the client's bytes             reply     the server's
 *   sync     probe and resync               describe  messages -> span attributes
 *
 * Requests are answered in their order. A message is read as a number of values that are still to
 * come, whatever their nesting: an aggregate adds its own to that number.
 *
 *   client   *2  $3 GET  $1 k       *2  $9 SUBSCRIBE  $1 c
 *   server         $5 hello               *3 subscribe c :1      *3 message c hi
 *                                         (the answer)          (a one-way request of the server's)
 */
#pragma once

#include "protocols/protocol.h"
#include "protocols/redis/command.h"
#include "protocols/redis/resp.h"

#define REDIS_WAIT_MAX 512  /* a longer payload is passed over, not waited for */
#define REDIS_ARGUMENTS 8   /* so many words of a request are waited for together */
#define REDIS_SPECIALS 6    /* requests whose answer means something, open at once */
#define REDIS_DB_DIGITS 5

enum redis_field {
    REDIS_FIELD_NAME = FIELD_PROTOCOL,
    REDIS_FIELD_KEYWORD,  /* the second word of a container command */
    REDIS_FIELD_CHANNEL,
    REDIS_FIELD_DATABASE, /* digits: the index, where a SELECT told it */
    REDIS_FIELD_PUSH,     /* the kind of a message that the server sent unasked */
    REDIS_FIELD_ERROR,    /* the first word of an error, */
    REDIS_FIELD_SLOT,     /* and of a redirection the slot */
    REDIS_FIELD_ADDRESS,  /* and the node */
};

/* A request whose answer changes the connection. */
struct redis_special {
    uint32_t request; /* its number */
    uint16_t kind;    /* enum command_kind */
    uint16_t n;       /* SELECT: the index; SUBSCRIBE: channels; UNSUBSCRIBE: channels, 0: all */
};

/* What the values that are still to come belong to. */
enum redis_pending { REDIS_MESSAGE, REDIS_IGNORED };

/* request->code: its words. response->code: the values of an aggregate at the top. */
struct redis_state {
    uint32_t left[2];       /* values still to come of the message being read, by enum sender */
    uint8_t pending[2];     /* enum redis_pending */
    uint8_t silent;         /* CLIENT REPLY OFF */
    uint8_t skip_next;      /* CLIENT REPLY SKIP: the next request gets no answer either */
    uint8_t subscribed;     /* arrays may be messages */
    uint8_t n_specials;
    uint8_t database_len;   /* 0: not known */
    char database[REDIS_DB_DIGITS];
    uint32_t requests;      /* since nothing was open the last time */
    uint32_t responses;
    uint32_t acks_left;     /* further answers to the last (un)subscribe; UINT32_MAX: any number */
    struct redis_special specials[REDIS_SPECIALS];
};

extern const struct protocol redis_protocol;

enum probe_result redis_probe(struct bytes data, enum delivery delivery);
struct parse_result redis_parse(void *state, const struct parse_input *input,
                                struct message *ret_message);
size_t redis_resync(void *state, const struct parse_input *input);
void redis_describe(const struct message *request, const struct message *response,
                    struct span *span);

/* request.c, reply.c: the two directions of redis_parse. The data are not empty. */
struct parse_result redis_parse_request(struct redis_state *redis, const struct parse_input *input,
                                        struct message *ret_message);
struct parse_result redis_parse_reply(struct redis_state *redis, const struct parse_input *input,
                                      struct message *ret_message);

/*
 * redis.c: the values that are still to come of the sender's message. Its last one gives a
 * MESSAGE_PART that ends it, unless the values are ignored.
 */
struct parse_result redis_parse_rest(struct redis_state *redis, const struct parse_input *input,
                                     struct message *ret_message);

/*
 * One value's first line at the start of `data`, and its payload where that is short.
 * RESP_FITS: *ret_len bytes are read, *ret_skip bytes behind them are a long payload. The payload
 * that was waited for is *ret_text, as is a scalar's text.
 */
enum resp_match redis_read_value(struct bytes data, struct resp_line *ret_line, size_t *ret_len,
                                 uint64_t *ret_skip, struct bytes *ret_text);

/* The answers of parse. */
static inline struct parse_result redis_bad(void)
{
    return (struct parse_result){.status = PARSE_BAD};
}

/* More bytes, please; BAD where there are none. */
static inline struct parse_result redis_more(const struct parse_input *input)
{
    if (input->cut)
        return redis_bad();
    return (struct parse_result){.status = PARSE_MORE, .need = input->data.len + 1};
}

static inline struct parse_result redis_none(size_t used, uint64_t skip)
{
    return (struct parse_result){.status = PARSE_NONE, .used = used, .skip = skip};
}
