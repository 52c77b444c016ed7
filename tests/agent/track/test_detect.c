/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Detection on a mixed corpus: whole connections of every protocol of the build (their fixtures) and
 * of none (foreign.c, recorded/), seen from their beginning and joined at any byte. The matrix of what they are
 * taken for is printed; a wrong verdict fails, an open one is counted.
 *
 *   taken for                http  redis   undecided
 *   http                       22      0        0.0% of 22
 *                 joined     4595      0        0.0% of 4595
 *   SSH                         0      0      100.0% of 1
 */
#include "../protocols/harness.h"
#include "foreign.h"
#include "recorded.h"
#include "track/internal.h"

#include "base/hash.h"
#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define PROTOCOLS_MAX 32
#define CHUNK_MAX 16384
#define START 1000
#define ROUNDS 3 /* a connection that was joined midway goes on for a while */

extern const struct fixture *const fixtures[];

static enum selection on_select(void *arg, const struct event *event)
{
    return SELECTION_YES;
}

static const struct protocol *begun; /* what the last exchange speaks */

static bool on_begin(void *arg, struct exchange *exchange)
{
    begun = exchange->protocol;
    return true;
}

static void on_content(void *arg, struct exchange *exchange, struct bytes content)
{
}

static void on_end(void *arg, struct exchange *exchange, uint32_t tid)
{
    struct track **track = arg;

    track_release(*track, exchange);
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

struct matrix {
    unsigned verdicts[PROTOCOLS_MAX + 1]; /* the last one: nobody's */
    unsigned n;
};

static struct world {
    struct track *track;
    struct counters counters;
    uint64_t connection, time_ns, positions[2];
    bool from_start, datagrams;
} world;

static int setup(void **state)
{
    struct track_options options = {
        .max_connections = 64,
        .max_exchanges = 4096,
        .max_windows = 64,
        .exchange_timeout_ns = UINT64_MAX / 2,
        .linger_ns = 1,
        .counters = &world.counters,
        .sink = {on_select, on_begin, on_content, on_end, on_drop, on_drop, on_blind, on_verdict,
                 &world.track},
    };

    return track_new(&options, &world.track);
}

static int teardown(void **state)
{
    track_free(world.track);
    return 0;
}

static size_t n_protocols(void)
{
    size_t n = 0;

    while (protocols[n])
        n++;
    return n;
}

static struct event make_event(enum event_kind kind, enum sender sender)
{
    static const struct connection_facts seen = {
        .remote = {.port = 4000}, .starts = {START, START}, .has_starts = true};
    static const struct connection_facts unseen = {.remote = {.port = 4000}};
    static const struct connection_facts datagrams = {.transport = TRANSPORT_UDP,
                                                      .remote = {.port = 4000}};
    enum direction dir = sender == SENDER_CLIENT ? DIR_IN : DIR_OUT;

    return (struct event){
        .kind = kind,
        .dir = dir,
        .time_ns = world.time_ns += 10,
        .connection = world.connection,
        .exec = {.tgid = 1, .tid = 1},
        .position = world.positions[dir],
        .connection_facts = world.datagrams ? &datagrams : world.from_start ? &seen : &unseen,
    };
}

static void begin(bool from_start)
{
    begun = NULL;
    world.connection++;
    world.from_start = from_start;
    world.positions[DIR_IN] = world.positions[DIR_OUT] = START;
}

/* What is left alone from its first message on is no longer a connection of its protocol. */
static const struct protocol *asked(struct bytes bytes)
{
    for (size_t i = 0; protocols[i]; i++)
        if (protocols[i]->probe(bytes, DELIVERY_STREAM) >= PROBE_CLIENT)
            return protocols[i];
    return NULL;
}

/* Returns what the connection was taken for, or NULL; it may speak something else already. */
static const struct protocol *say(enum sender sender, struct bytes bytes)
{
    struct event event = make_event(EVENT_DATA, sender);
    const struct connection *connection;

    event.data = bytes;
    event.length = (uint32_t)bytes.len;
    world.positions[event.dir] += bytes.len;
    track_set_time(world.track, world.time_ns);
    track_event(world.track, &event);
    connection = connection_get(world.track, &event);
    if (connection->state == CONNECTION_OPAQUE && !begun)
        return asked(bytes);
    return begun ? begun : connection->protocol;
}

static void end(void)
{
    struct event event = make_event(EVENT_CLOSE, SENDER_CLIENT);

    track_event(world.track, &event);
    track_advance(world.track, world.time_ns += 100);
}

/* The i-th chunk of a conversation, whatever it is kept in. */
struct talk {
    const struct conversation *conversation;
    const struct foreign *foreign;
};

static size_t n_chunks(const struct talk *talk)
{
    return talk->foreign ? talk->foreign->n_chunks : talk->conversation->n_chunks;
}

static struct chunk chunk_of(const struct talk *talk, size_t i, uint64_t seed)
{
    static uint8_t bytes[CHUNK_MAX];
    const struct foreign_chunk *chunk;

    if (talk->conversation)
        return talk->conversation->chunks[i];
    chunk = &talk->foreign->chunks[i];
    assert_true(chunk->bytes.len + chunk->n_random <= sizeof(bytes));
    memcpy(bytes, chunk->bytes.ptr, chunk->bytes.len);
    for (size_t k = 0; k < chunk->n_random; k++)
        bytes[chunk->bytes.len + k] = (uint8_t)hash_mix(seed * 65537 + i * 4099 + k + 1);
    return (struct chunk){chunk->sender, bytes_make(bytes, chunk->bytes.len + chunk->n_random)};
}

static size_t length_of(const struct talk *talk)
{
    size_t length = 0;

    for (size_t i = 0; i < n_chunks(talk); i++)
        length += chunk_of(talk, i, 0).bytes.len;
    return length;
}

/* The verdict on the conversation without its first `missed` bytes, of which nobody knows. */
static void judge(const struct talk *talk, size_t missed, struct matrix *matrix)
{
    const struct protocol *verdict = NULL;
    size_t rounds = missed ? ROUNDS : 1, to_miss = missed, index = 0;

    world.datagrams = talk->conversation && talk->conversation->datagrams;
    begin(missed == 0);
    for (size_t k = 0; k < rounds * n_chunks(talk) && !verdict; k++) {
        struct chunk chunk = chunk_of(talk, k % n_chunks(talk), missed + k);
        size_t n = MIN(to_miss, chunk.bytes.len);

        to_miss -= n;
        if (chunk.bytes.len > n)
            verdict = say(chunk.sender, bytes_skip(chunk.bytes, n));
    }
    end();
    while (verdict && protocols[index] != verdict)
        index++;
    matrix->verdicts[verdict ? index : PROTOCOLS_MAX]++;
    matrix->n++;
}

static void judge_everywhere(const struct talk *talk, struct matrix *whole, struct matrix *joined)
{
    size_t length = length_of(talk);

    judge(talk, 0, whole);
    /* No datagram is joined midway. */
    for (size_t missed = 1; missed < length && !world.datagrams; missed++)
        judge(talk, missed, joined);
}

static void print_row(const char *name, const char *how, const struct matrix *matrix)
{
    print_message("  %-24s%-9s", name, how);
    for (size_t i = 0; i < n_protocols(); i++)
        print_message(" %9u", matrix->verdicts[i]);
    print_message(" %10.1f%% of %u\n", 100.0 * matrix->verdicts[PROTOCOLS_MAX] / matrix->n,
                  matrix->n);
}

/* Prints both rows. Nobody's, or that of a protocol of this very name. */
static void tell(const char *name, const struct matrix *whole, const struct matrix *joined)
{
    print_row(name, "", whole);
    print_row("", "joined", joined);
    for (size_t i = 0; i < n_protocols(); i++)
        if (!bytes_equal_nocase(bytes_from_string(protocols[i]->name), bytes_from_string(name))) {
            assert_int_equal(whole->verdicts[i], 0);
            assert_int_equal(joined->verdicts[i], 0);
        }
}

static void print_header(void)
{
    print_message("  %-33s", "taken for");
    for (size_t i = 0; i < n_protocols(); i++)
        print_message(" %9s", protocols[i]->name);
    print_message(" %11s\n", "undecided");
}

static void every_protocol_is_known_from_its_beginning_and_midway_never_mistaken(void **state)
{
    print_header();
    for (size_t i = 0; protocols[i]; i++)
        for (size_t f = 0; fixtures[f]; f++) {
            struct matrix whole = {0}, joined = {0};

            if (fixtures[f]->protocol != protocols[i])
                continue;
            for (size_t c = 0; c < fixtures[f]->n_conversations; c++)
                judge_everywhere(&(struct talk){.conversation = &fixtures[f]->conversations[c]},
                                 &whole, &joined);
            tell(protocols[i]->name, &whole, &joined);
            assert_int_equal(whole.verdicts[i], fixtures[f]->n_conversations);
            assert_true(joined.verdicts[i] > 0);
        }
}

static void what_is_none_of_them_is_never_taken_for_one(void **state)
{
    for (size_t i = 0; i < n_foreigners; i++) {
        struct matrix whole = {0}, joined = {0};

        judge_everywhere(&(struct talk){.foreign = &foreigners[i]}, &whole, &joined);
        tell(foreigners[i].name, &whole, &joined);
    }
}

static void what_real_servers_of_other_protocols_said_is_never_taken_for_one(void **state)
{
    static const struct foreign *recorded;
    size_t n;

    recorded = recorded_read(RECORDED, &n);
    for (size_t i = 0; i < n; i++) {
        struct matrix whole = {0}, joined = {0};

        judge_everywhere(&(struct talk){.foreign = &recorded[i]}, &whole, &joined);
        tell(recorded[i].name, &whole, &joined);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            every_protocol_is_known_from_its_beginning_and_midway_never_mistaken, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_none_of_them_is_never_taken_for_one, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            what_real_servers_of_other_protocols_said_is_never_taken_for_one, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
