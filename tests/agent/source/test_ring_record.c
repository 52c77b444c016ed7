/* SPDX-License-Identifier: Apache-2.0 */
#include "source/ring_record.h"

#include "bpf/record.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

struct raw {
    struct ft_facts facts;
    struct ft_record record;
    uint8_t data[8];
};

static struct raw make_raw(void)
{
    return (struct raw){
        .facts = {.kind = FT_KIND_FACTS, .starts = {11, 22}, .local_port = 80,
                  .remote_port = 4711, .family = AF_INET, .transport = FT_TCP, .has_starts = 1,
                  .local_address = {127, 0, 0, 1}, .remote_address = {10, 1, 2, 3},
                  .comm = "a command name  "},
        .record = {.kind = FT_KIND_DATA, .dir = FT_DIR_OUT, .time_ns = 5, .connection = 7,
                   .position = 9, .tgid = 1, .tid = 2, .length = 100, .captured = 8},
        .data = "GET / HT",
    };
}

static int decode(const struct raw *raw, size_t len, struct event *event,
                  struct connection_facts *facts)
{
    enum ft_kind kind;

    return ring_record_decode(bytes_make(raw, len), 1000, &kind, event, facts);
}

static void a_record_with_facts_becomes_an_event_with_facts(void **state)
{
    struct raw raw = make_raw();
    struct connection_facts facts;
    struct event event;

    assert_int_equal(decode(&raw, sizeof(raw), &event, &facts), 0);
    assert_int_equal(event.kind, EVENT_DATA);
    assert_int_equal(event.dir, DIR_OUT);
    assert_int_equal(event.time_ns, 1005);
    assert_int_equal(event.length, 100);
    assert_true(bytes_equal(event.data, BYTES_LITERAL("GET / HT")));
    assert_ptr_equal(event.connection_facts, &facts);
    assert_int_equal(facts.starts[DIR_OUT], 22);
    assert_true(facts.has_starts);
    assert_int_equal(facts.transport, TRANSPORT_TCP);
    assert_int_equal(facts.remote.port, 4711);
    assert_memory_equal(facts.remote.address, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\x01\x02\x03", 16);
    assert_string_equal(facts.comm, "a command name ");
}

static void a_record_without_facts_has_none(void **state)
{
    struct raw raw = make_raw();
    struct connection_facts facts;
    struct event event;

    enum ft_kind kind;

    assert_int_equal(ring_record_decode(bytes_make(&raw.record, sizeof(raw.record) + 8), 0, &kind,
                                        &event, &facts), 0);
    assert_int_equal(kind, FT_KIND_DATA);
    assert_null(event.connection_facts);
}

static void a_unix_socket_has_a_name_and_no_address(void **state)
{
    static const uint8_t nowhere[16];
    struct raw raw = make_raw();
    struct connection_facts facts;
    struct event event;

    raw.facts.family = AF_UNIX;
    raw.facts.transport = FT_UNIX_STREAM;
    raw.facts.has_starts = 0;
    raw.facts.path_is_remote = 1;
    raw.facts.remote_tgid = 42;
    raw.facts.path_len = 5;
    memcpy(raw.facts.path, "/a/b\0behind", 11);
    assert_int_equal(decode(&raw, sizeof(raw), &event, &facts), 0);
    assert_int_equal(facts.transport, TRANSPORT_UNIX_STREAM);
    assert_false(facts.has_starts);
    assert_true(facts.name_is_remote);
    assert_int_equal(facts.remote_tgid, 42);
    assert_int_equal(facts.name.len, 5);
    assert_memory_equal(facts.name.bytes, "/a/b", 5);
    assert_memory_equal(facts.remote.address, nowhere, sizeof(nowhere));
}

static void a_name_is_never_longer_than_its_place(void **state)
{
    struct raw raw = make_raw();
    struct connection_facts facts;
    struct event event;

    raw.facts.path_len = 255;
    assert_int_equal(decode(&raw, sizeof(raw), &event, &facts), 0);
    assert_int_equal(facts.name.len, FT_PATH_LEN);
}

static void the_kernel_sides_transports_are_the_agents(void **state)
{
    assert_int_equal(FT_TCP, TRANSPORT_TCP);
    assert_int_equal(FT_UDP, TRANSPORT_UDP);
    assert_int_equal(FT_MPTCP, TRANSPORT_MPTCP);
    assert_int_equal(FT_UNIX_STREAM, TRANSPORT_UNIX_STREAM);
    assert_int_equal(FT_UNIX_SEQPACKET, TRANSPORT_UNIX_SEQPACKET);
    assert_int_equal(FT_UNIX_DATAGRAM, TRANSPORT_UNIX_DATAGRAM);
    assert_int_equal(FT_PATH_LEN, FT_PATH_LEN);
}

static void every_truncation_is_refused(void **state)
{
    struct raw raw = make_raw();
    struct connection_facts facts;
    struct event event;

    for (size_t n = 0; n < sizeof(raw); n++)
        assert_int_equal(decode(&raw, n, &event, &facts), -EBADMSG);
}

static void a_record_that_contradicts_itself_is_refused(void **state)
{
    struct connection_facts facts;
    struct event event;
    struct raw raw = make_raw();

    raw.record.captured = 7;
    assert_int_equal(decode(&raw, sizeof(raw), &event, &facts), -EBADMSG);
    raw = make_raw();
    raw.record.length = 3;
    assert_int_equal(decode(&raw, sizeof(raw), &event, &facts), -EBADMSG);
    raw = make_raw();
    raw.record.kind = 99;
    assert_int_equal(decode(&raw, sizeof(raw), &event, &facts), -EBADMSG);
    raw = make_raw();
    raw.record.dir = 2;
    assert_int_equal(decode(&raw, sizeof(raw), &event, &facts), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_with_facts_becomes_an_event_with_facts),
        cmocka_unit_test(a_record_without_facts_has_none),
        cmocka_unit_test(a_unix_socket_has_a_name_and_no_address),
        cmocka_unit_test(a_name_is_never_longer_than_its_place),
        cmocka_unit_test(the_kernel_sides_transports_are_the_agents),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(a_record_that_contradicts_itself_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
