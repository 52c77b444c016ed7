/* SPDX-License-Identifier: Apache-2.0 */
/* The world of causality's tests; see world.h. */
#include "world.h"

int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct causality_options options = {
        .max_causes = 1024, .max_processes = 64, .counters = &world->counters};

    world->now_ns = UINT64_C(1700000000000000000);
    world->next_position = 5000;
    assert_int_equal(causality_new(&options, &world->causality), 0);
    *state = world;
    return 0;
}

int teardown(void **state)
{
    struct world *world = *state;

    causality_free(world->causality);
    free(world);
    return 0;
}

struct cause make(struct world *world, enum span_kind kind, uint32_t tgid, uint32_t tid,
                  uint64_t position)
{
    return (struct cause){
        .kind = kind,
        .tgid = tgid,
        .tid = tid,
        .process_start_ns = 1,
        .start_ns = world->now_ns += 1000,
        .position = position,
        .other_start = 77,
        .on_wire = true,
    };
}

void begin(struct world *world, struct cause *cause, enum span_kind kind, uint32_t tgid,
           uint32_t tid, const char *head, const char *content)
{
    *cause = make(world, kind, tgid, tid, world->next_position += 100);
    cause->head = bytes_from_string(head);
    cause->content = bytes_from_string(content);
    assert_true(causality_begin(world->causality, cause));
}

void serve(struct world *world, struct cause *cause, uint32_t tgid, uint32_t tid,
                  const char *head)
{
    begin(world, cause, SPAN_KIND_SERVER, tgid, tid, head, "");
}

void call(struct world *world, struct cause *cause, uint32_t tgid, uint32_t tid,
                 const char *head)
{
    begin(world, cause, SPAN_KIND_CLIENT, tgid, tid, head, "");
}

void answer(struct world *world, struct cause *cause, uint32_t tid)
{
    causality_end(world->causality, cause, true, tid, world->now_ns += 1000);
}

void finish(struct world *world, struct cause *cause)
{
    answer(world, cause, cause->tid);
    causality_release(world->causality, cause);
}

void serve_in_turn(struct world *world, uint32_t tgid, uint32_t tid, int n)
{
    for (int i = 0; i < n; i++) {
        struct cause request, inner;

        serve(world, &request, tgid, tid, "");
        call(world, &inner, tgid, tid, "");
        finish(world, &inner);
        finish(world, &request);
    }
}

struct lineage settle(struct world *world, struct cause *cause)
{
    struct lineage lineage;

    causality_settle(world->causality, cause, &lineage);
    return lineage;
}
