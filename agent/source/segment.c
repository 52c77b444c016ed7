/* SPDX-License-Identifier: Apache-2.0 */
/* Reassembly of TCP; the picture stands in segment.h. */
#include "source/segment.h"

#include "base/hash.h"
#include "base/list.h"
#include "base/macro.h"
#include "base/pool.h"
#include "base/table.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#define EPHEMERAL_PORT 32768  /* clients' ports begin here on Linux */
#define HELD_PER_HALF 256     /* segments */
#define HOLE_WAIT_NS 100000000 /* for what was received, but not captured yet */

/* A segment whose turn has not come. */
struct held {
    struct held *next; /* by position */
    uint64_t time_ns;
    uint64_t position;
    uint64_t after; /* bytes of the other direction that its sender had received: up to here */
    uint32_t length;
    uint32_t captured;
    uint8_t data[];
};

/* One direction. Positions are sequence numbers extended to 64 bits. */
struct half {
    bool started;   /* `next` is valid */
    bool has_start; /* `start` is: the SYN was seen */
    bool ended;     /* a FIN was seen, at position `end` */
    uint64_t start; /* of the first byte */
    uint64_t next;  /* of the next byte to deliver */
    uint64_t end;
    uint64_t acknowledged; /* by the other side, as far as it was seen */
    struct held *held;
    size_t n_held;
};

struct conversation {
    struct table_link link;
    struct list lru;
    struct list holes;      /* by hole_since_ns */
    uint64_t hole_since_ns; /* in either half */
    uint64_t id;
    struct endpoint client;
    struct endpoint server;
    bool own; /* the agent's: nothing of it is delivered */
    bool introduced;
    bool closed;
    struct half halves[2]; /* by enum direction, from the server's side */
};

struct segments {
    struct segments_options options;
    struct table table;
    struct pool pool;
    struct list lru;
    struct list holes;
    uint64_t ids;
    size_t held;
};

/* ---- delivering ------------------------------------------------------------------------------ */

static void introduce(struct conversation *conversation, struct event *event,
                      struct connection_facts *facts)
{
    const struct half *in = &conversation->halves[DIR_IN], *out = &conversation->halves[DIR_OUT];

    *facts = (struct connection_facts){
        .local = conversation->server,
        .remote = conversation->client,
        .starts = {[DIR_IN] = in->start, [DIR_OUT] = out->start},
        .has_starts = in->has_start && out->has_start,
        .passive = true,
        .transport = TRANSPORT_TCP,
    };
    event->connection_facts = facts;
    conversation->introduced = true;
}

/* No event carries more bytes than an operation's capture does: a large segment is several. */
static void deliver(struct segments *segments, struct conversation *conversation,
                    enum direction dir, uint32_t length, struct bytes data, uint64_t time_ns)
{
    struct half *half = &conversation->halves[dir];

    while (length) {
        uint32_t part = data.len > CAPTURE_HEAD_MAX ? CAPTURE_HEAD_MAX : length;
        struct connection_facts facts;
        struct event event = {
            .kind = EVENT_DATA,
            .dir = dir,
            .time_ns = time_ns,
            .connection = conversation->id,
            .exec = endpoint_exec(&conversation->server),
            .position = half->next,
            .length = part,
            .data = bytes_slice(data, 0, part),
        };

        if (!conversation->introduced)
            introduce(conversation, &event, &facts);
        half->next += part;
        length -= part;
        data = bytes_skip(data, part);
        segments->options.deliver(segments->options.arg, &event);
    }
}

static void deliver_close(struct segments *segments, struct conversation *conversation,
                          uint64_t time_ns)
{
    struct event event = {
        .kind = EVENT_CLOSE,
        .time_ns = time_ns,
        .connection = conversation->id,
        .exec = endpoint_exec(&conversation->server),
    };

    if (conversation->introduced && !conversation->closed)
        segments->options.deliver(segments->options.arg, &event);
    conversation->closed = true;
}

/* ---- what is held ---------------------------------------------------------------------------- */

static struct held *take_first(struct segments *segments, struct half *half)
{
    struct held *first = half->held;

    half->held = first->next;
    half->n_held--;
    segments->held -= first->captured;
    return first;
}

/* All that its sender had received was delivered, or, behind a FIN, all there is. */
static bool is_answerable(const struct half *other, uint64_t after)
{
    return !other->started || other->next >= after ||
           (other->ended && other->next >= other->end);
}

static void deliver_held(struct segments *segments, struct conversation *conversation,
                         enum direction dir, struct held *held)
{
    struct half *half = &conversation->halves[dir];
    uint64_t known;

    half->next = MAX(half->next, held->position);
    known = half->next - held->position;
    if (known < held->length)
        deliver(segments, conversation, dir, held->length - (uint32_t)known,
                bytes_skip(bytes_make(held->data, held->captured), known), held->time_ns);
    free(held);
}

/* One held segment of this direction, if its turn has come. */
static bool release_one(struct segments *segments, struct conversation *conversation,
                        enum direction dir)
{
    struct half *half = &conversation->halves[dir];
    const struct held *first = half->held;

    if (!first || first->position > half->next ||
        !is_answerable(&conversation->halves[!dir], first->after))
        return false;
    deliver_held(segments, conversation, dir, take_first(segments, half));
    return true;
}

static void release(struct segments *segments, struct conversation *conversation)
{
    bool any;

    do {
        any = release_one(segments, conversation, DIR_IN);
        any |= release_one(segments, conversation, DIR_OUT);
    } while (any);
}

/* The direction whose first held segment came first; there must be one. */
static enum direction first_to_come(const struct conversation *conversation)
{
    const struct held *in = conversation->halves[DIR_IN].held;
    const struct held *out = conversation->halves[DIR_OUT].held;

    return out && (!in || out->time_ns < in->time_ns) ? DIR_OUT : DIR_IN;
}

/* Passes over the holes that this direction's first held segment waits for, and delivers it. */
static void force(struct segments *segments, struct conversation *conversation,
                  enum direction dir)
{
    struct half *half = &conversation->halves[dir], *other = &conversation->halves[!dir];
    struct held *first = take_first(segments, half);

    if (!is_answerable(other, first->after))
        other->next = first->after;
    deliver_held(segments, conversation, dir, first);
    release(segments, conversation);
}

static void force_all(struct segments *segments, struct conversation *conversation)
{
    while (conversation->halves[DIR_IN].held || conversation->halves[DIR_OUT].held)
        force(segments, conversation, first_to_come(conversation));
}

static void note_holes(struct segments *segments, struct conversation *conversation,
                       uint64_t time_ns)
{
    bool waits = conversation->halves[DIR_IN].held || conversation->halves[DIR_OUT].held;

    if (!waits) {
        list_remove(&conversation->holes);
    } else if (list_empty(&conversation->holes)) {
        conversation->hole_since_ns = time_ns;
        list_append(&segments->holes, &conversation->holes);
    }
}

/* Behind all that begin no later, so that what came first is used first. */
static void insert(struct half *half, struct held *held)
{
    struct held **slot = &half->held;

    while (*slot && (*slot)->position <= held->position)
        slot = &(*slot)->next;
    held->next = *slot;
    *slot = held;
    half->n_held++;
}

/* Keeps a segment for later. False: there is no room. */
static bool hold(struct segments *segments, struct half *half, const struct held *what,
                 const struct packet *packet)
{
    struct held *held;

    if (half->n_held == HELD_PER_HALF ||
        packet->payload.len > segments->options.max_held - segments->held)
        return false;
    held = malloc(sizeof(*held) + packet->payload.len);
    if (!held)
        return false;
    *held = *what;
    held->length = packet->length;
    held->captured = (uint32_t)packet->payload.len;
    if (held->captured)
        memcpy(held->data, packet->payload.ptr, held->captured);
    segments->held += held->captured;
    insert(half, held);
    return true;
}

/* ---- conversations --------------------------------------------------------------------------- */

static bool same_endpoint(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

static uint64_t endpoint_hash(const struct endpoint *endpoint)
{
    return endpoint_exec(endpoint).process_start_ns;
}

static uint64_t conversation_key(const struct packet *packet)
{
    return endpoint_hash(&packet->source) ^ endpoint_hash(&packet->destination);
}

static struct conversation *find(const struct segments *segments, const struct packet *packet)
{
    struct table_link *link = table_find(&segments->table, conversation_key(packet));

    for (; link; link = table_next(link)) {
        struct conversation *conversation = container_of(link, struct conversation, link);
        const struct endpoint *client = &conversation->client, *server = &conversation->server;

        if ((same_endpoint(client, &packet->source) &&
             same_endpoint(server, &packet->destination)) ||
            (same_endpoint(server, &packet->source) &&
             same_endpoint(client, &packet->destination)))
            return conversation;
    }
    return NULL;
}

static void forget(struct segments *segments, struct conversation *conversation, uint64_t time_ns)
{
    force_all(segments, conversation);
    deliver_close(segments, conversation, time_ns);
    table_remove(&segments->table, &conversation->link);
    list_remove(&conversation->lru);
    list_remove(&conversation->holes);
    pool_give(&segments->pool, conversation);
}

/* Was this packet sent by the server, as far as it alone can tell? */
static bool is_from_server(const struct packet *packet)
{
    if (packet->flags & TCP_FLAG_SYN)
        return packet->flags & TCP_FLAG_ACK;
    return packet->source.port < EPHEMERAL_PORT && packet->destination.port >= EPHEMERAL_PORT;
}

static struct conversation *make(struct segments *segments, const struct packet *packet,
                                 uint64_t time_ns)
{
    bool from_server = is_from_server(packet);
    struct conversation *conversation = pool_take(&segments->pool);

    if (!conversation) {
        forget(segments, container_of(segments->lru.next, struct conversation, lru), time_ns);
        conversation = pool_take(&segments->pool);
    }
    *conversation = (struct conversation){
        .id = ++segments->ids,
        .client = from_server ? packet->destination : packet->source,
        .server = from_server ? packet->source : packet->destination,
    };
    if (segments->options.is_own)
        conversation->own = segments->options.is_own(segments->options.arg, packet);
    list_init(&conversation->holes);
    list_init(&conversation->lru);
    list_append(&segments->lru, &conversation->lru);
    table_insert(&segments->table, conversation_key(packet), &conversation->link);
    return conversation;
}

/* A SYN of another beginning: the two endpoints are used again. */
static bool is_reused(const struct conversation *conversation, const struct packet *packet)
{
    const struct half *in = &conversation->halves[DIR_IN];

    if ((packet->flags & (TCP_FLAG_SYN | TCP_FLAG_ACK)) != TCP_FLAG_SYN)
        return false;
    return !in->has_start || (uint32_t)in->start != packet->sequence + 1;
}

/* NULL: a packet that tells nothing of a connection that is not known. */
static struct conversation *conversation_of(struct segments *segments, const struct packet *packet,
                                            uint64_t time_ns)
{
    struct conversation *conversation = find(segments, packet);

    if (conversation && is_reused(conversation, packet)) {
        forget(segments, conversation, time_ns);
        conversation = NULL;
    }
    if (conversation) {
        list_move_to_end(&segments->lru, &conversation->lru);
        return conversation;
    }
    if (packet->length == 0 && !(packet->flags & TCP_FLAG_SYN))
        return NULL;
    return make(segments, packet, time_ns);
}

/* ---- one segment ----------------------------------------------------------------------------- */

/* How far `sequence` lies behind the next byte's, modulo 2^32; negative: in front of it. */
static int32_t ahead_of(const struct half *half, uint32_t sequence)
{
    return (int32_t)(sequence - (uint32_t)half->next);
}

static void begin(struct half *half, uint64_t position)
{
    half->next = position;
    half->acknowledged = position;
    half->started = true;
}

static void take_syn(struct half *half, const struct packet *packet)
{
    if (half->started)
        return;
    half->start = (uint32_t)(packet->sequence + 1);
    half->has_start = true;
    begin(half, half->start);
}

static void take_acknowledgement(struct half *half, const struct packet *packet)
{
    int32_t ahead = ahead_of(half, packet->acknowledged);

    if (half->started && packet->flags & TCP_FLAG_ACK && ahead > 0)
        half->acknowledged = MAX(half->acknowledged, half->next + (uint32_t)ahead);
}

/* The position of what the packet acknowledges in the other direction. */
static uint64_t acknowledged_by(const struct packet *packet, const struct half *other)
{
    int32_t ahead = ahead_of(other, packet->acknowledged);

    return other->next + (packet->flags & TCP_FLAG_ACK && ahead > 0 ? (uint32_t)ahead : 0);
}

/* `ahead` > 0: a hole lies in front; < 0: so many of its bytes were delivered before. */
static void take_payload(struct segments *segments, struct conversation *conversation,
                         enum direction dir, int32_t ahead, const struct packet *packet,
                         uint64_t time_ns)
{
    struct half *half = &conversation->halves[dir], *other = &conversation->halves[!dir];
    uint64_t known = ahead < 0 ? (uint64_t)-(int64_t)ahead : 0;
    struct held held = {
        .time_ns = time_ns,
        .position = half->next + (ahead > 0 ? (uint64_t)ahead : 0),
        .after = acknowledged_by(packet, other),
    };

    if (known >= packet->length) {
        counters_add(segments->options.counters, COUNTER_packets_repeated, 1);
        return;
    }
    counters_add(segments->options.counters, COUNTER_packets_data, 1);
    if (ahead > 0 || !is_answerable(other, held.after)) {
        if (hold(segments, half, &held, packet))
            return;
        force_all(segments, conversation);
        half->next = MAX(half->next, held.position);
        known = half->next - held.position;
    }
    if (known < packet->length)
        deliver(segments, conversation, dir, packet->length - (uint32_t)known,
                bytes_skip(packet->payload, known), time_ns);
}

static bool is_over(const struct half *half)
{
    return half->ended && half->next >= half->end;
}

static void take_segment(struct segments *segments, struct conversation *conversation,
                         enum direction dir, const struct packet *packet, uint64_t time_ns)
{
    struct half *half = &conversation->halves[dir];
    uint32_t first = packet->sequence + !!(packet->flags & TCP_FLAG_SYN);
    int32_t ahead;

    if (packet->flags & TCP_FLAG_SYN)
        take_syn(half, packet);
    if (!half->started)
        begin(half, first);
    take_acknowledgement(&conversation->halves[!dir], packet);
    ahead = ahead_of(half, first);
    if (packet->flags & TCP_FLAG_FIN) {
        int64_t end = (int64_t)ahead + packet->length;

        half->ended = true;
        half->end = half->next + (end > 0 ? (uint64_t)end : 0);
    }
    if (packet->length)
        take_payload(segments, conversation, dir, ahead, packet, time_ns);
    else
        counters_add(segments->options.counters, COUNTER_packets_control, 1);
}

/* The receiver has what this direction waits for; the capture does not. */
static bool is_lost(const struct half *half)
{
    return half->held && (half->held->position <= half->next ||
                          half->acknowledged >= half->held->position);
}

static void give_up_holes(struct segments *segments, struct conversation *conversation)
{
    enum direction dir = first_to_come(conversation);

    if (!is_lost(&conversation->halves[dir]))
        dir = !dir;
    if (is_lost(&conversation->halves[dir]))
        force(segments, conversation, dir);
}

void segments_advance(struct segments *segments, uint64_t time_ns)
{
    while (!list_empty(&segments->holes)) {
        struct conversation *conversation =
            container_of(segments->holes.next, struct conversation, holes);

        if (conversation->hole_since_ns + HOLE_WAIT_NS > time_ns)
            return;
        give_up_holes(segments, conversation);
        /* What the receiver itself still waits for will come: look again later. */
        list_remove(&conversation->holes);
        note_holes(segments, conversation, time_ns);
    }
}

void segments_add(struct segments *segments, const struct packet *packet, uint64_t time_ns)
{
    struct conversation *conversation = conversation_of(segments, packet, time_ns);
    enum direction dir;

    if (!conversation || conversation->own) {
        counters_add(segments->options.counters,
                     conversation ? COUNTER_packets_own : COUNTER_packets_control, 1);
        return;
    }
    dir = same_endpoint(&packet->source, &conversation->server) ? DIR_OUT : DIR_IN;
    take_segment(segments, conversation, dir, packet, time_ns);
    release(segments, conversation);
    if (packet->flags & TCP_FLAG_RST)
        force_all(segments, conversation);
    note_holes(segments, conversation, time_ns);
    if (packet->flags & TCP_FLAG_RST ||
        (is_over(&conversation->halves[DIR_IN]) && is_over(&conversation->halves[DIR_OUT])))
        deliver_close(segments, conversation, time_ns);
    segments_advance(segments, time_ns);
}

void segments_flush(struct segments *segments, uint64_t time_ns)
{
    while (!list_empty(&segments->lru))
        forget(segments, container_of(segments->lru.next, struct conversation, lru), time_ns);
}

/* ---- making and freeing ---------------------------------------------------------------------- */

int segments_new(const struct segments_options *options, struct segments **ret_segments)
{
    struct segments *segments = calloc(1, sizeof(*segments));
    int r;

    if (!segments)
        return -ENOMEM;
    segments->options = *options;
    list_init(&segments->lru);
    list_init(&segments->holes);
    r = pool_init(&segments->pool, sizeof(struct conversation), options->max_connections);
    if (r == 0)
        r = table_init(&segments->table, options->max_connections);
    if (r < 0) {
        segments_free(segments);
        return r;
    }
    *ret_segments = segments;
    return 0;
}

static void drop_held(struct segments *segments, struct half *half)
{
    while (half->held)
        free(take_first(segments, half));
}

void segments_free(struct segments *segments)
{
    if (!segments)
        return;
    for (struct list *at = segments->lru.next; at != &segments->lru; at = at->next) {
        struct conversation *conversation = container_of(at, struct conversation, lru);

        drop_held(segments, &conversation->halves[DIR_IN]);
        drop_held(segments, &conversation->halves[DIR_OUT]);
    }
    table_done(&segments->table);
    pool_done(&segments->pool);
    free(segments);
}
