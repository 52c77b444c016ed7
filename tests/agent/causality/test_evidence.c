/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the open requests a call belongs to: what speaks for one, and when silence is right. */
#include "world.h"

#include <stdio.h>

#define LOOP 100    /* a process with one thread for all */
#define THREADS 200 /* a process with one thread for each */

/* Loops that hand their calls to each other: a call outlives the request that its thread serves. */
static void serve_in_loops(struct world *world, uint32_t tgid, int n)
{
    for (int i = 0; i < n; i++) {
        struct cause mine, other, inner;

        serve(world, &mine, tgid, 1, "");
        serve(world, &other, tgid, 2, "");
        call(world, &inner, tgid, 2, "");
        answer(world, &other, 2);
        finish(world, &inner);
        causality_release(world->causality, &other);
        answer(world, &mine, 1);
        causality_release(world->causality, &mine);
    }
}

static void expect(const struct cause *cause, const struct cause *parent, enum evidence evidence)
{
    assert_int_equal(cause->evidence, evidence);
    assert_true(span_id_equal(&cause->parent_span_id, &parent->span_id));
}

static void expect_nobody(const struct cause *cause)
{
    assert_int_equal(cause->evidence, EVIDENCE_NONE);
    assert_true(span_id_is_zero(&cause->parent_span_id));
}

static void a_rare_token_names_the_request_that_has_it(void **state)
{
    struct world *world = *state;
    struct cause a, b, c;

    serve(world, &a, LOOP, 1, "GET /x/order-0001");
    serve(world, &b, LOOP, 1, "GET /x/order-0002");
    call(world, &c, LOOP, 1, "GET /y/order-0002");
    expect(&c, &b, EVIDENCE_CONTENT);
    assert_int_equal(counters_get(&world->counters, COUNTER_parents_tie), 0);
    finish(world, &c);
    finish(world, &a);
    finish(world, &b);
}

static void a_token_of_the_body_counts_like_one_of_the_head(void **state)
{
    struct world *world = *state;
    struct cause a, b, c;

    begin(world, &a, SPAN_KIND_SERVER, LOOP, 1, "POST /x", "{\"id\":\"order-0001\"}");
    serve(world, &b, LOOP, 1, "POST /x");
    begin(world, &c, SPAN_KIND_CLIENT, LOOP, 1, "POST /y", "id=order-0001&");
    expect(&c, &a, EVIDENCE_CONTENT);
    finish(world, &c);
    finish(world, &a);
    finish(world, &b);
}

static void a_body_that_comes_after_the_head_still_names_the_parent(void **state)
{
    struct world *world = *state;
    struct cause a, b, c;
    struct lineage of_a, of_c;

    serve(world, &a, LOOP, 1, "POST /x");
    causality_content(world->causality, &a, BYTES_LITERAL("id=order-0001"));
    serve(world, &b, LOOP, 1, "POST /x");
    call(world, &c, LOOP, 1, "POST /y");
    expect_nobody(&c);
    causality_content(world->causality, &c, BYTES_LITERAL("id=order-0001"));
    expect(&c, &a, EVIDENCE_CONTENT);
    causality_settle(world->causality, &c, &of_c);
    causality_settle(world->causality, &a, &of_a);
    assert_memory_equal(&of_a.trace_id, &of_c.trace_id, sizeof(of_a.trace_id));
    finish(world, &c);
    finish(world, &a);
    finish(world, &b);
}

static void a_token_that_two_open_requests_share_is_a_tie(void **state)
{
    struct world *world = *state;
    struct cause a, b, c;
    struct lineage lineage;

    serve(world, &a, LOOP, 1, "GET /x/order-0001");
    serve(world, &b, LOOP, 1, "GET /z/order-0001");
    call(world, &c, LOOP, 1, "GET /y/order-0001");
    expect_nobody(&c);
    causality_settle(world->causality, &c, &lineage);
    assert_true(lineage.parent_unknown);
    finish(world, &c);
    finish(world, &a);
    finish(world, &b);
}

static void a_shared_token_says_nothing_where_a_rarer_one_decides(void **state)
{
    struct world *world = *state;
    struct cause a, b, c;

    serve(world, &a, LOOP, 1, "GET /x/order-0001?shop=shop-17-b");
    serve(world, &b, LOOP, 1, "GET /x/order-0002?shop=shop-17-b");
    call(world, &c, LOOP, 1, "GET /y/order-0001?shop=shop-17-b");
    expect(&c, &a, EVIDENCE_CONTENT);
    finish(world, &c);
    finish(world, &a);
    finish(world, &b);
}

/* Dates, versions and hosts: after a few requests they are known to say nothing. */
static void tokens_that_are_in_every_request_do_not_count(void **state)
{
    struct world *world = *state;
    struct cause warm, other, mine, c;

    for (int i = 0; i < BOUND; i++) {
        serve(world, &warm, LOOP, 1, "Host: web-prod1.example v: agent-2-17 d: 2023-11-14");
        finish(world, &warm);
    }
    serve(world, &mine, LOOP, 1, "GET /x");
    serve(world, &other, LOOP, 1, "Host: web-prod1.example v: agent-2-17 d: 2023-11-14");
    call(world, &c, LOOP, 1, "Host: web-prod1.example v: agent-2-17 d: 2023-11-14");
    expect_nobody(&c);
    finish(world, &c);
    finish(world, &mine);
    finish(world, &other);
}

/*
 * What the process sends of its own accord, like its keys, explains nothing, whoever else knows it.
 */
static void a_request_that_carries_the_servers_own_tokens_becomes_nobodys_parent(void **state)
{
    struct world *world = *state;
    struct cause honest, hostile, c;

    for (int i = 0; i < BOUND; i++) {
        serve(world, &honest, LOOP, 1, "GET /x");
        call(world, &c, LOOP, 1, "GET /y Key: secret-key-42");
        finish(world, &c);
        finish(world, &honest);
    }
    serve(world, &honest, LOOP, 1, "GET /x");
    serve(world, &hostile, LOOP, 1, "GET /x?secret-key-42");
    call(world, &c, LOOP, 1, "GET /y Key: secret-key-42");
    expect_nobody(&c);
    finish(world, &c);
    finish(world, &honest);
    finish(world, &hostile);
}

static void a_request_that_carries_anothers_tokens_takes_no_call_from_it(void **state)
{
    struct world *world = *state;
    struct cause victim, hostile, c;

    serve(world, &victim, LOOP, 1, "GET /x/order-0001");
    serve(world, &hostile, LOOP, 1, "GET /x/order-0001/order-0002/order-0003");
    call(world, &c, LOOP, 1, "GET /y/order-0001");
    expect_nobody(&c);
    finish(world, &c);
    finish(world, &victim);
    finish(world, &hostile);
}

static void very_many_tokens_push_nobodys_token_aside(void **state)
{
    struct world *world = *state;
    struct cause victim, hostile, c;
    char many[2000] = "GET /x", *at = many + strlen(many);

    for (int i = 0; i < 100; i++)
        at += sprintf(at, "/order-%04d", i);
    serve(world, &victim, LOOP, 1, many);
    serve(world, &hostile, LOOP, 1, "GET /x/order-0099");
    call(world, &c, LOOP, 1, "GET /y/order-0099");
    expect_nobody(&c);
    finish(world, &c);
    finish(world, &victim);
    finish(world, &hostile);
}

static void tokens_that_name_two_requests_are_a_tie(void **state)
{
    struct world *world = *state;
    struct cause a, b, c;

    serve(world, &a, LOOP, 1, "GET /x/order-0001");
    serve(world, &b, LOOP, 1, "GET /x/order-0002");
    call(world, &c, LOOP, 1, "GET /y/order-0001/order-0002/order-0001");
    expect_nobody(&c);
    finish(world, &c);
    finish(world, &a);
    finish(world, &b);
}

static void tokens_of_another_process_do_not_count(void **state)
{
    struct world *world = *state;
    struct cause a, b, c;

    serve(world, &a, LOOP, 1, "GET /x/order-0001");
    serve(world, &b, THREADS, 1, "GET /x/order-0002");
    call(world, &c, THREADS, 1, "GET /y/order-0001");
    expect(&c, &b, EVIDENCE_ONLY);
    finish(world, &c);
    finish(world, &a);
    finish(world, &b);
}

static void where_thread_and_content_disagree_the_parent_is_unknown(void **state)
{
    struct world *world = *state;
    struct cause a, b, c;

    serve_in_turn(world, THREADS, 1, BOUND);
    serve(world, &a, THREADS, 1, "GET /x/order-0001");
    serve(world, &b, THREADS, 2, "GET /x/order-0002");
    call(world, &c, THREADS, 1, "GET /y/order-0002");
    expect_nobody(&c);
    assert_int_equal(counters_get(&world->counters, COUNTER_parents_tie), 1);
    finish(world, &c);
    finish(world, &a);
    finish(world, &b);
}

static void where_calls_outlive_what_their_thread_serves_it_decides_nothing(void **state)
{
    struct world *world = *state;
    struct cause first, second, inner;

    serve_in_turn(world, THREADS, 1, BOUND);
    serve_in_loops(world, THREADS, 8);
    serve(world, &first, THREADS, 1, "");
    serve(world, &second, THREADS, 2, "");
    call(world, &inner, THREADS, 2, "");
    expect_nobody(&inner);
    finish(world, &inner);
    finish(world, &second);
    finish(world, &first);
}

static void the_thread_decides_where_a_token_is_shared(void **state)
{
    struct world *world = *state;
    struct cause a, b, c;

    serve_in_turn(world, THREADS, 1, BOUND);
    serve(world, &a, THREADS, 1, "GET /x/order-0001");
    serve(world, &b, THREADS, 2, "GET /x/order-0001");
    call(world, &c, THREADS, 1, "GET /y/order-0001");
    expect(&c, &a, EVIDENCE_THREAD);
    finish(world, &c);
    finish(world, &a);
    finish(world, &b);
}

static void a_helper_thread_that_carries_the_id_calls_for_the_request(void **state)
{
    struct world *world = *state;
    struct cause a, b, c;

    serve_in_turn(world, THREADS, 1, BOUND);
    serve(world, &a, THREADS, 1, "GET /x/order-0001");
    serve(world, &b, THREADS, 2, "GET /x/order-0002");
    call(world, &c, THREADS, 9, "GET /y/order-0002");
    expect(&c, &b, EVIDENCE_CONTENT);
    finish(world, &c);
    finish(world, &a);
    finish(world, &b);
}

static void requests_in_one_thread_in_turn_each_have_their_own_calls(void **state)
{
    struct world *world = *state;
    struct cause other, request, c;

    serve_in_turn(world, THREADS, 1, BOUND);
    serve(world, &other, THREADS, 2, "");
    for (int i = 0; i < 3; i++) {
        serve(world, &request, THREADS, 1, "");
        call(world, &c, THREADS, 1, "");
        expect(&c, &request, EVIDENCE_THREAD);
        finish(world, &c);
        call(world, &c, THREADS, 1, "");
        expect(&c, &request, EVIDENCE_THREAD);
        finish(world, &c);
        finish(world, &request);
    }
    finish(world, &other);
}

static void a_request_nested_in_another_of_its_thread_is_a_tie(void **state)
{
    struct world *world = *state;
    struct cause outer, inner, c;

    serve_in_turn(world, THREADS, 1, BOUND);
    serve(world, &outer, THREADS, 1, "");
    serve(world, &inner, THREADS, 1, "");
    call(world, &c, THREADS, 1, "");
    expect_nobody(&c);
    finish(world, &c);
    finish(world, &inner);
    finish(world, &outer);
}

static void behind_an_abandoned_request_another_only_one_proves_nothing(void **state)
{
    struct world *world = *state;
    struct cause abandoned, other, c;

    serve(world, &abandoned, LOOP, 1, "");
    causality_end(world->causality, &abandoned, false, 1, world->now_ns);
    causality_release(world->causality, &abandoned);
    serve(world, &other, LOOP, 1, "");
    call(world, &c, LOOP, 1, "");
    expect_nobody(&c);
    finish(world, &c);
    world->now_ns += UINT64_C(61000000000);
    call(world, &c, LOOP, 1, "");
    expect(&c, &other, EVIDENCE_ONLY);
    finish(world, &c);
    finish(world, &other);
}

static void a_call_after_the_answer_has_no_parent_but_a_link(void **state)
{
    struct world *world = *state;
    struct cause served, other, c;
    struct lineage of_served, lineage;

    serve_in_turn(world, THREADS, 2, BOUND);
    serve(world, &other, THREADS, 2, "");
    serve(world, &served, THREADS, 1, "");
    answer(world, &served, 1);
    causality_settle(world->causality, &served, &of_served);
    causality_release(world->causality, &served);
    call(world, &c, THREADS, 1, "");
    expect_nobody(&c);
    causality_settle(world->causality, &c, &lineage);
    assert_memory_equal(&lineage.linked_trace_id, &of_served.trace_id, 16);
    assert_memory_equal(&lineage.linked_span_id, &of_served.span_id, 8);
    assert_memory_not_equal(&lineage.trace_id, &of_served.trace_id, 16);
    finish(world, &c);
    world->now_ns += 2000000000;
    call(world, &c, THREADS, 1, "");
    causality_settle(world->causality, &c, &lineage);
    assert_true(span_id_is_zero(&lineage.linked_span_id));
    finish(world, &c);
    finish(world, &other);
}

static void a_fork_after_accept_is_judged_by_its_own_requests(void **state)
{
    struct world *world = *state;
    struct cause of_parent, of_child, c;

    serve(world, &of_parent, LOOP, LOOP, "");
    serve(world, &of_child, LOOP + 1, LOOP + 1, "");
    call(world, &c, LOOP + 1, LOOP + 1, "");
    expect(&c, &of_child, EVIDENCE_ONLY);
    finish(world, &c);
    finish(world, &of_child);
    finish(world, &of_parent);
}

static void a_process_that_changes_its_ways_is_learnt_anew(void **state)
{
    struct world *world = *state;
    struct cause first, second, other, c;

    serve_in_turn(world, THREADS, 1, BOUND);
    serve(world, &first, THREADS, 1, "");
    serve(world, &second, THREADS, 1, "");
    finish(world, &first);
    finish(world, &second);
    for (int i = 0; i < 2; i++) {
        serve_in_turn(world, THREADS, 1, i == 0 ? 4 * BOUND - 2 : 1);
        serve(world, &other, THREADS, 2, "");
        serve(world, &first, THREADS, 1, "");
        call(world, &c, THREADS, 1, "");
        if (i == 0)
            expect_nobody(&c);
        else
            expect(&c, &first, EVIDENCE_THREAD);
        finish(world, &c);
        finish(world, &first);
        finish(world, &other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_rare_token_names_the_request_that_has_it),
        TEST(a_token_of_the_body_counts_like_one_of_the_head),
        TEST(a_body_that_comes_after_the_head_still_names_the_parent),
        TEST(a_token_that_two_open_requests_share_is_a_tie),
        TEST(a_shared_token_says_nothing_where_a_rarer_one_decides),
        TEST(tokens_that_are_in_every_request_do_not_count),
        TEST(a_request_that_carries_the_servers_own_tokens_becomes_nobodys_parent),
        TEST(a_request_that_carries_anothers_tokens_takes_no_call_from_it),
        TEST(very_many_tokens_push_nobodys_token_aside),
        TEST(tokens_that_name_two_requests_are_a_tie),
        TEST(tokens_of_another_process_do_not_count),
        TEST(where_thread_and_content_disagree_the_parent_is_unknown),
        TEST(where_calls_outlive_what_their_thread_serves_it_decides_nothing),
        TEST(the_thread_decides_where_a_token_is_shared),
        TEST(a_helper_thread_that_carries_the_id_calls_for_the_request),
        TEST(requests_in_one_thread_in_turn_each_have_their_own_calls),
        TEST(a_request_nested_in_another_of_its_thread_is_a_tie),
        TEST(behind_an_abandoned_request_another_only_one_proves_nothing),
        TEST(a_call_after_the_answer_has_no_parent_but_a_link),
        TEST(a_fork_after_accept_is_judged_by_its_own_requests),
        TEST(a_process_that_changes_its_ways_is_learnt_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
