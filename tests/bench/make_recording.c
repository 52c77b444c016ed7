/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a recording of made-up traffic to standard output, of any length, for `replay -`:
 *
 *     make_recording EXCHANGES
 *
 * WAYS clients call as many front processes, each of which calls a back process for every request,
 * over connections that are closed and opened anew, from processes that come and go. Both ends of
 * everything are seen; ids travel on.
 */
#include "base/macro.h"
#include "source/record.h"

#include <stdio.h>
#include <stdlib.h>

#define WAYS 500              /* in parallel */
#define PER_CONNECTION 10     /* exchanges */
#define PER_PROCESS 20        /* of a way: the table of processes is full soon */
#define EXCHANGES_PER_ROUND 4 /* two hops, two ends each */

struct end {
    uint64_t connection;
    uint32_t tgid;
    struct connection_facts facts;
    uint64_t positions[2];
    bool told;
};

struct way {
    struct end ends[4]; /* client to front, front from client, front to back, back from front */
    unsigned n;
};

struct generator {
    struct buffer buffer;
    uint64_t now_ns;
    uint64_t next_connection;
    uint32_t next_isn;
    struct way ways[WAYS];
};

static void write_event(struct generator *generator, const struct event *event)
{
    buffer_reset(&generator->buffer);
    if (record_encode(event, &generator->buffer) < 0)
        exit(1);
    fwrite(generator->buffer.ptr, 1, generator->buffer.len, stdout);
}

static struct event make(struct generator *generator, const struct end *end, enum event_kind kind)
{
    return (struct event){
        .kind = kind,
        .time_ns = generator->now_ns += 500,
        .connection = end->connection,
        .exec = {.tgid = end->tgid, .tid = end->tgid, .process_start_ns = end->tgid},
    };
}

static void operation(struct generator *generator, struct end *end, enum direction dir,
                      const char *text)
{
    struct event event = make(generator, end, EVENT_DATA);

    event.dir = dir;
    event.position = end->positions[dir];
    event.length = (uint32_t)strlen(text);
    event.data = bytes_from_string(text);
    event.connection_facts = end->told ? NULL : &end->facts;
    end->told = true;
    end->positions[dir] += event.length;
    write_event(generator, &event);
}

static void close_end(struct generator *generator, struct end *end)
{
    struct event event = make(generator, end, EVENT_CLOSE);

    if (end->told)
        write_event(generator, &event);
}

/* A hop between two processes: the first end opens. */
static void open_hop(struct generator *generator, struct end *ends, uint32_t from, uint32_t to)
{
    uint32_t opens = generator->next_isn += 7919, accepts = generator->next_isn += 7919;

    for (int i = 0; i < 2; i++) {
        struct end *end = &ends[i];

        close_end(generator, end);
        *end = (struct end){.connection = ++generator->next_connection, .tgid = i ? to : from};
        end->facts = (struct connection_facts){
            .local.port = i ? 80 : 40000, .remote.port = i ? 40000 : 80, .has_starts = true,
            .transport = 6, .comm = "made-up", .netns = 1};
        end->facts.starts[i ? DIR_IN : DIR_OUT] = end->positions[i ? DIR_IN : DIR_OUT] = opens;
        end->facts.starts[i ? DIR_OUT : DIR_IN] = end->positions[i ? DIR_OUT : DIR_IN] = accepts;
    }
}

static void pass(struct generator *generator, struct end *ends, bool request, const char *text)
{
    operation(generator, &ends[request ? 0 : 1], DIR_OUT, text);
    operation(generator, &ends[request ? 1 : 0], DIR_IN, text);
}

static void serve(struct generator *generator, unsigned i, uint64_t id)
{
    struct way *way = &generator->ways[i];
    uint32_t process = 10 + 3 * (i + WAYS * (way->n / PER_PROCESS));
    char request[256];

    if (way->n++ % PER_CONNECTION == 0) {
        open_hop(generator, &way->ends[0], process, process + 1);
        open_hop(generator, &way->ends[2], process + 1, process + 2);
    }
    snprintf(request, sizeof(request),
             "GET /orders/order-%08llu HTTP/1.1\r\nHost: shop.example.com\r\n"
             "User-Agent: made-up/1.0\r\nAccept: application/json\r\n\r\n", (unsigned long long)id);
    pass(generator, &way->ends[0], true, request);
    pass(generator, &way->ends[2], true, request);
    for (int hop = 2; hop >= 0; hop -= 2)
        pass(generator, &way->ends[hop], false,
             "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
}

int main(int argc, char **argv)
{
    static struct generator generator = {.now_ns = 1700000000000000000};
    static const uint8_t header[RECORD_HEADER_LEN] = "FTRECORD\1";
    uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) / EXCHANGES_PER_ROUND : 0;

    if (rounds == 0) {
        fprintf(stderr, "usage: make_recording EXCHANGES >FILE\n");
        return 2;
    }
    generator.buffer = buffer_make(RECORD_EVENT_MAX);
    fwrite(header, 1, sizeof(header), stdout);
    for (uint64_t i = 0; i < rounds; i++)
        serve(&generator, (unsigned)(i % WAYS), i);
    buffer_done(&generator.buffer);
    return fflush(stdout) == 0 ? 0 : 1;
}
