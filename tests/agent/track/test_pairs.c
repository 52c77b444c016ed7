/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever happens to the events on their way, no request is ever paired with another's response:
 * conversations whose requests and responses carry one number are cut anywhere, some events are
 * lost, come twice or out of order, or were captured in part; bodies are full of what looks like
 * messages. Some clients wait for each answer, some send several requests and wait for all answers,
 * some always keep 2, 8 or 64 under way. What is missing is counted; what is there must fit. A seed
 * makes the whole case, so that a failure can be run again.
 */
#include "base/macro.h"
#include "track/track.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SEEDS 3000 /* FLOWTRACE_SEEDS asks for more */
#define EVENTS_MAX 4096
#define EXCHANGES_MAX 80
#define TEXT_MAX (1 << 17)
#define CODES 400
#define LATE_NS 500000000 /* no record is later than this */
#define START_IN 0xfffffe00u /* near the wrap of the sequence numbers */
#define START_OUT 0xffffff80u

/* How the events are mistreated, in per mille. */
struct hardship {
    const char *name;
    unsigned drop, twice, swap, partly;
    bool from_start; /* otherwise one of four connections is joined midway */
    unsigned depth;  /* all clients keep so many requests under way; 0: all kinds of clients */
};

struct one_event {
    enum direction dir;
    uint64_t position;
    uint32_t length, captured;
    const uint8_t *bytes;
    uint64_t time_ns;
};

struct one_message {
    bool request;
    unsigned number;
    uint64_t time_ns; /* when this end sends or reads it */
};

struct conversation {
    uint32_t random;
    bool client; /* which end sees it */
    unsigned n_exchanges;
    uint64_t now_ns;
    uint64_t positions[2];
    size_t n_events, text_used;
    struct one_event events[EVENTS_MAX];
    uint8_t text[TEXT_MAX];
    unsigned n_pairs, n_wrong, n_invented;
};

struct world {
    struct track *track;
    struct counters counters;
    struct conversation *conversation;
};

static unsigned draw(struct conversation *conversation, unsigned below)
{
    conversation->random ^= conversation->random << 13;
    conversation->random ^= conversation->random >> 17;
    conversation->random ^= conversation->random << 5;
    return conversation->random % below;
}

/* ---- the conversation ------------------------------------------------------------------------ */

/* Cuts the bytes into operations: many of them small, some whole. */
static void say(struct conversation *conversation, enum direction dir, const char *text, size_t len)
{
    uint8_t *at = conversation->text + conversation->text_used;

    assert_true(conversation->text_used + len <= TEXT_MAX);
    memcpy(at, text, len);
    conversation->text_used += len;
    while (len) {
        size_t n = draw(conversation, 2) ? len : 1 + draw(conversation, (unsigned)len);

        assert_true(conversation->n_events < EVENTS_MAX);
        conversation->events[conversation->n_events++] = (struct one_event){
            .dir = dir, .position = conversation->positions[dir], .length = (uint32_t)n,
            .captured = (uint32_t)n, .bytes = at, .time_ns = conversation->now_ns++};
        conversation->positions[dir] += n;
        at += n;
        len -= n;
    }
}

/* A body of `len` bytes, in which there may be what looks like messages. */
static size_t write_body(struct conversation *conversation, char *out, size_t len)
{
    static const char *const bait[] = {
        "GET /999 HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 599 Bait\r\nContent-Length: 0\r\n\r\n",
        "0\r\n\r\n", "some other text "};

    for (size_t at = 0; at < len;) {
        const char *piece = bait[draw(conversation, 4)];
        size_t n = strlen(piece) < len - at ? strlen(piece) : len - at;

        memcpy(out + at, piece, n);
        at += n;
    }
    return len;
}

/* The head's rest and a body of one of three kinds. */
static size_t write_rest(struct conversation *conversation, char *out, bool may_lack)
{
    unsigned kind = draw(conversation, may_lack ? 4 : 3), len = draw(conversation, 300);
    char *at = out;

    at += sprintf(at, "Host: x\r\nX-Filler: %0*d\r\n", 1 + (int)draw(conversation, 60), 1);
    if (kind == 3)
        return (size_t)(at + sprintf(at, "\r\n") - out);
    if (kind == 2) {
        at += sprintf(at, "Transfer-Encoding: chunked\r\n\r\n%x\r\n", len + 1);
        at += write_body(conversation, at, len + 1);
        return (size_t)(at + sprintf(at, "\r\n0\r\n\r\n") - out);
    }
    len = kind == 1 ? 0 : len;
    at += sprintf(at, "Content-Length: %u\r\n\r\n", len);
    return (size_t)(at + write_body(conversation, at, len) - out);
}

/*
 * A client that has `depth` requests under way, sends the next one as soon as the oldest of them is
 * answered, or, in `rounds`, when all of them are. A `blocking` one reads no answer meanwhile.
 */
struct client {
    unsigned depth;
    bool rounds, blocking;
};

/*
 * Most of the time a moment; now and then a client has nothing to ask. Nobody leaves an answer
 * unread for a second.
 */
static uint64_t think(struct conversation *conversation, bool blocking)
{
    if (draw(conversation, 16))
        return draw(conversation, 2000000);
    return blocking ? draw(conversation, 900000000) : 500000000 + draw(conversation, 1500000000);
}

static void plan(struct conversation *conversation, struct client client,
                 struct one_message *requests, struct one_message *responses)
{
    uint64_t served_ns = 0, read_ns = 0, sent_ns = 1000;

    for (unsigned i = 0; i < conversation->n_exchanges; i++) {
        bool waits = client.rounds ? i % client.depth == 0 : i >= client.depth;
        unsigned last = client.rounds ? i - 1 : i - client.depth;

        if (waits && i)
            sent_ns = MAX(sent_ns, responses[last].time_ns + 1000) + think(conversation, client.blocking);
        requests[i] = (struct one_message){true, i, sent_ns += 1000};
        /* The client's next send may be later than this answer; a blocking one reads it then. */
        for (unsigned k = last + 1; client.blocking && waits && i && k < i; k++)
            responses[k].time_ns = MAX(responses[k].time_ns, sent_ns + 1000 * (k - last));
        served_ns = MAX(served_ns, sent_ns + 20000) + 50000 + draw(conversation, 3000000);
        read_ns = MAX(read_ns, served_ns);
        responses[i] = (struct one_message){false, i, read_ns};
    }
}

static int compare_messages(const void *a, const void *b)
{
    const struct one_message *left = a, *right = b;

    return left->time_ns < right->time_ns ? -1 : left->time_ns > right->time_ns;
}

static void say_message(struct conversation *conversation, const struct one_message *message)
{
    enum direction ask = conversation->client ? DIR_OUT : DIR_IN;
    char text[4096];
    size_t len = message->request
                     ? (size_t)sprintf(text, "POST /%u HTTP/1.1\r\n", message->number)
                     : (size_t)sprintf(text, "HTTP/1.1 %u OK\r\n", 205 + message->number);

    len += write_rest(conversation, text + len, message->request);
    conversation->now_ns = MAX(conversation->now_ns, message->time_ns);
    say(conversation, message->request ? ask : !ask, text, len);
}

static struct client draw_client(struct conversation *conversation, unsigned depth)
{
    static const unsigned depths[] = {2, 8, 64};
    struct client client = {.depth = 1};

    if (depth)
        return (struct client){depth, false, conversation->client && draw(conversation, 2)};
    switch (draw(conversation, 4)) {
    case 0:
        client = (struct client){1 + draw(conversation, 4), true, false};
        break;
    case 1:
        client = draw_client(conversation, depths[draw(conversation, 3)]);
        break;
    }
    return client;
}

static void converse(struct conversation *conversation, unsigned depth)
{
    struct one_message messages[2 * EXCHANGES_MAX];
    unsigned n = conversation->n_exchanges;

    plan(conversation, draw_client(conversation, depth), messages, messages + n);
    qsort(messages, 2 * n, sizeof(*messages), compare_messages);
    for (unsigned i = 0; i < 2 * n; i++)
        say_message(conversation, &messages[i]);
}

/* ---- what happens to it ---------------------------------------------------------------------- */

static void mistreat(struct conversation *conversation, const struct hardship *hardship)
{
    struct one_event *events = conversation->events;
    size_t n = 0, total = conversation->n_events;

    for (size_t i = 0; i < total; i++) {
        if (draw(conversation, 1000) < hardship->partly)
            events[i].captured = draw(conversation, events[i].length + 1);
        if (draw(conversation, 1000) >= hardship->drop)
            events[n++] = events[i];
    }
    for (size_t i = 0; i + 1 < n; i++) {
        if (draw(conversation, 1000) < hardship->swap &&
            events[i + 1].time_ns < events[i].time_ns + LATE_NS) {
            struct one_event event = events[i];

            events[i] = events[i + 1];
            events[i + 1] = event;
        }
        if (n < EVENTS_MAX && draw(conversation, 1000) < hardship->twice) {
            memmove(events + i + 1, events + i, (n - i) * sizeof(*events));
            n++;
        }
    }
    conversation->n_events = n;
}

/* ---- what comes of it ------------------------------------------------------------------------ */

static unsigned number_of(const struct exchange *exchange)
{
    for (unsigned i = 0; i < exchange->request.n_fields; i++) {
        struct bytes value = exchange->request.fields[i].value;
        uint64_t number;

        if (value.len > 1 && value.ptr[0] == '/' &&
            bytes_parse_u64(bytes_skip(value, 1), &number) == 0)
            return (unsigned)number;
    }
    return UINT32_MAX;
}

static enum selection on_select(void *arg, const struct event *event)
{
    return SELECTION_YES;
}

static bool on_begin(void *arg, struct exchange *exchange)
{
    struct conversation *conversation = ((struct world *)arg)->conversation;

    conversation->n_invented += exchange->request.flags & MESSAGE_TRUNCATED
                                    ? 0
                                    : number_of(exchange) >= conversation->n_exchanges;
    return true;
}

static void on_content(void *arg, struct exchange *exchange, struct bytes content)
{
}

static void on_confirm(void *arg, struct exchange *exchange)
{
    struct world *world = arg;
    struct conversation *conversation = world->conversation;
    unsigned number = number_of(exchange);

    if (exchange->has_response && !(exchange->request.flags & MESSAGE_TRUNCATED)) {
        conversation->n_pairs += exchange->end == EXCHANGE_ANSWERED;
        conversation->n_wrong += exchange->response.code != (int64_t)(205 + number);
    }
    track_release(world->track, exchange);
}

static void on_end(void *arg, struct exchange *exchange, uint32_t tid)
{
    if (!exchange->held)
        on_confirm(arg, exchange);
}

static void on_drop(void *arg, struct exchange *exchange)
{
}

static void on_blind(void *arg, const struct event *event, bool for_good)
{
}

static void on_verdict(void *arg, uint64_t connection, struct verdict verdict)
{
}

static void feed(struct world *world, bool from_start)
{
    struct conversation *conversation = world->conversation;
    struct connection_facts facts = {
        .starts = {[DIR_IN] = START_IN, [DIR_OUT] = START_OUT}, .has_starts = true};
    struct event event = {.kind = EVENT_DATA, .connection = 1, .exec = {1, 1, 1, 0},
                          .connection_facts = &facts};
    size_t from = from_start || draw(conversation, 4) ? 0 : draw(conversation, 10);

    for (size_t i = from; i < conversation->n_events; i++) {
        const struct one_event *one = &conversation->events[i];

        event.dir = one->dir;
        event.time_ns = MAX(event.time_ns + 10, one->time_ns); /* a late record is made late */
        event.position = one->position;
        event.length = one->length;
        event.data = bytes_make(one->bytes, one->captured);
        track_event(world->track, &event);
        event.connection_facts = NULL;
    }
    event.kind = EVENT_CLOSE;
    track_event(world->track, &event);
    track_advance(world->track, event.time_ns + 1000000);
}

static void run(struct conversation *conversation, uint32_t seed, const struct hardship *hardship)
{
    struct world world = {.conversation = conversation};
    struct track_options options = {
        .max_connections = 2, .max_exchanges = EXCHANGES_MAX, .max_windows = 2,
        .exchange_timeout_ns = UINT64_C(1) << 60, .linger_ns = 1000, .counters = &world.counters,
        .sink = {on_select, on_begin, on_content, on_end, on_confirm, on_drop, on_blind,
                 on_verdict, &world}};

    memset(conversation, 0, offsetof(struct conversation, events));
    conversation->n_pairs = conversation->n_wrong = conversation->n_invented = 0;
    conversation->random = seed * 2654435761u | 1;
    conversation->client = draw(conversation, 2);
    conversation->n_exchanges = 1 + draw(conversation, EXCHANGES_MAX - 1);
    conversation->now_ns = 1000;
    conversation->positions[DIR_IN] = START_IN;
    conversation->positions[DIR_OUT] = START_OUT;
    converse(conversation, hardship->depth);
    mistreat(conversation, hardship);
    assert_int_equal(track_new(&options, &world.track), 0);
    feed(&world, hardship->from_start);
    track_free(world.track);
    /* In bodies turns tell what is no message: where the order is wrong, a body can pretend one. */
    if (conversation->n_wrong || (conversation->n_invented && !hardship->swap))
        fail_msg("%s, seed %u: %u wrong pairs, %u invented requests", hardship->name, seed,
                 conversation->n_wrong, conversation->n_invented);
}

static void mistreated(const struct hardship *hardship, double at_least)
{
    struct conversation *conversation = malloc(sizeof(*conversation));
    const char *more = getenv("FLOWTRACE_SEEDS");
    uint32_t n_seeds = more ? (uint32_t)atoi(more) : SEEDS;
    uint64_t pairs = 0, exchanges = 0, invented = 0;

    for (uint32_t seed = 1; seed <= n_seeds; seed++) {
        run(conversation, seed, hardship);
        pairs += conversation->n_pairs;
        exchanges += conversation->n_exchanges;
        invented += conversation->n_invented;
    }
    printf("%s: %llu of %llu exchanges, none wrong, %llu invented\n", hardship->name,
           (unsigned long long)pairs, (unsigned long long)exchanges, (unsigned long long)invented);
    assert_true((double)pairs >= at_least * (double)exchanges);
    free(conversation);
}

static void cut_anywhere_every_pair_is_found(void **state)
{
    mistreated(&(struct hardship){.name = "cut", .from_start = true}, 1);
}

/* Only a pause of the client tells a connection that was joined midway from a shifted one. */
static void joined_midway_no_pair_is_wrong(void **state)
{
    mistreated(&(struct hardship){.name = "one of four joined midway"}, 0.8);
}

static void lost_events_give_no_wrong_pair(void **state)
{
    mistreated(&(struct hardship){.name = "1 % lost", .drop = 10}, 0.5);
    mistreated(&(struct hardship){.name = "10 % lost", .drop = 100}, 0.05);
}

static void events_that_come_twice_change_nothing(void **state)
{
    mistreated(&(struct hardship){.name = "20 % twice", .twice = 200, .from_start = true}, 1);
}

static void events_out_of_order_give_no_wrong_pair(void **state)
{
    mistreated(&(struct hardship){.name = "5 % out of order", .swap = 50, .from_start = true}, 0.25);
}

static void events_captured_in_part_give_no_wrong_pair(void **state)
{
    mistreated(&(struct hardship){.name = "10 % captured in part", .partly = 100}, 0.1);
}

static void all_but_a_wrong_order_at_once_gives_no_wrong_pair(void **state)
{
    mistreated(&(struct hardship){"2 % of each", 20, 20, 0, 20}, 0.1);
    mistreated(&(struct hardship){"10 % of each", 100, 100, 0, 100}, 0.0);
}

static void a_wrong_order_behind_gaps_gives_no_wrong_pair(void **state)
{
    mistreated(&(struct hardship){"2 % of each, 2 % out of order", 20, 20, 20, 20}, 0.1);
    mistreated(&(struct hardship){"5 % of each, 5 % out of order", 50, 50, 50, 50}, 0.0);
    mistreated(&(struct hardship){"20 % of each, 20 % out of order", 200, 200, 200, 200}, 0.0);
}

static void clients_with_requests_always_under_way_get_no_wrong_pair(void **state)
{
    static const unsigned depths[] = {1, 2, 8, 64};

    for (size_t i = 0; i < 4; i++) {
        char name[32];

        snprintf(name, sizeof(name), "%u under way", depths[i]);
        mistreated(&(struct hardship){name, .drop = 10, .depth = depths[i]}, 0.1);
        mistreated(&(struct hardship){name, 10, 10, 10, 10, .depth = depths[i]}, 0.0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_anywhere_every_pair_is_found),
        cmocka_unit_test(joined_midway_no_pair_is_wrong),
        cmocka_unit_test(lost_events_give_no_wrong_pair),
        cmocka_unit_test(events_that_come_twice_change_nothing),
        cmocka_unit_test(events_out_of_order_give_no_wrong_pair),
        cmocka_unit_test(events_captured_in_part_give_no_wrong_pair),
        cmocka_unit_test(all_but_a_wrong_order_at_once_gives_no_wrong_pair),
        cmocka_unit_test(a_wrong_order_behind_gaps_gives_no_wrong_pair),
        cmocka_unit_test(clients_with_requests_always_under_way_get_no_wrong_pair),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
