/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two ends of a connection, each seen by an agent of its own, give every exchange the same key,
 * from which all ids are derived: on random connections, cut differently at either end, pipelined
 * or not, near the wrap of the sequence numbers, and joined midway by one agent, the other or both.
 */
#include "causality/ids.h"
#include "track/track.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define CONNECTIONS 5000
#define EXCHANGES_MAX 24

/* One end, with its own track. */
struct end {
    struct track *track;
    struct counters counters;
    enum direction ask;
    struct connection_facts facts;
    uint64_t positions[2];
    uint64_t now_ns;
    unsigned deaf; /* so many exchanges pass before it begins to look */
    bool told;     /* the facts were in a record */
    bool found[EXCHANGES_MAX];
    uint64_t keys[EXCHANGES_MAX];
};

static enum selection on_select(void *arg, const struct event *event)
{
    return SELECTION_YES;
}

static bool on_begin(void *arg, struct exchange *exchange)
{
    struct end *end = arg;
    struct bytes path = exchange->request.fields[1].value;
    uint64_t n;

    assert_int_equal(bytes_parse_u64(bytes_skip(path, 1), &n), 0);
    assert_true(n < EXCHANGES_MAX && exchange->cause.on_wire);
    assert_false(end->found[n]);
    end->found[n] = true;
    end->keys[n] = ids_key(exchange->cause.position, exchange->cause.other_start);
    return true;
}

static void on_content(void *arg, struct exchange *exchange, struct bytes content)
{
}

static void on_confirm(void *arg, struct exchange *exchange)
{
    track_release(((struct end *)arg)->track, exchange);
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

static void open_end(struct end *end)
{
    struct track_options options = {
        .max_connections = 2, .max_exchanges = EXCHANGES_MAX, .max_windows = 2,
        .exchange_timeout_ns = UINT64_C(1) << 60, .counters = &end->counters,
        .sink = {on_select, on_begin, on_content, on_end, on_confirm, on_drop, on_blind,
                 on_verdict, end}};

    assert_int_equal(track_new(&options, &end->track), 0);
}

static void operation(struct end *end, enum direction dir, const char *bytes, size_t len, bool seen)
{
    struct event event = {
        .kind = EVENT_DATA, .dir = dir, .time_ns = end->now_ns += 10, .connection = 1,
        .exec = {1, 1, 1, 0}, .position = end->positions[dir], .length = (uint32_t)len,
        .data = bytes_make(bytes, len), .connection_facts = end->told ? NULL : &end->facts};

    end->positions[dir] += len;
    if (!seen)
        return;
    end->told = true;
    track_event(end->track, &event);
}

/* What goes through the connection, cut as this end's operations cut it. */
static void pass(struct end *end, bool request, const char *text, bool seen)
{
    enum direction dir = request ? end->ask : !end->ask;
    size_t len = strlen(text);

    while (len) {
        size_t n = rand() % 2 ? len : 1 + (size_t)rand() % len;

        operation(end, dir, text, n, seen);
        text += n;
        len -= n;
    }
}

static uint32_t random_isn(void)
{
    uint32_t isn = (uint32_t)rand() << 16 ^ (uint32_t)rand();

    return rand() % 2 ? isn : UINT32_MAX - 1 - isn % 2000;
}

/* An opener's own start counts its SYN (docs/bpf.md). */
static void make_ends(struct end *opener, struct end *acceptor)
{
    uint32_t opens = random_isn(), accepts = random_isn();

    *opener = (struct end){.ask = DIR_OUT, .deaf = rand() % 3 ? 0 : (unsigned)rand() % 9};
    *acceptor = (struct end){.ask = DIR_IN, .deaf = rand() % 3 ? 0 : (unsigned)rand() % 9};
    opener->facts.has_starts = acceptor->facts.has_starts = true;
    opener->facts.starts[DIR_OUT] = opens;
    opener->facts.starts[DIR_IN] = acceptor->facts.starts[DIR_OUT] = accepts + 1u;
    acceptor->facts.starts[DIR_IN] = opens + 1u;
    opener->positions[DIR_OUT] = acceptor->positions[DIR_IN] = opens + 1u;
    opener->positions[DIR_IN] = acceptor->positions[DIR_OUT] = accepts + 1u;
    open_end(opener);
    open_end(acceptor);
}

static void converse(struct end *opener, struct end *acceptor)
{
    struct end *ends[] = {opener, acceptor};
    char text[200];

    for (unsigned i = 0; i < EXCHANGES_MAX;) {
        unsigned n = 1 + (unsigned)rand() % 3 * ((unsigned)rand() % 2), first = i;

        for (; i < first + n && i < EXCHANGES_MAX; i++) {
            snprintf(text, sizeof(text), "GET /%u HTTP/1.1\r\nHost: %0*d\r\n\r\n", i,
                     1 + rand() % 90, 1);
            for (int k = 0; k < 2; k++)
                pass(ends[k], true, text, first >= ends[k]->deaf);
        }
        for (unsigned k = first; k < i; k++)
            for (int e = 0; e < 2; e++)
                pass(ends[e], false, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                     first >= ends[e]->deaf);
    }
}

static void both_ends_of_every_exchange_have_the_same_key(void **state)
{
    uint64_t n_both = 0, n_expected = 0;

    srand(1);
    for (int i = 0; i < CONNECTIONS; i++) {
        struct end opener, acceptor;

        make_ends(&opener, &acceptor);
        converse(&opener, &acceptor);
        for (unsigned n = 0; n < EXCHANGES_MAX; n++) {
            n_expected += n >= opener.deaf && n >= acceptor.deaf;
            n_both += opener.found[n] && acceptor.found[n];
            if (opener.found[n] && acceptor.found[n])
                assert_true(opener.keys[n] == acceptor.keys[n]);
        }
        if (!opener.deaf)
            assert_true(opener.found[0] && opener.found[EXCHANGES_MAX - 1]);
        track_free(opener.track);
        track_free(acceptor.track);
    }
    printf("%llu of %llu exchanges seen at both ends, all with one key\n",
           (unsigned long long)n_both, (unsigned long long)n_expected);
    /* A connection that is joined midway gives away its first round. */
    assert_true((double)n_both > 0.9 * (double)n_expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_of_every_exchange_have_the_same_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
