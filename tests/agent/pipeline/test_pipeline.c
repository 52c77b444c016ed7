/* SPDX-License-Identifier: Apache-2.0 */
/* Events in, batches out: grace, batch limits, processes, and that the same goes in and out. */
#include "pipeline/pipeline.h"

#include "base/buffer.h"
#include "enrich/process.h"
#include "otlp/otlp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define REQUEST "GET /orders/4711?token=abc HTTP/1.1\r\nHost: shop\r\n\r\n"
#define RESPONSE "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define MS UINT64_C(1000000)
#define CURL 10
#define NGINX 20
#define TEXT_MAX 128

struct seen {
    struct trace_id trace_id;
    struct span_id span_id, parent_span_id;
    struct span_id linked_span_id;
    enum span_kind kind;
    uint32_t flags;
    char name[TEXT_MAX], trace_state[TEXT_MAX];
    char service[TEXT_MAX], peer[TEXT_MAX], query[TEXT_MAX], baggage[TEXT_MAX];
    char ambiguous[TEXT_MAX];
    char team[TEXT_MAX];
    unsigned n_attributes, dropped;
    bool incomplete;
};

struct world {
    struct pipeline *pipeline;
    struct settings *settings;
    struct counters counters;
    uint64_t now_ns;
    size_t n_batches, n_seen;
    struct seen seen[64];
    struct buffer bytes; /* all batches as requests */
};

static void copy_text(const struct attribute *attributes, size_t n, const char *key, char *out)
{
    for (size_t i = 0; i < n; i++)
        if (bytes_equal(attributes[i].key, bytes_from_string(key)))
            snprintf(out, TEXT_MAX, "%.*s", BYTES_PRINTF(attributes[i].text));
}

static void take_span(void *arg, const struct attribute *resource, size_t n_resource,
                      const struct span *span)
{
    struct world *world = arg;
    struct seen *seen = &world->seen[world->n_seen++];

    *seen = (struct seen){
        .trace_id = span->trace_id,
        .span_id = span->span_id,
        .parent_span_id = span->parent_span_id,
        .kind = span->kind,
        .flags = span->flags,
        .n_attributes = span->n_attributes,
        .dropped = span->dropped_attributes,
    };
    if (span->n_links)
        seen->linked_span_id = span->links[0].span_id;
    snprintf(seen->name, TEXT_MAX, "%.*s", BYTES_PRINTF(span->name));
    snprintf(seen->trace_state, TEXT_MAX, "%.*s", BYTES_PRINTF(span->trace_state));
    copy_text(resource, n_resource, "service.name", seen->service);
    copy_text(resource, n_resource, "team", seen->team);
    copy_text(span->attributes, span->n_attributes, "flowtrace.peer.span_id", seen->peer);
    copy_text(span->attributes, span->n_attributes, "url.query", seen->query);
    copy_text(span->attributes, span->n_attributes, "baggage.tenant", seen->baggage);
    copy_text(span->attributes, span->n_attributes, "flowtrace.http.ambiguous", seen->ambiguous);
    seen->incomplete = span_find(span, BYTES_LITERAL("flowtrace.incomplete")) != NULL;
}

static void take_batch(void *arg, struct batch *batch)
{
    struct world *world = arg;

    world->n_batches++;
    assert_int_equal(otlp_encode_request(batch, &world->bytes), 0);
    assert_int_equal(otlp_decode_batch(batch, take_span, world), 0);
}

static void set_verdict(void *arg, uint64_t connection, struct verdict verdict)
{
    /* Nobody listens. */
}

static struct world *make_world(char *const *assignments, size_t n)
{
    struct world *world = calloc(1, sizeof(*world));
    struct pipeline_options options = {.counters = &world->counters, .set_verdict = set_verdict,
                                       .take_batch = take_batch, .arg = world};

    world->bytes = buffer_make(1 << 20);
    world->now_ns = 1000 * MS;
    assert_int_equal(settings_load(NULL, assignments, n, NULL, &world->settings), 0);
    options.settings = world->settings;
    assert_int_equal(pipeline_new(&options, &world->pipeline), 0);
    return world;
}

static void free_world(struct world *world)
{
    pipeline_flush(world->pipeline);
    assert_int_equal(pipeline_open_exchanges(world->pipeline), 0);
    assert_int_equal(counters_sum(&world->counters, COUNTER_EXCHANGES),
                     counters_sum(&world->counters, COUNTER_EXCHANGE_USED) +
                         counters_sum(&world->counters, COUNTER_EXCHANGE_LOST));
    pipeline_free(world->pipeline);
    settings_free(world->settings);
    buffer_done(&world->bytes);
    free(world);
}

static int setup(void **state)
{
    *state = make_world(NULL, 0);
    return 0;
}

static int teardown(void **state)
{
    free_world(*state);
    return 0;
}

/* Connection 1 is the client's end, connection 2 the server's, of the same bytes. */
static void say(struct world *world, uint64_t connection, enum direction dir, const char *text,
                uint64_t offset)
{
    bool client = connection == 1;
    struct connection_facts facts = {
        .local.port = client ? 4000 : 80,
        .remote.port = client ? 80 : 4000,
        .starts = {[DIR_IN] = client ? 9000 : 1000, [DIR_OUT] = client ? 1000 : 9000},
        .has_starts = true,
    };
    struct event event = {
        .kind = EVENT_DATA,
        .dir = dir,
        .time_ns = world->now_ns += MS,
        .connection = connection,
        .exec = {.tgid = client ? CURL : NGINX, .tid = 1, .process_start_ns = 5},
        .position = facts.starts[dir] + offset,
        .length = (uint32_t)strlen(text),
        .data = bytes_from_string(text),
        .connection_facts = &facts,
    };

    strcpy(facts.comm, client ? "curl" : "nginx");
    pipeline_event(world->pipeline, &event);
}

static void describe_with(struct world *world, uint32_t tgid, const char *service,
                          const char *attributes)
{
    struct process_facts facts = {.service = bytes_from_string(service),
                                  .attributes = bytes_from_string(attributes),
                                  .executable = BYTES_LITERAL("/usr/bin/some")};
    struct event event = {.kind = EVENT_PROCESS, .time_ns = world->now_ns,
                          .exec = {.tgid = tgid, .process_start_ns = 5}, .process_facts = &facts};

    pipeline_event(world->pipeline, &event);
}

static void describe(struct world *world, uint32_t tgid, const char *service)
{
    describe_with(world, tgid, service, "");
}

static void tick(struct world *world, uint64_t ms)
{
    struct event event = {.kind = EVENT_TICK, .time_ns = world->now_ns += ms * MS};

    pipeline_event(world->pipeline, &event);
}

static void exchange_at_both_ends(struct world *world, uint64_t n)
{
    uint64_t request = n * strlen(REQUEST), response = n * strlen(RESPONSE);

    say(world, 1, DIR_OUT, REQUEST, request);
    say(world, 2, DIR_IN, REQUEST, request);
    say(world, 2, DIR_OUT, RESPONSE, response);
    say(world, 1, DIR_IN, RESPONSE, response);
}

static void time_outs_go_on_when_the_clock_is_set_back(void **state)
{
    struct world *world = *state;

    describe(world, NGINX, "front");
    say(world, 2, DIR_IN, REQUEST, 0);
    world->now_ns -= 900 * MS;
    for (int i = 0; i < 59; i++)
        tick(world, 1000);
    assert_int_equal(pipeline_open_exchanges(world->pipeline), 1);
    for (int i = 0; i < 3; i++)
        tick(world, 1000);
    assert_int_equal(pipeline_open_exchanges(world->pipeline), 0);
    assert_int_equal(counters_get(&world->counters, COUNTER_spans), 1);
}

static void a_clock_that_is_set_forward_times_nothing_out(void **state)
{
    struct world *world = *state;

    describe(world, NGINX, "front");
    say(world, 2, DIR_IN, REQUEST, 0);
    tick(world, 3600 * 1000);
    assert_int_equal(pipeline_open_exchanges(world->pipeline), 1);
    say(world, 2, DIR_OUT, RESPONSE, 0);
    for (int i = 0; i < 3; i++)
        tick(world, 100);
    assert_int_equal(pipeline_open_exchanges(world->pipeline), 0);
    assert_int_equal(counters_get(&world->counters, COUNTER_spans), 1);
}

static void both_ends_of_an_exchange_leave_as_parent_and_child(void **state)
{
    struct world *world = *state;

    describe(world, CURL, "shopper");
    describe(world, NGINX, "front");
    exchange_at_both_ends(world, 0);
    tick(world, 300);
    assert_int_equal(world->n_seen, 2);
    assert_int_equal(world->seen[0].kind, SPAN_KIND_SERVER);
    assert_string_equal(world->seen[0].service, "front");
    assert_string_equal(world->seen[1].service, "shopper");
    assert_memory_equal(&world->seen[0].parent_span_id, &world->seen[1].span_id, 8);
    assert_memory_equal(&world->seen[0].trace_id, &world->seen[1].trace_id, 16);
}

static void a_server_without_its_client_waits_for_grace_and_is_a_root_that_names_its_peer(
    void **state)
{
    struct world *world = *state;

    describe(world, NGINX, "front");
    say(world, 2, DIR_IN, REQUEST, 0);
    say(world, 2, DIR_OUT, RESPONSE, 0);
    assert_false(pipeline_is_idle(world->pipeline));
    tick(world, 30);
    assert_int_equal(counters_get(&world->counters, COUNTER_spans), 0);
    tick(world, 30);
    assert_int_equal(counters_get(&world->counters, COUNTER_spans), 1);
    tick(world, 300);
    assert_int_equal(world->n_seen, 1);
    assert_true(span_id_is_zero(&world->seen[0].parent_span_id));
    assert_int_equal(strlen(world->seen[0].peer), 16);
}

static void a_span_waits_a_little_for_the_name_of_its_process(void **state)
{
    struct world *world = *state;

    exchange_at_both_ends(world, 0);
    tick(world, 10);
    describe(world, CURL, "shopper");
    describe(world, NGINX, "front");
    tick(world, 10);
    assert_int_equal(counters_get(&world->counters, COUNTER_spans), 2);
    tick(world, 300);
    assert_string_equal(world->seen[0].service, "front");
    assert_string_equal(world->seen[1].service, "shopper");
}

static void a_span_waits_longer_for_its_process_than_for_its_other_end(void **state)
{
    struct world *world = *state;

    exchange_at_both_ends(world, 0);
    tick(world, 500);
    tick(world, 490);
    assert_false(pipeline_is_idle(world->pipeline));
    assert_int_equal(counters_get(&world->counters, COUNTER_spans), 0);
    describe(world, CURL, "shopper");
    describe(world, NGINX, "front");
    tick(world, 10);
    assert_int_equal(counters_get(&world->counters, COUNTER_spans), 2);
    tick(world, 300);
    assert_string_equal(world->seen[0].service, "front");
    assert_string_equal(world->seen[1].service, "shopper");
}

static void an_agent_that_catches_up_gives_no_process_up_meanwhile(void **state)
{
    struct world *world = *state;

    exchange_at_both_ends(world, 0);
    for (int i = 1; i < 5; i++) {
        world->now_ns += 1000 * MS;
        exchange_at_both_ends(world, (uint64_t)i);
    }
    tick(world, 5000);
    assert_int_equal(counters_get(&world->counters, COUNTER_spans), 0);
    tick(world, 900);
    describe(world, CURL, "shopper");
    describe(world, NGINX, "front");
    tick(world, 20);
    assert_int_equal(counters_get(&world->counters, COUNTER_spans), 10);
}

static void what_waits_for_its_process_takes_no_place_of_others(void **state)
{
    char sixteen[] = "limits.exchanges=16";
    char *assignments[] = {sixteen};
    struct world *world = make_world(assignments, 1);

    for (uint64_t i = 0; i < 20; i++) {
        exchange_at_both_ends(world, i);
        tick(world, 60);
    }
    assert_int_equal(counters_get(&world->counters, COUNTER_spans), 36);
    assert_int_equal(counters_sum(&world->counters, COUNTER_EXCHANGE_LOST), 0);
    free_world(world);
}

static void a_process_that_stays_unknown_is_named_by_its_command(void **state)
{
    struct world *world = *state;

    exchange_at_both_ends(world, 0);
    for (int i = 0; i < 3; i++)
        tick(world, 300);
    assert_int_equal(counters_get(&world->counters, COUNTER_spans), 0);
    for (int i = 0; i < 4; i++)
        tick(world, 300);
    assert_string_equal(world->seen[0].service, "nginx");
    assert_string_equal(world->seen[1].service, "curl");
}

static void what_a_process_says_of_itself_is_part_of_its_resource(void **state)
{
    struct world *world = *state;

    describe_with(world, CURL, "shopper", "team=a%2Cb,x=1");
    describe_with(world, NGINX, "front", "team=a,x=%");
    exchange_at_both_ends(world, 0);
    tick(world, 300);
    assert_string_equal(world->seen[0].service, "front");
    assert_string_equal(world->seen[0].team, "");
    assert_string_equal(world->seen[1].service, "shopper");
    assert_string_equal(world->seen[1].team, "a,b");
    assert_int_equal(counters_get(&world->counters, COUNTER_resource_attributes_invalid), 1);
    assert_int_equal(counters_get(&world->counters, COUNTER_resource_attributes_dropped), 0);
}

static void a_list_that_is_too_long_is_left_out_and_counted(void **state)
{
    struct world *world = *state;
    char text[SAID_TEXT_MAX + 2] = "team=";

    memset(text + 5, 'x', SAID_TEXT_MAX - 4);
    describe_with(world, CURL, "shopper", text);
    assert_int_equal(counters_get(&world->counters, COUNTER_resource_attributes_invalid), 1);
    text[SAID_TEXT_MAX] = '\0';
    describe_with(world, CURL, "shopper", text);
    describe(world, NGINX, "front");
    assert_int_equal(counters_get(&world->counters, COUNTER_resource_attributes_invalid), 1);
    exchange_at_both_ends(world, 0);
    tick(world, 300);
    assert_int_equal(strlen(world->seen[1].team), TEXT_MAX - 1);
    assert_int_equal(counters_get(&world->counters, COUNTER_resource_attributes_dropped), 0);
}

static void attributes_beyond_the_limit_are_left_out_and_counted(void **state)
{
    char three[] = "span.attributes=3";
    char *assignments[] = {three};
    struct world *limited = make_world(assignments, 1), *world = *state;
    struct world *const worlds[] = {limited, world};

    for (size_t i = 0; i < ELEMENTSOF(worlds); i++) {
        describe(worlds[i], CURL, "shopper");
        describe(worlds[i], NGINX, "front");
        exchange_at_both_ends(worlds[i], 0);
        tick(worlds[i], 300);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(limited->seen[i].n_attributes, 3);
        assert_int_equal(limited->seen[i].dropped, world->seen[i].n_attributes - 3);
        assert_int_equal(world->seen[i].dropped, 0);
    }
    assert_int_equal(counters_get(&limited->counters, COUNTER_attributes_dropped),
                     limited->seen[0].dropped + limited->seen[1].dropped);
    free_world(limited);
}

static void secrets_in_queries_leave_masked(void **state)
{
    struct world *world = *state;

    exchange_at_both_ends(world, 0);
    pipeline_flush(world->pipeline);
    assert_string_equal(world->seen[0].query, "token=REDACTED");
}

static void a_full_batch_is_sealed_and_an_old_one_too(void **state)
{
    char spans[] = "batch.spans=4", grace[] = "exchange.grace=0ms";
    char *assignments[] = {spans, grace};
    struct world *world = make_world(assignments, 2);

    describe(world, CURL, "shopper");
    describe(world, NGINX, "front");
    for (uint64_t i = 0; i < 3; i++)
        exchange_at_both_ends(world, i);
    tick(world, 20);
    assert_int_equal(world->n_batches, 1);
    assert_int_equal(world->n_seen, 4);
    tick(world, 100);
    assert_int_equal(world->n_batches, 1);
    tick(world, 100);
    assert_int_equal(world->n_batches, 2);
    assert_int_equal(world->n_seen, 6);
    assert_true(pipeline_is_idle(world->pipeline));
    free_world(world);
}

static void the_same_events_give_the_same_bytes(void **state)
{
    struct world *worlds[2];

    for (int w = 0; w < 2; w++) {
        worlds[w] = make_world(NULL, 0);
        describe(worlds[w], NGINX, "front");
        for (uint64_t i = 0; i < 10; i++) {
            exchange_at_both_ends(worlds[w], i);
            tick(worlds[w], i * 7);
        }
        tick(worlds[w], 500);
        pipeline_flush(worlds[w]->pipeline);
    }
    assert_int_equal(worlds[0]->n_seen, 20);
    assert_true(bytes_equal(buffer_bytes(&worlds[0]->bytes), buffer_bytes(&worlds[1]->bytes)));
    free_world(worlds[0]);
    free_world(worlds[1]);
}

static void an_exchange_is_dropped_when_its_process_turns_out_to_be_unselected(void **state)
{
    char another[] = "select.executables=another";
    char *assignments[] = {another};
    struct world *world = make_world(assignments, 1);

    say(world, 2, DIR_IN, REQUEST, 0);
    say(world, 2, DIR_OUT, RESPONSE, 0);
    describe(world, NGINX, "front");
    tick(world, 300);
    assert_int_equal(counters_get(&world->counters, COUNTER_spans), 0);
    free_world(world);
}

static void after_a_loss_nothing_is_inferred(void **state)
{
    struct world *world = *state;
    struct event loss = {.kind = EVENT_LOSS, .time_ns = world->now_ns};

    pipeline_event(world->pipeline, &loss);
    exchange_at_both_ends(world, 0);
    assert_int_equal(counters_get(&world->counters, COUNTER_parents_only), 0);
}

/* One exchange at both ends, and its two spans: the server's first. */
static void exchange_of(struct world *world, const char *request)
{
    describe(world, CURL, "shopper");
    describe(world, NGINX, "front");
    say(world, 1, DIR_OUT, request, 0);
    say(world, 2, DIR_IN, request, 0);
    say(world, 2, DIR_OUT, RESPONSE, 0);
    say(world, 1, DIR_IN, RESPONSE, 0);
    pipeline_flush(world->pipeline);
}

#define TRACEPARENT "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-"

static void under_a_carried_context_both_ends_are_its_children_and_the_server_links_the_client(
    void **state)
{
    static const uint8_t parent[] = {0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31};
    struct world *world = *state;

    exchange_of(world, "GET / HTTP/1.1\r\nHost: a\r\ntracestate: a=1\r\n" TRACEPARENT
                       "01\r\nbaggage: tenant=7\r\nTraceState: b=2,\r\n\r\n");
    assert_int_equal(world->n_seen, 2);
    for (int i = 0; i < 2; i++) {
        assert_memory_equal(&world->seen[i].parent_span_id, parent, sizeof(parent));
        assert_int_equal(world->seen[i].trace_id.bytes[0], 0x0a);
        assert_string_equal(world->seen[i].trace_state, "a=1,b=2,");
        assert_string_equal(world->seen[i].baggage, "");
    }
    assert_int_equal(world->seen[0].kind, SPAN_KIND_SERVER);
    assert_memory_equal(&world->seen[0].linked_span_id, &world->seen[1].span_id, 8);
    assert_true(span_id_is_zero(&world->seen[1].linked_span_id));
}

static void a_tracestate_belongs_to_a_traceparent_and_must_be_valid(void **state)
{
    struct world *world = *state;

    exchange_of(world, "GET / HTTP/1.1\r\ntracestate: a=1\r\n"
                       "b3: 80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1\r\n\r\n");
    assert_string_equal(world->seen[0].trace_state, "");
    assert_int_equal(world->seen[0].parent_span_id.bytes[0], 0xe4);
    assert_int_equal(counters_get(&world->counters, COUNTER_tracestates_invalid), 0);
}

static void an_invalid_tracestate_is_left_out_and_counted(void **state)
{
    struct world *world = *state;

    exchange_of(world, "GET / HTTP/1.1\r\ntracestate: a=1,a=2\r\n" TRACEPARENT "01\r\n\r\n");
    assert_string_equal(world->seen[0].trace_state, "");
    assert_int_equal(world->seen[0].parent_span_id.bytes[0], 0xb7);
    assert_int_equal(counters_get(&world->counters, COUNTER_tracestates_invalid), 2);
}

static void what_is_not_sampled_is_counted_and_not_exported(void **state)
{
    struct world *world = *state;

    exchange_of(world, "GET / HTTP/1.1\r\n" TRACEPARENT "00\r\n\r\n");
    assert_int_equal(world->n_seen, 0);
    assert_int_equal(counters_get(&world->counters, COUNTER_exchanges_unsampled), 2);
}

static void what_is_not_sampled_is_exported_on_request_with_its_flag(void **state)
{
    char export_it[] = "context.export_unsampled=true", baggage[] = "context.baggage_keys=tenant";
    char *assignments[] = {export_it, baggage};
    struct world *world = make_world(assignments, 2);

    exchange_of(world, "GET / HTTP/1.1\r\nbaggage: user=x,tenant=7;p\r\n" TRACEPARENT
                       "00\r\n\r\n");
    assert_int_equal(world->n_seen, 2);
    assert_int_equal(world->seen[0].flags & 1, 0);
    assert_string_equal(world->seen[0].baggage, "7");
    assert_int_equal(counters_get(&world->counters, COUNTER_exchanges_unsampled), 0);
    free_world(world);
}

static void a_context_too_long_to_keep_costs_the_exchange_nothing(void **state)
{
    struct world *world = *state;
    char request[8192] = "GET /a HTTP/1.1\r\n" TRACEPARENT "01\r\ntracestate: a=";

    memset(request + strlen(request), 'x', 6000);
    exchange_of(world, strcat(request, "\r\n\r\n"));
    assert_int_equal(world->n_seen, 2);
    assert_string_equal(world->seen[0].name, "GET /a");
    assert_string_equal(world->seen[0].trace_state, "");
    assert_int_equal(world->seen[0].parent_span_id.bytes[0], 0xb7);
}

static void beyond_its_names_a_service_has_the_method_alone(void **state)
{
    static const char *const expected[] = {"GET /a", "GET /b", "GET", "GET /a"};
    static const char *const requests[] = {
        "GET /a HTTP/1.1\r\n\r\n", "GET /b HTTP/1.1\r\n\r\n", "GET /c HTTP/1.1\r\n\r\n",
        "GET /a HTTP/1.1\r\n\r\n"};
    char two[] = "names.per_service=2", grace[] = "exchange.grace=0ms";
    char *assignments[] = {two, grace};
    struct world *world = make_world(assignments, 2);

    describe(world, NGINX, "front");
    for (uint64_t i = 0; i < 4; i++) {
        say(world, 2, DIR_IN, requests[i], i * strlen(requests[0]));
        say(world, 2, DIR_OUT, RESPONSE, i * strlen(RESPONSE));
        tick(world, 20);
    }
    pipeline_flush(world->pipeline);
    assert_int_equal(world->n_seen, 4);
    for (int i = 0; i < 4; i++)
        assert_string_equal(world->seen[i].name, expected[i]);
    assert_int_equal(counters_get(&world->counters, COUNTER_names_limited), 1);
    free_world(world);
}

static void a_request_without_a_certain_end_is_a_span_and_the_next_one_too(void **state)
{
    static const char bad[] = "PUT /a HTTP/1.1\r\nContent-Length: 4, 5\r\n\r\nbody";
    struct world *world = *state;

    describe(world, NGINX, "front");
    say(world, 2, DIR_IN, bad, 0);
    say(world, 2, DIR_OUT, RESPONSE, 0);
    say(world, 2, DIR_IN, REQUEST, strlen(bad));
    say(world, 2, DIR_OUT, RESPONSE, strlen(RESPONSE));
    pipeline_flush(world->pipeline);
    assert_int_equal(world->n_seen, 2);
    assert_string_equal(world->seen[0].name, "PUT /a");
    assert_string_equal(world->seen[1].name, "GET /orders/{}");
    assert_int_equal(counters_get(&world->counters, COUNTER_responses_unpaired), 0);
}

static void a_response_without_a_certain_end_is_incomplete_and_says_why(void **state)
{
    static const char bad[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbody";
    struct world *world = *state;

    describe(world, NGINX, "front");
    say(world, 2, DIR_IN, REQUEST, 0);
    say(world, 2, DIR_OUT, bad, 0);
    say(world, 2, DIR_IN, REQUEST, strlen(REQUEST));
    say(world, 2, DIR_OUT, RESPONSE, strlen(bad));
    pipeline_flush(world->pipeline);
    assert_int_equal(world->n_seen, 2);
    assert_string_equal(world->seen[0].ambiguous, "content_length");
    assert_true(world->seen[0].incomplete);
    assert_string_equal(world->seen[1].ambiguous, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(both_ends_of_an_exchange_leave_as_parent_and_child),
        TEST(time_outs_go_on_when_the_clock_is_set_back),
        TEST(a_clock_that_is_set_forward_times_nothing_out),
        TEST(a_server_without_its_client_waits_for_grace_and_is_a_root_that_names_its_peer),
        TEST(a_span_waits_a_little_for_the_name_of_its_process),
        TEST(a_span_waits_longer_for_its_process_than_for_its_other_end),
        TEST(an_agent_that_catches_up_gives_no_process_up_meanwhile),
        TEST(what_waits_for_its_process_takes_no_place_of_others),
        TEST(a_process_that_stays_unknown_is_named_by_its_command),
        TEST(what_a_process_says_of_itself_is_part_of_its_resource),
        TEST(a_list_that_is_too_long_is_left_out_and_counted),
        TEST(attributes_beyond_the_limit_are_left_out_and_counted),
        TEST(secrets_in_queries_leave_masked),
        cmocka_unit_test(a_full_batch_is_sealed_and_an_old_one_too),
        cmocka_unit_test(the_same_events_give_the_same_bytes),
        cmocka_unit_test(an_exchange_is_dropped_when_its_process_turns_out_to_be_unselected),
        TEST(after_a_loss_nothing_is_inferred),
        TEST(under_a_carried_context_both_ends_are_its_children_and_the_server_links_the_client),
        TEST(a_tracestate_belongs_to_a_traceparent_and_must_be_valid),
        TEST(an_invalid_tracestate_is_left_out_and_counted),
        TEST(what_is_not_sampled_is_counted_and_not_exported),
        cmocka_unit_test(what_is_not_sampled_is_exported_on_request_with_its_flag),
        TEST(a_context_too_long_to_keep_costs_the_exchange_nothing),
        cmocka_unit_test(beyond_its_names_a_service_has_the_method_alone),
        TEST(a_request_without_a_certain_end_is_a_span_and_the_next_one_too),
        TEST(a_response_without_a_certain_end_is_incomplete_and_says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
