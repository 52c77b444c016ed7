/* SPDX-License-Identifier: Apache-2.0 */
/* The world of the track's tests; see world.h. */
#include "world.h"

static enum selection on_select(void *arg, const struct event *event)
{
    return ((struct world *)arg)->selection;
}

static bool on_begin(void *arg, struct exchange *exchange)
{
    ((struct world *)arg)->n_begun++;
    return true;
}

static void on_content(void *arg, struct exchange *exchange, struct bytes content)
{
    ((struct world *)arg)->n_content += content.len;
}

static void on_confirm(void *arg, struct exchange *exchange)
{
    struct world *world = arg;

    world->ended[world->n_ended++] = (struct ended){
        .end = exchange->end,
        .stream = exchange->request.stream,
        .code = exchange->response.code,
        .has_response = exchange->has_response,
        .start_ns = exchange->start_ns,
        .end_ns = exchange->end_ns,
        .position = exchange->cause.position,
        .kind = exchange->cause.kind,
        .serves = exchange->serves,
        .carried = exchange->cause.carried,
    };
    track_release(world->track, exchange);
}

static void on_end(void *arg, struct exchange *exchange, uint32_t tid)
{
    if (!exchange->held)
        on_confirm(arg, exchange);
}

static void on_drop(void *arg, struct exchange *exchange)
{
    ((struct world *)arg)->n_dropped++;
}

static void on_blind(void *arg, const struct event *event, bool for_good)
{
    ((struct world *)arg)->n_blind++;
}

static void on_verdict(void *arg, uint64_t connection, struct verdict verdict)
{
    ((struct world *)arg)->verdict = verdict;
}

int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct track_options options = {
        .max_connections = 4,
        .max_exchanges = 16,
        .max_windows = 4,
        .exchange_timeout_ns = 1000000,
        .linger_ns = 1000,
        .counters = &world->counters,
        .sink = {on_select, on_begin, on_content, on_end, on_confirm, on_drop, on_blind,
                 on_verdict, world},
    };

    world->positions[DIR_IN] = START_IN;
    world->positions[DIR_OUT] = START_OUT;
    world->now_ns = 1;
    assert_int_equal(track_new(&options, &world->track), 0);
    *state = world;
    return 0;
}

int teardown(void **state)
{
    struct world *world = *state;

    assert_int_equal(counters_get(&world->counters, COUNTER_exchanges),
                     world->n_ended + counters_sum(&world->counters, COUNTER_EXCHANGE_LOST) +
                         track_open_exchanges(world->track));
    track_free(world->track);
    free(world);
    return 0;
}

static const struct connection_facts facts = {
    .local = {.port = 80},
    .remote = {.port = 4000},
    .starts = {[DIR_IN] = START_IN, [DIR_OUT] = START_OUT},
    .has_starts = true,
    .comm = "server",
};

/* An operation of `length` bytes of which the text is captured. */
void operation(struct world *world, uint64_t connection, enum direction dir,
               const char *text, size_t captured, uint32_t length)
{
    struct event event = {
        .kind = EVENT_DATA,
        .dir = dir,
        .time_ns = world->now_ns += 10,
        .connection = connection,
        .exec = {.tgid = 1, .tid = 1},
        .position = world->positions[dir],
        .length = length,
        .data = bytes_make(text, captured),
        .connection_facts = &facts,
    };

    world->positions[dir] += length;
    track_set_time(world->track, world->now_ns);
    track_event(world->track, &event);
}

void say(struct world *world, enum direction dir, const char *text)
{
    operation(world, 1, dir, text, strlen(text), (uint32_t)strlen(text));
}

/* Bytes that go by without being captured. */
void pass(struct world *world, enum direction dir, uint32_t length)
{
    operation(world, 1, dir, "", 0, length);
}

void lose(struct world *world, enum direction dir, uint64_t n)
{
    world->positions[dir] += n;
}

void close_connection(struct world *world)
{
    struct event event = {.kind = EVENT_CLOSE, .time_ns = world->now_ns += 10, .connection = 1};

    track_set_time(world->track, world->now_ns);
    track_event(world->track, &event);
    track_advance(world->track, world->now_ns += 2000);
}

uint64_t counted(const struct world *world, enum counter id)
{
    return counters_get(&world->counters, id);
}

void exchange_rounds(struct world *world, int n)
{
    for (int i = 0; i < n; i++) {
        say(world, DIR_IN, REQUEST);
        say(world, DIR_OUT, RESPONSE);
    }
}

struct track_sink world_sink(struct world *world)
{
    return (struct track_sink){on_select, on_begin, on_content, on_end,
                               on_confirm, on_drop, on_blind, on_verdict, world};
}
