/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fuzz target for the core: events of a few connections, with gaps, overlaps, bytes that were
 * not captured, closes and jumps of time, through the whole pipeline, in small tables. The input:
 *
 *   [what][connection:2 dir:1 facts:1 thread:2][offset:8][length:12 captured:12 bits][bytes] ...
 *
 * Whatever comes, both identities of base/counters.h must hold at the end.
 */
#include "base/macro.h"
#include "pipeline/pipeline.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define N_CONNECTIONS 4
#define LENGTH_MAX 0xfff

struct core {
    struct pipeline *pipeline;
    struct counters counters;
    uint64_t now_ns;
    uint64_t positions[N_CONNECTIONS][2];
};

static void set_verdict(void *arg, uint64_t connection, struct verdict verdict)
{
    assert(verdict.head <= CAPTURE_HEAD_MAX);
}

static void take_batch(void *arg, struct batch *batch)
{
    assert(batch->n_spans > 0);
}

static const struct settings *small_settings(void)
{
    static char connections[] = "limits.connections=16", exchanges[] = "limits.exchanges=16",
                processes[] = "limits.processes=16", windows[] = "limits.windows=16",
                batch[] = "batch.spans=8", names[] = "names.per_service=4",
                unsampled[] = "context.export_unsampled=true", baggage[] = "context.baggage_keys=a";
    static char *assignments[] = {connections, exchanges, processes, windows,
                                  batch,       names,     unsampled, baggage};
    static struct settings *settings;

    if (!settings && settings_load(NULL, assignments, ELEMENTSOF(assignments), NULL, &settings) < 0)
        abort();
    return settings;
}

/* Two and two connections are the ends of one: what goes out of 0 comes into 1. */
static struct connection_facts facts_of(unsigned connection)
{
    uint64_t here = 1000 * (connection | 1), there = 500000 * (connection | 1);
    bool opener = connection & 1;

    return (struct connection_facts){
        .local.port = opener ? 80 : 4000,
        .remote.port = opener ? 4000 : 80,
        .starts = {[DIR_IN] = opener ? here : there, [DIR_OUT] = opener ? there : here},
        .has_starts = true,
        .comm = "fuzz",
    };
}

static void feed_data(struct core *core, uint8_t who, struct reader *reader)
{
    unsigned connection = who & 3;
    enum direction dir = who >> 2 & 1;
    struct connection_facts facts = facts_of(connection);
    int8_t offset = (int8_t)reader_u8(reader);
    uint32_t sizes = (uint32_t)reader_be16(reader) << 8 | reader_u8(reader);
    uint32_t length = sizes >> 12, captured = MIN(sizes & LENGTH_MAX, length);
    size_t left = reader_left(reader);
    struct bytes bytes = reader_take(reader, MIN((size_t)captured, left));
    void *exact = malloc(bytes.len ? bytes.len : 1);
    struct event event = {
        .kind = EVENT_DATA,
        .dir = dir,
        .time_ns = core->now_ns,
        .connection = connection + 1,
        .exec = {.tgid = 1 + connection, .tid = who >> 4 & 3, .process_start_ns = 1},
        .position = facts.starts[dir] + core->positions[connection][dir] +
                    (uint64_t)(int64_t)offset,
        .length = length,
        .data = bytes_make(exact, bytes.len),
        .connection_facts = who & 8 ? &facts : NULL,
    };

    if (length == 0) {
        free(exact);
        return;
    }
    memcpy(exact, bytes.ptr, bytes.len);
    core->positions[connection][dir] += length;
    counters_add(&core->counters, COUNTER_operations, 1);
    pipeline_event(core->pipeline, &event);
    free(exact);
}

static void feed_other(struct core *core, uint8_t what, uint8_t who)
{
    struct event event = {
        .kind = what % 3 == 0 ? EVENT_CLOSE : what % 3 == 1 ? EVENT_LOSS : EVENT_TICK,
        .connection = (who & 3) + 1u,
    };

    core->now_ns += (uint64_t)who << (what >> 3);
    event.time_ns = core->now_ns;
    pipeline_event(core->pipeline, &event);
}

static void check(struct core *core)
{
    const struct counters *counters = &core->counters;

    assert(pipeline_open_exchanges(core->pipeline) == 0);
    assert(counters_sum(counters, COUNTER_OPERATIONS) ==
           counters_sum(counters, COUNTER_OPERATION_USED) +
               counters_sum(counters, COUNTER_OPERATION_LOST));
    assert(counters_sum(counters, COUNTER_EXCHANGES) ==
           counters_sum(counters, COUNTER_EXCHANGE_USED) +
               counters_sum(counters, COUNTER_EXCHANGE_LOST));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader reader = reader_make(bytes_make(data, size));
    struct core core = {.now_ns = 1000000000};
    struct pipeline_options options = {.settings = small_settings(), .counters = &core.counters,
                                       .set_verdict = set_verdict, .take_batch = take_batch,
                                       .arg = &core};

    if (pipeline_new(&options, &core.pipeline) < 0)
        abort();
    while (reader_left(&reader) >= 2) {
        uint8_t what = reader_u8(&reader), who = reader_u8(&reader);

        core.now_ns += 1000;
        if (what % 8 < 7)
            feed_data(&core, who, &reader);
        else
            feed_other(&core, what, who);
    }
    pipeline_flush(core.pipeline);
    check(&core);
    pipeline_free(core.pipeline);
    return 0;
}
