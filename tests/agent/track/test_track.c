/* SPDX-License-Identifier: Apache-2.0 */
/* Connections, gaps and pairing, shown with the first protocol of the build on made-up streams. */
#include "world.h"

#include "base/macro.h"

#include <stdio.h>

/* One datagram, `captured` bytes of it. */
static void send_datagram(struct world *world, enum direction dir, const char *text,
                          size_t captured)
{
    static const struct connection_facts datagrams = {
        .local = {.port = 80}, .remote = {.port = 4000}, .transport = TRANSPORT_UDP};
    struct event event = {
        .kind = EVENT_DATA,
        .dir = dir,
        .time_ns = world->now_ns += 10,
        .connection = 1,
        .exec = {.tgid = 1, .tid = 1},
        .length = (uint32_t)strlen(text),
        .data = bytes_make(text, captured),
        .connection_facts = &datagrams,
    };

    track_event(world->track, &event);
}

static void a_request_and_its_response_are_one_exchange_with_their_times(void **state)
{
    struct world *world = *state;

    say(world, DIR_IN, REQUEST);
    say(world, DIR_OUT, RESPONSE);
    assert_int_equal(world->n_ended, 1);
    assert_int_equal(world->ended[0].end, EXCHANGE_ANSWERED);
    assert_int_equal(world->ended[0].code, 200);
    assert_int_equal(world->ended[0].kind, SPAN_KIND_SERVER);
    assert_int_equal(world->ended[0].position, START_IN);
    assert_int_equal(world->ended[0].end_ns - world->ended[0].start_ns, 10);
}

static void a_request_that_goes_out_makes_this_end_the_client(void **state)
{
    struct world *world = *state;

    say(world, DIR_OUT, REQUEST);
    say(world, DIR_IN, RESPONSE);
    assert_int_equal(world->ended[0].kind, SPAN_KIND_CLIENT);
}

static void a_head_cut_into_single_bytes_starts_when_its_first_byte_came(void **state)
{
    struct world *world = *state;
    const char *request = REQUEST;

    for (size_t i = 0; request[i]; i++)
        operation(world, 1, DIR_IN, request + i, 1, 1);
    say(world, DIR_OUT, RESPONSE);
    assert_int_equal(world->n_ended, 1);
    assert_int_equal(world->ended[0].position, START_IN);
    assert_int_equal(world->ended[0].start_ns, 11);
}

static void a_body_is_passed_over_uncaptured_and_the_exchange_ends_with_its_last_byte(void **state)
{
    struct world *world = *state;

    say(world, DIR_IN, POST);
    pass(world, DIR_IN, 60);
    pass(world, DIR_IN, 40);
    say(world, DIR_OUT, RESPONSE_100);
    pass(world, DIR_OUT, 99);
    assert_int_equal(world->n_ended, 0);
    pass(world, DIR_OUT, 1);
    assert_int_equal(world->n_ended, 1);
    assert_int_equal(counted(world, COUNTER_streams_gaps), 0);
}

static void a_hole_inside_a_body_costs_nothing(void **state)
{
    struct world *world = *state;

    say(world, DIR_IN, POST);
    lose(world, DIR_IN, 100);
    say(world, DIR_OUT, RESPONSE);
    say(world, DIR_IN, REQUEST);
    say(world, DIR_OUT, RESPONSE);
    assert_int_equal(world->n_ended, 2);
    assert_int_equal(world->ended[1].end, EXCHANGE_ANSWERED);
}

static void a_lost_response_leaves_the_open_requests_incomplete_and_the_next_one_whole(void **state)
{
    struct world *world = *state;

    say(world, DIR_IN, REQUEST);
    lose(world, DIR_OUT, 40);
    say(world, DIR_IN, REQUEST);
    say(world, DIR_OUT, RESPONSE);
    assert_int_equal(world->n_ended, 2);
    assert_int_equal(world->ended[0].end, EXCHANGE_INCOMPLETE);
    assert_int_equal(world->ended[1].end, EXCHANGE_INCOMPLETE);
    assert_false(world->ended[1].has_response);
    say(world, DIR_IN, REQUEST);
    say(world, DIR_OUT, RESPONSE);
    assert_int_equal(world->ended[2].end, EXCHANGE_ANSWERED);
}

/* What came behind the hole may be a body; then three clean turns prove that nothing is shifted. */
static void a_lost_request_does_not_take_the_next_ones_response(void **state)
{
    struct world *world = *state;

    exchange_rounds(world, 16);
    lose(world, DIR_IN, sizeof(REQUEST) - 1);
    say(world, DIR_OUT, RESPONSE);
    exchange_rounds(world, 1);
    assert_int_equal(world->n_begun, 16);
    assert_int_equal(counted(world, COUNTER_responses_unpaired), 2);
    exchange_rounds(world, 3);
    assert_int_equal(world->n_begun, 19);
    assert_int_equal(world->n_ended, 16);
    exchange_rounds(world, 1);
    assert_int_equal(world->n_ended, 20);
    for (int i = 0; i < 20; i++)
        assert_int_equal(world->ended[i].end, EXCHANGE_ANSWERED);
}

/*
 * Two requests are always under way, and the first is lost: each answer seems to be the next
 * request's, turn after turn.
 */
static void turns_prove_nothing_of_a_client_that_was_not_seen_to_wait(void **state)
{
    struct world *world = *state;

    lose(world, DIR_IN, sizeof(REQUEST) - 1);
    exchange_rounds(world, 20);
    say(world, DIR_OUT, RESPONSE);
    close_connection(world);
    assert_in_range(world->n_ended, 10, 20);
    for (size_t i = 0; i < world->n_ended; i++)
        assert_false(world->ended[i].has_response);
}

static void a_pause_of_both_sides_among_turns_proves_them_right(void **state)
{
    struct world *world = *state;

    lose(world, DIR_IN, 5000);
    exchange_rounds(world, 4);
    world->now_ns += UINT64_C(2000000000);
    assert_int_equal(world->n_ended, 0);
    exchange_rounds(world, 1);
    assert_int_equal(world->n_ended, 4);
    assert_int_equal(world->ended[3].end, EXCHANGE_ANSWERED);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct world *world = *state;

    say(world, DIR_IN, REQUEST POST);
    pass(world, DIR_IN, 100);
    say(world, DIR_OUT, RESPONSE "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(world->n_ended, 2);
    assert_int_equal(world->ended[0].code, 200);
    assert_int_equal(world->ended[1].code, 404);
}

static void a_gap_in_pipelined_traffic_ends_trust_though_nothing_is_open(void **state)
{
    struct world *world = *state;

    say(world, DIR_IN, REQUEST REQUEST);
    say(world, DIR_OUT, RESPONSE RESPONSE);
    assert_int_equal(world->n_ended, 2);
    lose(world, DIR_IN, 100);
    say(world, DIR_IN, REQUEST);
    assert_int_equal(counted(world, COUNTER_connections_desynchronized), 1);
}

/* With a protocol in which servers do. */
static void what_a_server_sends_unasked_is_an_exchange_that_it_began(void **state)
{
    struct world *world = *state;

    say(world, DIR_IN, "*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nc\r\n");
    say(world, DIR_OUT, "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
    say(world, DIR_OUT, "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n");
    assert_int_equal(world->n_ended, 2);
    assert_int_equal(world->ended[1].end, EXCHANGE_ANSWERED);
    assert_int_equal(world->ended[1].kind, SPAN_KIND_CLIENT);
    assert_false(world->ended[1].has_response);
    assert_true(world->ended[1].serves);
}

#define MAYBE_AN_ANSWER "*1\r\n$4\r\ntime\r\n"

static void what_may_be_an_answer_is_a_request_where_it_comes_first(void **state)
{
    struct world *world = *state;

    say(world, DIR_IN, MAYBE_AN_ANSWER);
    assert_int_equal(world->n_begun, 1);
}

static void what_may_be_an_answer_proves_nothing_midway(void **state)
{
    struct world *world = *state;

    lose(world, DIR_IN, 100);
    say(world, DIR_IN, MAYBE_AN_ANSWER);
    assert_int_equal(world->n_begun, 0);
}

static void a_response_goes_on_behind_what_a_server_sent_unasked(void **state)
{
    struct world *world = *state;

    operation(world, 1, DIR_IN, "Q\0\0\0\x0dSELECT 1\0", 14, 14);
    operation(world, 1, DIR_OUT, "C\0\0\0\x0dSELECT 1\0", 14, 14);
    operation(world, 1, DIR_OUT, "A\0\0\0\x0e\0\0\0\7news\0\0", 15, 15);
    operation(world, 1, DIR_OUT, "Z\0\0\0\5I", 6, 6);
    assert_int_equal(world->n_ended, 2);
    assert_int_equal(world->ended[0].kind, SPAN_KIND_CLIENT);
    assert_int_equal(world->ended[1].kind, SPAN_KIND_SERVER);
    assert_int_equal(world->ended[1].end, EXCHANGE_ANSWERED);
    assert_true(world->ended[1].has_response);
}

static void a_gap_among_pipelined_requests_ends_trust_in_the_pairing(void **state)
{
    struct world *world = *state;

    say(world, DIR_IN, REQUEST REQUEST);
    lose(world, DIR_OUT, 10);
    say(world, DIR_OUT, RESPONSE);
    assert_int_equal(world->n_ended, 0);
    assert_int_equal(counted(world, COUNTER_exchanges_desynchronized), 2);
    assert_int_equal(world->verdict.kind, VERDICT_GIVE_UP);
}

static void a_head_whose_end_was_not_captured_is_marked_incomplete(void **state)
{
    struct world *world = *state;
    const char *request = "GET /long HTTP/1.1\r\nHost: x\r\nCookie: ";

    operation(world, 1, DIR_IN, request, strlen(request), 3000);
    say(world, DIR_OUT, RESPONSE);
    assert_int_equal(world->n_ended, 1);
    assert_int_equal(world->ended[0].end, EXCHANGE_INCOMPLETE);
    say(world, DIR_IN, REQUEST);
    say(world, DIR_OUT, RESPONSE);
    assert_int_equal(world->ended[1].end, EXCHANGE_ANSWERED);
}

#define TRACEPARENT "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"

/* `n` bytes of header lines, each with `len` bytes and its end. */
static size_t write_lines(char *out, size_t n, size_t len, const char *name)
{
    size_t at = 0;

    while (at < n) {
        memset(out + at, 'x', len);
        memcpy(out + at, name, strlen(name));
        memcpy(out + at + len, "\r\n", 3);
        at += len + 2;
    }
    return at;
}

/* As a server reads it: by so many bytes. */
static void say_in_pieces(struct world *world, const char *text, size_t piece)
{
    for (size_t len = strlen(text), n; len; len -= n, text += n) {
        n = len < piece ? len : piece;
        operation(world, 1, DIR_IN, text, n, (uint32_t)n);
    }
}

static void a_head_larger_than_a_window_is_read_whole_where_most_of_it_says_nothing(void **state)
{
    static const struct {
        size_t size, line, piece;
    } cases[] = {{40000, 100, 4096}, {40000, 4000, 1000}, {40000, 39000, 4096},
                 {400000, 17000, 16384}, {17000, 30, 1}};
    static char text[500000];
    struct world *world = *state;
    size_t n_ended = 0;

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        size_t at = (size_t)sprintf(text, "POST /b HTTP/1.1\r\nHost: x\r\n");

        at += write_lines(text + at, cases[i].size, cases[i].line, "Cookie: ");
        strcpy(text + at, TRACEPARENT "Content-Length: 100\r\n\r\n");
        say_in_pieces(world, text, cases[i].piece);
        pass(world, DIR_IN, 100);
        say(world, DIR_OUT, RESPONSE);
        exchange_rounds(world, 1);
        assert_int_equal(world->n_ended, n_ended + 2);
        assert_int_equal(world->ended[n_ended].end, EXCHANGE_ANSWERED);
        assert_true(world->ended[n_ended].carried);
        assert_int_equal(world->ended[n_ended + 1].end, EXCHANGE_ANSWERED);
        n_ended += 2;
    }
    assert_int_equal(counted(world, COUNTER_windows_full), 0);
    assert_int_equal(counted(world, COUNTER_streams_gaps), 0);
}

static void a_head_with_more_to_say_than_a_window_holds_is_cut_counted_and_incomplete(void **state)
{
    static char text[40000];
    struct world *world = *state;
    size_t at = (size_t)sprintf(text, "GET /b HTTP/1.1\r\n" TRACEPARENT);

    exchange_rounds(world, 16);
    at += write_lines(text + at, 20000, 18000, "baggage: ");
    strcpy(text + at, "Host: x\r\n\r\n");
    say_in_pieces(world, text, 4096);
    say(world, DIR_OUT, RESPONSE);
    exchange_rounds(world, 4);
    assert_int_equal(counted(world, COUNTER_windows_full), 1);
    assert_int_equal(world->n_ended, 16 + 1 + 4);
    assert_int_equal(world->ended[16].end, EXCHANGE_INCOMPLETE);
    assert_true(world->ended[16].carried && world->ended[16].has_response);
    assert_int_equal(world->ended[16 + 1].end, EXCHANGE_ANSWERED);
}

static void what_looks_like_a_request_in_a_body_behind_a_cut_head_is_none(void **state)
{
    struct world *world = *state;
    const char *request = "POST /evil HTTP/1.1\r\nHost: x\r\nCookie: ";

    operation(world, 1, DIR_IN, request, strlen(request), 3000);
    say(world, DIR_IN, REQUEST REQUEST);
    say(world, DIR_OUT, RESPONSE);
    assert_int_equal(world->n_begun, 1);
    assert_int_equal(world->ended[0].end, EXCHANGE_INCOMPLETE);
    assert_int_equal(world->ended[0].code, 200);
    exchange_rounds(world, 3);
    world->now_ns += UINT64_C(2000000000);
    exchange_rounds(world, 1);
    assert_int_equal(world->n_ended, 5);
    assert_int_equal(world->ended[1].end, EXCHANGE_ANSWERED);
}

static void what_looks_like_a_response_in_a_body_behind_a_gap_is_none(void **state)
{
    struct world *world = *state;

    say(world, DIR_IN, REQUEST);
    lose(world, DIR_OUT, 50);
    say(world, DIR_OUT, "body " RESPONSE);
    say(world, DIR_IN, REQUEST);
    say(world, DIR_OUT, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    exchange_rounds(world, 2);
    world->now_ns += UINT64_C(2000000000);
    exchange_rounds(world, 1);
    assert_int_equal(world->n_ended, 5);
    assert_false(world->ended[0].has_response);
    assert_int_equal(world->ended[1].code, 404);
}

static void the_late_response_of_a_request_given_up_is_not_the_next_ones(void **state)
{
    struct world *world = *state;

    say(world, DIR_IN, REQUEST);
    world->now_ns += 600000;
    say(world, DIR_IN, REQUEST);
    track_advance(world->track, 1000100);
    assert_int_equal(world->ended[0].end, EXCHANGE_TIMED_OUT);
    say(world, DIR_OUT, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n" RESPONSE);
    assert_int_equal(world->n_ended, 2);
    assert_int_equal(world->ended[1].code, 200);
    assert_int_equal(counted(world, COUNTER_responses_unpaired), 1);
}

static void a_connection_that_began_otherwise_does_not_become_this_protocol_later(void **state)
{
    struct world *world = *state;

    say(world, DIR_IN, "HELO me\n");
    say(world, DIR_OUT, "+OK\n");
    say(world, DIR_IN, REQUEST);
    assert_int_equal(world->n_begun, 0);
}

static void a_request_behind_garbage_and_a_turn_is_found_wherever_it_is_cut(void **state)
{
    const char *text = "GET /a HTTP/1.1\r\nHost: x\r\n\r\nP\x01" REQUEST;
    size_t len = strlen(text);

    for (size_t cut = 1; cut < len; cut++) {
        struct world *world;

        assert_int_equal(setup((void **)&world), 0);
        operation(world, 1, DIR_IN, text, cut, (uint32_t)cut);
        operation(world, 1, DIR_IN, text + cut, len - cut, (uint32_t)(len - cut));
        /* What follows in the same breath may be a body: only behind a turn is it a request. */
        assert_int_equal(counted(world, COUNTER_messages), 1);
        say(world, DIR_OUT, RESPONSE);
        exchange_rounds(world, 1);
        assert_int_equal(counted(world, COUNTER_messages), 4);
        teardown((void **)&world);
    }
}

static void a_connection_that_cannot_be_read_makes_its_server_blind(void **state)
{
    struct world *world = *state;

    world->selection = SELECTION_NO;
    say(world, DIR_IN, REQUEST);
    assert_int_equal(world->n_blind, 1);
}

static void a_beginning_that_nobody_knows_makes_its_server_blind_at_once(void **state)
{
    struct world *world = *state;

    say(world, DIR_IN, "\x16\x03\x01 not for us");
    assert_int_equal(world->n_blind, 1);
    for (unsigned i = 0; i < 100; i++)
        say(world, DIR_IN, "\x17\x03\x03 nor this");
    assert_int_equal(counted(world, COUNTER_connections_undetected), 1);
    assert_int_equal(world->n_blind, 1);
}

static void a_beginning_that_may_still_become_a_request_hides_nothing(void **state)
{
    struct world *world = *state;

    say(world, DIR_IN, "GE");
    say(world, DIR_IN, "T /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    say(world, DIR_OUT, RESPONSE);
    assert_int_equal(world->n_ended, 1);
    assert_int_equal(world->n_blind, 0);
}

static void a_response_until_close_ends_with_its_last_byte(void **state)
{
    struct world *world = *state;

    say(world, DIR_IN, REQUEST);
    say(world, DIR_OUT, RESPONSE_CLOSE);
    say(world, DIR_OUT, "more");
    assert_int_equal(world->n_ended, 0);
    close_connection(world);
    assert_int_equal(world->n_ended, 1);
    assert_int_equal(world->ended[0].end, EXCHANGE_ANSWERED);
    assert_int_equal(world->ended[0].end_ns, 31);
}

static void what_was_unread_at_the_close_still_counts(void **state)
{
    struct world *world = *state;
    struct event close = {.kind = EVENT_CLOSE, .connection = 1};

    say(world, DIR_OUT, REQUEST);
    close.time_ns = world->now_ns;
    track_event(world->track, &close);
    say(world, DIR_IN, RESPONSE);
    assert_int_equal(world->n_ended, 1);
    assert_int_equal(world->ended[0].end, EXCHANGE_ANSWERED);
}

static void a_close_before_the_response_ends_the_exchange_as_closed(void **state)
{
    struct world *world = *state;

    say(world, DIR_IN, REQUEST);
    close_connection(world);
    assert_int_equal(world->ended[0].end, EXCHANGE_CLOSED);
    assert_false(world->ended[0].has_response);
}

static void an_answer_before_the_requests_end_ends_the_exchange_and_the_rest_is_passed_over(
    void **state)
{
    struct world *world = *state;

    say(world, DIR_IN, POST "half of it");
    say(world, DIR_OUT, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(world->n_ended, 1);
    assert_int_equal(world->ended[0].end, EXCHANGE_ANSWERED);
    assert_int_equal(world->ended[0].code, 413);
    pass(world, DIR_IN, 100 - (uint32_t)strlen("half of it"));
    exchange_rounds(world, 1);
    assert_int_equal(world->n_ended, 2);
    assert_int_equal(world->ended[1].code, 200);
    assert_int_equal(counted(world, COUNTER_streams_gaps), 0);
}

static void a_request_that_is_never_answered_times_out(void **state)
{
    struct world *world = *state;

    say(world, DIR_IN, REQUEST);
    track_advance(world->track, world->now_ns + 999999);
    assert_int_equal(world->n_ended, 0);
    track_advance(world->track, world->now_ns + 1000000);
    assert_int_equal(world->ended[0].end, EXCHANGE_TIMED_OUT);
}

static void a_connection_joined_in_the_middle_is_found_behind_its_next_turn(void **state)
{
    struct world *world = *state;

    lose(world, DIR_IN, 5000);
    lose(world, DIR_OUT, 7000);
    say(world, DIR_OUT, "rest of some body");
    exchange_rounds(world, 1);
    assert_int_equal(world->n_begun, 0);
    assert_int_equal(world->n_blind, 1); /* that request is served unseen */
    exchange_rounds(world, 3);
    world->now_ns += UINT64_C(2000000000);
    exchange_rounds(world, 1);
    assert_int_equal(world->n_ended, 4);
    assert_int_equal(world->ended[0].position, START_IN + 5000 + sizeof(REQUEST) - 1);
}

static void each_datagram_is_a_message_of_its_own_wherever_the_last_one_ended(void **state)
{
    struct world *world = *state;

    send_datagram(world, DIR_IN, REQUEST, strlen(REQUEST));
    send_datagram(world, DIR_OUT, RESPONSE, strlen(RESPONSE));
    send_datagram(world, DIR_IN, "GET /cut HTTP/1.1\r\nHo", 22);
    send_datagram(world, DIR_IN, REQUEST, strlen(REQUEST));
    send_datagram(world, DIR_OUT, RESPONSE, strlen(RESPONSE));
    assert_int_equal(world->n_ended, 2);
    assert_int_equal(counted(world, COUNTER_operations_duplicate), 0);
    assert_int_equal(counted(world, COUNTER_streams_gaps), 0);
}

static void bytes_seen_before_are_not_parsed_twice(void **state)
{
    struct world *world = *state;

    say(world, DIR_IN, REQUEST);
    world->positions[DIR_IN] -= sizeof(REQUEST) - 1;
    say(world, DIR_IN, REQUEST);
    say(world, DIR_OUT, RESPONSE);
    assert_int_equal(world->n_begun, 1);
    assert_int_equal(counted(world, COUNTER_operations_duplicate), 1);
}

static void a_protocol_nobody_knows_is_given_up(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 32; i++)
        say(world, DIR_IN, "\x01\x02\x03\x04\x05\x06\x07\x08");
    assert_int_equal(counted(world, COUNTER_connections_undetected), 1);
    assert_int_equal(world->verdict.kind, VERDICT_GIVE_UP);
    assert_int_equal(counted(world, COUNTER_operations_unknown_protocol), 32);
}

static void a_connection_outside_the_selection_is_ignored(void **state)
{
    struct world *world = *state;

    world->selection = SELECTION_NO;
    say(world, DIR_IN, REQUEST);
    assert_int_equal(world->n_begun, 0);
    assert_int_equal(world->verdict.kind, VERDICT_IGNORE);
    assert_int_equal(counted(world, COUNTER_operations_unselected), 1);
}

static void the_end_of_the_run_ends_what_has_no_response(void **state)
{
    struct world *world = *state;

    say(world, DIR_IN, REQUEST);
    track_flush(world->track, world->now_ns);
    assert_int_equal(world->n_ended, 1);
    assert_int_equal(world->ended[0].end, EXCHANGE_UNFINISHED);
    assert_int_equal(counted(world, COUNTER_exchanges_unfinished), 1);
}

static void behind_an_upgrade_the_connection_is_opaque(void **state)
{
    struct world *world = *state;

    say(world, DIR_IN, "GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
                       "Upgrade: websocket\r\n\r\n");
    say(world, DIR_OUT, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
    assert_int_equal(world->n_ended, 1);
    assert_int_equal(world->ended[0].code, 101);
    say(world, DIR_IN, "\x81\x05hello");
    assert_int_equal(counted(world, COUNTER_operations_opaque), 1);
}

static void garbage_counts_every_operation_once_and_grows_nothing(void **state)
{
    struct world *world = *state;
    unsigned seed = 1;

    for (int i = 0; i < 20000; i++) {
        char noise[64];
        size_t n = (size_t)rand_r(&seed) % sizeof(noise) + 1;

        for (size_t j = 0; j < n; j++)
            noise[j] = (char)rand_r(&seed);
        if (i % 3 == 0)
            say(world, i % 2 ? DIR_IN : DIR_OUT, i % 4 ? RESPONSE : REQUEST);
        if (i % 7 == 0)
            lose(world, DIR_IN, n);
        operation(world, 1 + (uint64_t)i % 6, i % 5 ? DIR_IN : DIR_OUT, noise, n,
                  (uint32_t)(n + n * (i % 11 == 0)));
        track_advance(world->track, world->now_ns);
        if (world->n_ended > 32)
            world->n_ended = 0, counters_set(&world->counters, COUNTER_exchanges,
                                             counters_sum(&world->counters,
                                                          COUNTER_EXCHANGE_LOST) +
                                                 track_open_exchanges(world->track));
    }
    /* 20,000 operations of noise and 6,667 of messages, each counted once. */
    assert_int_equal(counters_sum(&world->counters, COUNTER_OPERATION_USED) +
                         counters_sum(&world->counters, COUNTER_OPERATION_LOST), 26667);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_request_and_its_response_are_one_exchange_with_their_times),
        TEST(a_request_that_goes_out_makes_this_end_the_client),
        TEST(a_head_cut_into_single_bytes_starts_when_its_first_byte_came),
        TEST(a_body_is_passed_over_uncaptured_and_the_exchange_ends_with_its_last_byte),
        TEST(a_hole_inside_a_body_costs_nothing),
        TEST(a_lost_response_leaves_the_open_requests_incomplete_and_the_next_one_whole),
        TEST(a_lost_request_does_not_take_the_next_ones_response),
        TEST(turns_prove_nothing_of_a_client_that_was_not_seen_to_wait),
        TEST(a_pause_of_both_sides_among_turns_proves_them_right),
        TEST(pipelined_requests_are_answered_in_order),
        TEST(a_gap_in_pipelined_traffic_ends_trust_though_nothing_is_open),
        TEST(what_a_server_sends_unasked_is_an_exchange_that_it_began),
        TEST(what_may_be_an_answer_is_a_request_where_it_comes_first),
        TEST(what_may_be_an_answer_proves_nothing_midway),
        TEST(a_response_goes_on_behind_what_a_server_sent_unasked),
        TEST(a_gap_among_pipelined_requests_ends_trust_in_the_pairing),
        TEST(a_head_whose_end_was_not_captured_is_marked_incomplete),
        TEST(a_head_larger_than_a_window_is_read_whole_where_most_of_it_says_nothing),
        TEST(a_head_with_more_to_say_than_a_window_holds_is_cut_counted_and_incomplete),
        TEST(what_looks_like_a_request_in_a_body_behind_a_cut_head_is_none),
        TEST(what_looks_like_a_response_in_a_body_behind_a_gap_is_none),
        TEST(the_late_response_of_a_request_given_up_is_not_the_next_ones),
        TEST(a_connection_that_began_otherwise_does_not_become_this_protocol_later),
        TEST(a_request_behind_garbage_and_a_turn_is_found_wherever_it_is_cut),
        TEST(a_connection_that_cannot_be_read_makes_its_server_blind),
        TEST(a_beginning_that_nobody_knows_makes_its_server_blind_at_once),
        TEST(a_beginning_that_may_still_become_a_request_hides_nothing),
        TEST(a_response_until_close_ends_with_its_last_byte),
        TEST(what_was_unread_at_the_close_still_counts),
        TEST(a_close_before_the_response_ends_the_exchange_as_closed),
        TEST(an_answer_before_the_requests_end_ends_the_exchange_and_the_rest_is_passed_over),
        TEST(a_request_that_is_never_answered_times_out),
        TEST(a_connection_joined_in_the_middle_is_found_behind_its_next_turn),
        TEST(each_datagram_is_a_message_of_its_own_wherever_the_last_one_ended),
        TEST(bytes_seen_before_are_not_parsed_twice),
        TEST(a_protocol_nobody_knows_is_given_up),
        TEST(a_connection_outside_the_selection_is_ignored),
        TEST(the_end_of_the_run_ends_what_has_no_response),
        TEST(behind_an_upgrade_the_connection_is_opaque),
        TEST(garbage_counts_every_operation_once_and_grows_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
