/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a protocol is to the agent: bytes of one connection in, messages out, and a description of a
 * request and its response as span attributes. All of it is pure: no I/O, clock, allocation,
 * globals or logging, and results point into the input, the parser's state or the scratch arena.
 *
 *   stream of one direction:   [head][....body....][head][..
 *                              ^     ^
 *                              |     '-- skip: passed over without being looked at or captured
 *                              '-- used: what the parser consumed
 *
 * track/ owns the bytes: it calls `probe` with the first bytes of a connection until one protocol
 * says yes, then `parse` again and again, and `resync` behind a gap or garbage. A parser sees the
 * two directions of a connection apart, in the order in which they were captured.
 *
 * Properties that tests/agent/protocols/harness.h proves for every parser: it never reads past the
 * end; used <= len; it always makes progress; the same bytes cut anywhere give the same messages;
 * a valid message behind garbage is found again, behind damage and a gap the next but one at the
 * latest; the same input gives the same output; no allocation.
 */
#pragma once

#include "base/bytes.h"
#include "span/context.h"
#include "span/event.h"
#include "span/span.h"

#define MESSAGE_FIELDS_MAX 28
#define SKIP_UNTIL_CLOSE UINT64_MAX
#define SCRATCH_SIZE 32768 /* bytes of parse_input.scratch */
#define PARSE_WINDOW 16384 /* so much of an unfinished message is kept: who wants more is cut */

/*
 * What the bytes are: a stretch of a stream, or all of one datagram, of which the end may be missing
 * where it was too long to be captured. Messages do not reach from one datagram into the next, and
 * the same one may come twice: a request with the `stream` of one that is open is that one again.
 */
enum delivery { DELIVERY_STREAM, DELIVERY_DATAGRAM };

/* Who sent the bytes: the side that opened the connection to ask, or the side that answers. */
enum sender { SENDER_CLIENT, SENDER_SERVER };

enum parse_status {
    PARSE_MESSAGE, /* *ret_message is set */
    PARSE_NONE,    /* progress (used or skip) without a message */
    PARSE_MORE,    /* the bytes end too early: come again with at least `need` bytes */
    PARSE_BAD,     /* not this protocol, or a broken message: resync behind its first byte */
};

struct parse_result {
    enum parse_status status;
    size_t used;   /* bytes consumed, <= the input's length; 0 with MORE */
    uint64_t skip; /* bytes behind `used` that nobody needs to see, or SKIP_UNTIL_CLOSE */
    size_t need;   /* MORE: total bytes wanted, a hint, > the input's length */
    struct {       /* MORE, of PARSE_WINDOW bytes and more: a part of them that need not be there */
        size_t at; /* when they come again, so that a long head that says little is not cut; */
        size_t len; /* 0: none */
    } spare;
};

enum message_kind {
    MESSAGE_REQUEST,  /* of a server too, if ONE_WAY: what it sends unasked */
    MESSAGE_RESPONSE,
    MESSAGE_PART, /* more of the message last begun on `stream` by this sender: its end, trailers */
};

enum message_flags {
    MESSAGE_ENDS = 1 << 0,      /* complete once `skip` has passed */
    MESSAGE_INTERIM = 1 << 1,   /* a response that another one follows (HTTP 1xx) */
    MESSAGE_TRUNCATED = 1 << 2, /* the head was cut: fields may be missing */
    MESSAGE_LAST = 1 << 3,      /* the connection speaks something else from here on */
    MESSAGE_ONE_WAY = 1 << 4,   /* a request that gets no response */
    MESSAGE_OVER = 1 << 5,      /* with ENDS: the exchange is over, whoever says so */
    MESSAGE_SECURE = 1 << 6,    /* a request, set by track: it was encrypted on the way */
};

/*
 * A field below FIELD_PROTOCOL has the number of an enum context_name and the value that came under
 * it, unread: whatever carries names looks them up by context_name_of. A protocol numbers its own
 * fields from FIELD_PROTOCOL.
 */
enum field_id { FIELD_PROTOCOL = 32 };
_Static_assert((int)CONTEXT_NAME_COUNT <= (int)FIELD_PROTOCOL, "a field for every context name");

struct field {
    uint16_t id;
    struct bytes value;
};

/* The fields are what `describe` will need: track copies them, in order, and frees the rest. */
struct message {
    enum message_kind kind;
    unsigned flags;  /* enum message_flags */
    uint64_t stream; /* correlation id; 0 throughout: first in, first out */
    int64_t code;    /* the protocol's result code (HTTP status), or 0 */
    struct bytes head;
    /*
     * With LAST: the token of what is spoken from here on (an HTTP upgrade token), or empty. Where
     * a protocol has it and the message is INTERIM, the request is answered there, on `stream`.
     */
    struct bytes successor;
    unsigned n_fields;
    struct field fields[MESSAGE_FIELDS_MAX];
};

struct parse_input {
    enum sender sender;
    /*
     * The bytes behind `data` are lost: say what is known (TRUNCATED) or BAD, not MORE. Also without
     * any data: a parser that knows how much is left of what it is in skips that.
     */
    bool cut;
    struct bytes data;
    struct arena *scratch; /* SCRATCH_SIZE bytes, empty: for what must be decoded to be read */
    enum delivery delivery;  /* of datagrams `cut` is always set: nothing comes behind one */
    const struct endpoint *source; /* of a datagram over IP, where both are known, else NULL: */
    const struct endpoint *destination; /* it may go to a group, or its port may say more */
};

enum probe_result {
    PROBE_NO,
    PROBE_MORE,   /* a beginning that fits: come again with more bytes */
    PROBE_CLIENT, /* these bytes were sent by a client */
    PROBE_SERVER, /* ... by a server */
    PROBE_FIRST,  /* ... by a client, if they are the first bytes of a new connection; else NO */
};

struct protocol_traits {
    size_t state_size;   /* bytes of parser state per connection, zeroed, for both directions */
    size_t capture_head; /* bytes per message that the parser wishes to see, 0: the default */
    const char *token;   /* by which a message names it as its successor, or NULL */
};

struct protocol {
    const char *name; /* network.protocol.name */
    struct protocol_traits traits;

    /* Do these first bytes of one direction look like this protocol, and who sent them? */
    enum probe_result (*probe)(struct bytes data, enum delivery delivery);

    /* The next step in the sender's direction. ret_message is written with PARSE_MESSAGE only. */
    struct parse_result (*parse)(void *state, const struct parse_input *input,
                                 struct message *ret_message);

    /*
     * Forgets the unfinished message of input->sender and returns the offset of the next plausible
     * message start, or input->data.len where there is none (track then keeps nothing).
     */
    size_t (*resync)(void *state, const struct parse_input *input);

    /*
     * Names, kind-specific status and attributes of the exchange, network.protocol.* included.
     * span->kind, times, network.peer.* and network.transport are set before; a kind CLIENT may
     * become PRODUCER, SERVER may become CONSUMER. `response` is NULL where none was seen. New
     * strings go to span->arena, the others point into the messages.
     * Redaction is not done here: policy/ sees every span after this.
     */
    void (*describe)(const struct message *request, const struct message *response,
                     struct span *span);
};

/* The field's value, or an empty one with a NULL pointer. */
static inline struct bytes message_field(const struct message *message, unsigned id)
{
    for (unsigned i = 0; i < message->n_fields; i++)
        if (message->fields[i].id == id)
            return message->fields[i].value;
    return BYTES_NULL;
}

/* Sets all of a message that a parser gives out, which has no fields yet. */
static inline void message_start(struct message *message, enum message_kind kind, unsigned flags,
                                 struct bytes head)
{
    message->kind = kind;
    message->flags = flags;
    message->stream = 0;
    message->code = 0;
    message->head = head;
    message->successor = BYTES_NULL;
    message->n_fields = 0;
}

/* False where the message has no room left: the field is then left out. */
static inline bool message_add(struct message *message, unsigned id, struct bytes value)
{
    if (message->n_fields == MESSAGE_FIELDS_MAX)
        return false;
    message->fields[message->n_fields++] = (struct field){(uint16_t)id, value};
    return true;
}

/* All protocols of this build, NULL-terminated, in the order in which they are probed. */
extern const struct protocol *const protocols[];
