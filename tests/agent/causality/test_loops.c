/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that are hard to read, made up: event loops in one process that hand their calls to each
 * other, and threads that serve and call themselves. Ids are hidden: no token travels. A loop looks
 * like a thread that serves what it has read, as long as it has one request at a time.
 */
#include "base/macro.h"
#include "causality/causality.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define LOOPS_MAX 16
#define REQUESTS 4000
#define PROGRAMS 20

/* One request of each loop: it is read, its call sent and answered, and it is answered itself. */
struct served {
    struct cause request, call;
    uint32_t loop, caller; /* threads */
    unsigned step;
    uint64_t next_ns;
};

struct program {
    unsigned loops, connections; /* of each loop */
    unsigned call_percent;       /* of a request's time that its call takes */
    uint64_t idle_ns;            /* between two requests of a connection */
    bool hands_off;
    bool writes_behind; /* each thread makes one more call when it has answered */
};

struct result {
    unsigned calls, right, wrong;
};

static struct cause make(uint64_t *position, enum span_kind kind, uint32_t tid, uint64_t now_ns)
{
    return (struct cause){.kind = kind, .tgid = 1, .tid = tid, .process_start_ns = 1,
                          .start_ns = now_ns, .position = *position += 100, .other_start = 1,
                          .on_wire = true};
}

/* Most take their time, more or less. */
static uint64_t about(uint64_t ns)
{
    return ns / 2 + (uint64_t)rand() % (ns + 1);
}

/* A little of what the request takes is left to the hand-offs. */
static uint64_t step_ns(const struct program *program, unsigned step)
{
    uint64_t call = 100000 * program->call_percent, rest = 100000 * (100 - program->call_percent);

    return step == 0 ? about(program->idle_ns) : step == 2 ? about(call) : about(rest / 2 + 5000);
}

static void judge(struct result *result, const struct served *served)
{
    const struct cause *call = &served->call;

    result->calls++;
    if (span_id_equal(&call->parent_span_id, &served->request.span_id))
        result->right++;
    else
        result->wrong += !span_id_is_zero(&call->parent_span_id);
}

/* A call that is nobody's child. */
static void write_behind(struct causality *causality, uint64_t now_ns, uint32_t tid,
                         uint64_t *position, struct result *result)
{
    struct cause call = make(position, SPAN_KIND_CLIENT, tid, now_ns);

    assert_true(causality_begin(causality, &call));
    result->wrong += !span_id_is_zero(&call.parent_span_id);
    causality_end(causality, &call, true, tid, now_ns + 1000);
    causality_release(causality, &call);
}

static void take_step(struct causality *causality, const struct program *program,
                      struct served *served, uint64_t *position, struct result *result)
{
    uint64_t now_ns = served->next_ns;

    switch (served->step) {
    case 0:
        served->request = make(position, SPAN_KIND_SERVER, served->loop, now_ns);
        assert_true(causality_begin(causality, &served->request));
        break;
    case 1:
        served->caller =
            program->hands_off ? 1 + (uint32_t)rand() % program->loops : served->loop;
        served->call = make(position, SPAN_KIND_CLIENT, served->caller, now_ns);
        assert_true(causality_begin(causality, &served->call));
        judge(result, served);
        break;
    case 2:
        causality_end(causality, &served->call, true, served->caller, now_ns);
        causality_release(causality, &served->call);
        break;
    case 3:
        causality_end(causality, &served->request, true, served->loop, now_ns);
        causality_release(causality, &served->request);
        if (program->writes_behind)
            write_behind(causality, now_ns + 1000, served->loop, position, result);
        break;
    }
    served->step = (served->step + 1) % 4;
    served->next_ns = now_ns + step_ns(program, served->step);
}

static void run(const struct program *program, struct result *result)
{
    static struct served all[LOOPS_MAX * 4];
    struct counters counters = {0};
    struct causality_options options = {
        .max_causes = 1024, .max_processes = 4, .counters = &counters};
    struct causality *causality;
    unsigned n = program->loops * program->connections, end = result->calls + REQUESTS;
    uint64_t position = 1000;

    assert_int_equal(causality_new(&options, &causality), 0);
    for (unsigned i = 0; i < n; i++)
        all[i] = (struct served){.loop = 1 + i % program->loops, .next_ns = 1000000 + about(9000000)};
    while (result->calls < end) {
        struct served *next = &all[0];

        for (unsigned i = 1; i < n; i++)
            if (all[i].next_ns < next->next_ns)
                next = &all[i];
        take_step(causality, program, next, &position, result);
    }
    causality_free(causality);
}

static struct result run_many(const struct program *program)
{
    struct result result = {0};

    for (int i = 0; i < PROGRAMS; i++)
        run(program, &result);
    printf("%u loops, %u connections each, idle %.1f ms, calls take %u %%, %s: %u of %u right, "
           "%u wrong\n", program->loops, program->connections, (double)program->idle_ns / 1e6,
           program->call_percent, program->hands_off ? "handed off" : "own", result.right,
           result.calls, result.wrong);
    return result;
}

static void loops_that_hand_calls_to_each_other_get_one_wrong_parent_of_a_thousand_at_most(
    void **state)
{
    static const unsigned loops[] = {2, 4, 16}, percents[] = {95, 50, 20, 5};
    static const uint64_t idle_ns[] = {200000, 5000000, 20000000};
    struct result sum = {0};

    srand(1);
    for (size_t i = 0; i < ELEMENTSOF(loops) * ELEMENTSOF(percents) * ELEMENTSOF(idle_ns) * 2; i++) {
        struct program program = {loops[i / 24], 1 + i / 12 % 2, percents[i % 4],
                                  idle_ns[i / 4 % 3], true, false};
        struct result result = run_many(&program);
        /* Short calls of loops that always have something to do are the hardest. */
        bool hardest = program.call_percent < 20 && program.idle_ns < 1000000;

        assert_true(result.wrong * (hardest ? 200 : 1000) <= result.calls);
        sum.calls += result.calls;
        sum.wrong += result.wrong;
    }
    printf("%u of %u wrong\n", sum.wrong, sum.calls);
    assert_true(sum.wrong * 2000 <= sum.calls);
}

static void threads_that_serve_and_call_themselves_get_the_right_parents(void **state)
{
    srand(1);
    for (unsigned threads = 1; threads <= 16; threads *= 4)
        for (int behind = 0; behind <= 1; behind++) {
            struct result result =
                run_many(&(struct program){threads, 1, 50, 200000, false, behind});

            assert_int_equal(result.wrong, 0);
            assert_true(result.right * 100 >= result.calls * 95);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            loops_that_hand_calls_to_each_other_get_one_wrong_parent_of_a_thousand_at_most),
        cmocka_unit_test(threads_that_serve_and_call_themselves_get_the_right_parents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
