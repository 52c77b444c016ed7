/* SPDX-License-Identifier: Apache-2.0 */
/* The fusing rule: who may be a parent, and when silence is the answer. */
#include "world.h"

#include "causality/ids.h"

#define NGINX 100
#define PYTHON 200

static void the_two_ends_of_an_exchange_are_parent_and_child_in_one_trace(void **state)
{
    struct world *world = *state;
    struct cause client = make(world, SPAN_KIND_CLIENT, NGINX, 1, 500);
    struct cause server = make(world, SPAN_KIND_SERVER, PYTHON, 2, 500);

    assert_true(causality_begin(world->causality, &client));
    assert_true(causality_begin(world->causality, &server));
    struct lineage c = settle(world, &client), s = settle(world, &server);
    assert_memory_equal(&c.trace_id, &s.trace_id, sizeof(c.trace_id));
    assert_memory_equal(&c.span_id, &s.parent_span_id, sizeof(c.span_id));
    assert_true(span_id_is_zero(&c.parent_span_id));
    assert_int_equal(s.evidence, EVIDENCE_WIRE);
    finish(world, &server);
    finish(world, &client);
}

static void the_order_of_the_two_ends_records_does_not_matter(void **state)
{
    struct world *world = *state;
    struct cause server = make(world, SPAN_KIND_SERVER, PYTHON, 2, 500);
    struct cause client = make(world, SPAN_KIND_CLIENT, NGINX, 1, 500);

    assert_true(causality_begin(world->causality, &server));
    assert_true(causality_begin(world->causality, &client));
    struct lineage c = settle(world, &client), s = settle(world, &server);
    assert_memory_equal(&c.trace_id, &s.trace_id, sizeof(c.trace_id));
    assert_memory_equal(&c.span_id, &s.parent_span_id, sizeof(c.span_id));
    assert_true(c.start_moved);
    assert_true(c.start_ns <= s.start_ns);
    finish(world, &server);
    finish(world, &client);
}

static void two_hosts_derive_the_same_ids_without_talking(void **state)
{
    struct world *world = *state;
    struct cause server = make(world, SPAN_KIND_SERVER, PYTHON, 2, 500);
    uint64_t key = ids_key(500, 77);
    struct span_id client_id = ids_span(key, SPAN_KIND_CLIENT);
    struct trace_id trace_id = ids_trace(key);

    assert_true(causality_begin(world->causality, &server));
    struct lineage s = settle(world, &server);
    assert_true(span_id_is_zero(&s.parent_span_id));
    assert_memory_equal(&s.peer_span_id, &client_id, sizeof(client_id));
    assert_memory_equal(&s.trace_id, &trace_id, sizeof(trace_id));
    finish(world, &server);
}

static void the_only_open_request_of_the_process_is_the_parent(void **state)
{
    struct world *world = *state;
    struct cause request, sent;

    serve(world, &request, NGINX, 1, "");
    call(world, &sent, NGINX, 9, "");
    assert_int_equal(sent.evidence, EVIDENCE_ONLY);
    assert_memory_equal(&sent.parent_span_id, &request.span_id, sizeof(request.span_id));
    finish(world, &sent);
    finish(world, &request);
}

static void two_open_requests_are_a_tie_and_a_tie_is_unknown(void **state)
{
    struct world *world = *state;
    struct cause first, second, sent;

    serve(world, &first, NGINX, 1, "");
    serve(world, &second, NGINX, 1, "");
    call(world, &sent, NGINX, 1, "");
    assert_int_equal(sent.evidence, EVIDENCE_NONE);
    struct lineage lineage = settle(world, &sent);
    assert_true(lineage.parent_unknown);
    assert_true(span_id_is_zero(&lineage.parent_span_id));
    assert_int_equal(counters_get(&world->counters, COUNTER_parents_tie), 1);
    finish(world, &sent);
    finish(world, &second);
    finish(world, &first);
}

static void the_thread_decides_in_a_process_that_is_thread_bound(void **state)
{
    struct world *world = *state;
    struct cause first, second, sent;

    serve_in_turn(world, PYTHON, 1, BOUND);
    serve(world, &first, PYTHON, 1, "");
    serve(world, &second, PYTHON, 2, "");
    call(world, &sent, PYTHON, 1, "");
    assert_int_equal(sent.evidence, EVIDENCE_THREAD);
    assert_memory_equal(&sent.parent_span_id, &first.span_id, sizeof(first.span_id));
    finish(world, &sent);
    finish(world, &second);
    finish(world, &first);
}

static void a_thread_that_serves_nothing_calls_for_nobody(void **state)
{
    struct world *world = *state;
    struct cause request, sent;

    serve_in_turn(world, PYTHON, 1, BOUND);
    serve(world, &request, PYTHON, 1, "");
    call(world, &sent, PYTHON, 9, "");
    assert_int_equal(sent.evidence, EVIDENCE_NONE);
    assert_true(settle(world, &sent).parent_unknown);
    finish(world, &sent);
    finish(world, &request);
}

static void in_a_process_that_is_blind_the_only_request_proves_nothing(void **state)
{
    struct world *world = *state;
    struct cause request, sent;

    causality_note_blind(world->causality, NGINX, 1, UINT64_MAX);
    serve(world, &request, NGINX, 1, "");
    call(world, &sent, NGINX, 1, "");
    assert_int_equal(sent.evidence, EVIDENCE_NONE);
    finish(world, &sent);
    finish(world, &request);
}

static void in_a_process_that_is_blind_the_thread_proves_nothing_either(void **state)
{
    struct world *world = *state;
    struct cause request, sent;

    serve_in_turn(world, NGINX, 1, BOUND);
    causality_note_blind(world->causality, NGINX, 1, UINT64_MAX);
    serve(world, &request, NGINX, 1, "");
    call(world, &sent, NGINX, 1, "");
    assert_int_equal(sent.evidence, EVIDENCE_NONE);
    assert_true(settle(world, &sent).parent_unknown);
    finish(world, &sent);
    finish(world, &request);
}

static void one_thread_with_two_open_requests_ends_thread_evidence_at_once(void **state)
{
    struct world *world = *state;
    struct cause first, second, other, sent;

    serve_in_turn(world, NGINX, 1, BOUND);
    serve(world, &other, NGINX, 2, "");
    serve(world, &first, NGINX, 1, "");
    serve(world, &second, NGINX, 1, "");
    call(world, &sent, NGINX, 2, "");
    assert_int_equal(sent.evidence, EVIDENCE_NONE);
    finish(world, &sent);
    finish(world, &second);
    finish(world, &first);
    finish(world, &other);
}

static void an_answer_from_another_thread_ends_thread_evidence(void **state)
{
    struct world *world = *state;
    struct cause handed_off, first, second, sent;

    serve_in_turn(world, PYTHON, 1, BOUND);
    serve(world, &handed_off, PYTHON, 1, "");
    causality_end(world->causality, &handed_off, true, 5, world->now_ns);
    causality_release(world->causality, &handed_off);
    serve(world, &first, PYTHON, 1, "");
    serve(world, &second, PYTHON, 2, "");
    call(world, &sent, PYTHON, 1, "");
    assert_int_equal(sent.evidence, EVIDENCE_NONE);
    finish(world, &sent);
    finish(world, &second);
    finish(world, &first);
}

static void an_answered_request_is_nobodys_parent(void **state)
{
    struct world *world = *state;
    struct cause request, sent;

    serve(world, &request, PYTHON, 1, "");
    causality_end(world->causality, &request, true, 1, world->now_ns);
    call(world, &sent, PYTHON, 1, "");
    assert_int_equal(sent.evidence, EVIDENCE_NONE);
    assert_false(settle(world, &sent).parent_unknown);
    finish(world, &sent);
    causality_release(world->causality, &request);
}

static void a_process_that_calls_itself_does_not_become_its_own_parent(void **state)
{
    struct world *world = *state;
    struct cause server = make(world, SPAN_KIND_SERVER, PYTHON, 1, 500);
    struct cause client = make(world, SPAN_KIND_CLIENT, PYTHON, 2, 500);

    assert_true(causality_begin(world->causality, &server));
    assert_true(causality_begin(world->causality, &client));
    assert_int_equal(client.evidence, EVIDENCE_NONE);
    assert_memory_equal(&server.parent_span_id, &client.span_id, sizeof(client.span_id));
    finish(world, &server);
    finish(world, &client);
}

static void a_carried_context_is_the_parent_of_both_ends(void **state)
{
    struct world *world = *state;
    struct cause client = make(world, SPAN_KIND_CLIENT, NGINX, 1, 500);
    struct cause server = make(world, SPAN_KIND_SERVER, PYTHON, 2, 500);
    struct trace_context context = {.trace_id = {{1}}, .span_id = {{2}}, .flags = 1};

    client.carried = server.carried = true;
    client.context = server.context = context;
    assert_true(causality_begin(world->causality, &client));
    assert_true(causality_begin(world->causality, &server));
    struct lineage c = settle(world, &client), s = settle(world, &server);
    assert_memory_equal(&c.trace_id, &context.trace_id, sizeof(c.trace_id));
    assert_memory_equal(&c.parent_span_id, &context.span_id, sizeof(context.span_id));
    assert_memory_equal(&s.parent_span_id, &context.span_id, sizeof(context.span_id));
    assert_memory_equal(&s.linked_span_id, &c.span_id, sizeof(c.span_id));
    finish(world, &server);
    finish(world, &client);
}

static void a_request_that_denies_sampling_begins_a_trace_that_is_not_sampled(void **state)
{
    struct world *world = *state;
    struct cause outer = make(world, SPAN_KIND_SERVER, NGINX, 1, 400);
    struct cause client = make(world, SPAN_KIND_CLIENT, NGINX, 1, 500);
    struct cause server = make(world, SPAN_KIND_SERVER, PYTHON, 2, 500);
    struct cause sent;

    client.denied = server.denied = true;
    assert_true(causality_begin(world->causality, &outer));
    assert_true(causality_begin(world->causality, &client));
    assert_true(causality_begin(world->causality, &server));
    call(world, &sent, PYTHON, 2, "");
    struct lineage o = settle(world, &outer), c = settle(world, &client), s = settle(world, &server);
    struct lineage inner = settle(world, &sent);
    assert_int_equal(o.flags & 1, 1);
    assert_int_equal(c.flags & 1, 0);
    assert_int_equal(s.flags & 1, 0);
    assert_int_equal(inner.flags & 1, 0);
    assert_memory_equal(&s.trace_id, &c.trace_id, sizeof(c.trace_id));
    assert_memory_not_equal(&o.trace_id, &c.trace_id, sizeof(c.trace_id));
    finish(world, &sent);
    finish(world, &server);
    finish(world, &client);
    finish(world, &outer);
}

static void a_chain_settles_into_one_trace_from_its_innermost_span_on(void **state)
{
    struct world *world = *state;
    struct cause outer = make(world, SPAN_KIND_CLIENT, 300, 3, 500);
    struct cause request = make(world, SPAN_KIND_SERVER, NGINX, 1, 500);
    struct cause sent, inner;

    assert_true(causality_begin(world->causality, &outer));
    assert_true(causality_begin(world->causality, &request));
    call(world, &sent, NGINX, 1, "");
    inner = make(world, SPAN_KIND_SERVER, PYTHON, 2, sent.position);
    assert_true(causality_begin(world->causality, &inner));
    struct lineage last = settle(world, &inner);
    finish(world, &inner);
    finish(world, &sent);
    finish(world, &request);
    struct lineage first = settle(world, &outer);
    assert_memory_equal(&first.trace_id, &last.trace_id, sizeof(first.trace_id));
    finish(world, &outer);
}

static void a_late_client_end_joins_where_no_id_was_used_and_is_counted_where_one_was(void **state)
{
    struct world *world = *state;
    struct cause request, server, client;

    serve(world, &request, NGINX, 1, "");
    server = make(world, SPAN_KIND_SERVER, PYTHON, 2, 600);
    assert_true(causality_begin(world->causality, &server));
    settle(world, &server);
    client = make(world, SPAN_KIND_CLIENT, NGINX, 1, 600);
    assert_true(causality_begin(world->causality, &client));
    assert_int_equal(counters_get(&world->counters, COUNTER_joins_late), 1);
    finish(world, &client);
    finish(world, &server);
    finish(world, &request);
}

static void after_a_loss_a_single_candidate_proves_nothing_for_a_while(void **state)
{
    struct world *world = *state;
    struct cause request, sent;

    causality_note_loss(world->causality, world->now_ns);
    serve(world, &request, NGINX, 1, "");
    call(world, &sent, NGINX, 1, "");
    assert_int_equal(sent.evidence, EVIDENCE_NONE);
    finish(world, &sent);
    world->now_ns += 2000000000u;
    call(world, &sent, NGINX, 1, "");
    assert_int_equal(sent.evidence, EVIDENCE_ONLY);
    finish(world, &sent);
    finish(world, &request);
}

/* Of a request its tokens, of a process its model: both from pools, and no more than there are. */
static void what_has_no_room_is_refused_and_processes_give_way_only_when_they_are_idle(void **state)
{
    struct counters counters = {0};
    struct causality_options options = {
        .max_causes = 2, .max_processes = 1, .counters = &counters};
    struct world small = {.now_ns = 1000};
    struct cause first, second, sent;

    assert_int_equal(causality_new(&options, &small.causality), 0);
    for (int i = 0; i < 1000; i++) {
        serve(&small, &first, NGINX, 1, "GET /order-0001");
        serve(&small, &second, PYTHON, 1, "GET /order-0002");
        assert_null(second.process); /* its calls will have no parent */
        finish(&small, &second);
        finish(&small, &first);
        serve(&small, &second, PYTHON, 1, "GET /order-0002");
        assert_non_null(second.process);
        call(&small, &sent, PYTHON, 1, "GET /order-0002");
        assert_int_not_equal(sent.evidence, EVIDENCE_NONE);
        finish(&small, &sent);
        finish(&small, &second);
    }
    causality_free(small.causality);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(the_two_ends_of_an_exchange_are_parent_and_child_in_one_trace),
        TEST(the_order_of_the_two_ends_records_does_not_matter),
        TEST(two_hosts_derive_the_same_ids_without_talking),
        TEST(the_only_open_request_of_the_process_is_the_parent),
        TEST(two_open_requests_are_a_tie_and_a_tie_is_unknown),
        TEST(the_thread_decides_in_a_process_that_is_thread_bound),
        TEST(a_thread_that_serves_nothing_calls_for_nobody),
        TEST(in_a_process_that_is_blind_the_only_request_proves_nothing),
        TEST(in_a_process_that_is_blind_the_thread_proves_nothing_either),
        TEST(one_thread_with_two_open_requests_ends_thread_evidence_at_once),
        TEST(an_answer_from_another_thread_ends_thread_evidence),
        TEST(an_answered_request_is_nobodys_parent),
        TEST(a_process_that_calls_itself_does_not_become_its_own_parent),
        TEST(a_carried_context_is_the_parent_of_both_ends),
        TEST(a_request_that_denies_sampling_begins_a_trace_that_is_not_sampled),
        TEST(a_chain_settles_into_one_trace_from_its_innermost_span_on),
        TEST(a_late_client_end_joins_where_no_id_was_used_and_is_counted_where_one_was),
        TEST(after_a_loss_a_single_candidate_proves_nothing_for_a_while),
        TEST(what_has_no_room_is_refused_and_processes_give_way_only_when_they_are_idle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
