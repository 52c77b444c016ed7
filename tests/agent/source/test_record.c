/* SPDX-License-Identifier: Apache-2.0 */
/* The record format both ways, its file, and what a reader does with damage. */
#include "source/record.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

static const struct connection_facts connection = {
    .local = {.address = {1, 2, 3}, .port = 80},
    .remote = {.address = {4, 5, 6}, .port = 4711},
    .starts = {11, 22},
    .has_starts = true,
    .secure = true,
    .transport = 6,
    .comm = "nginx",
    .cgroup_id = 33,
    .netns = 44,
};

static struct event data_event(void)
{
    return (struct event){
        .kind = EVENT_DATA,
        .dir = DIR_OUT,
        .time_ns = 1000,
        .connection = 7,
        .exec = {.tgid = 1, .tid = 2, .process_start_ns = 3, .coroutine = 4},
        .position = UINT64_MAX,
        .length = 100,
        .data = BYTES_LITERAL("GET / HTTP"),
        .connection_facts = &connection,
    };
}

static struct bytes encode(const struct event *event, struct buffer *buffer)
{
    assert_int_equal(record_encode(event, buffer), 0);
    return bytes_skip(buffer_bytes(buffer), 4);
}

static void an_event_comes_back_as_it_was(void **state)
{
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(RECORD_EVENT_MAX);
    struct event in = data_event(), out;
    struct record_facts facts;

    assert_int_equal(record_decode(encode(&in, &buffer), &out, &facts), 0);
    assert_int_equal(out.kind, EVENT_DATA);
    assert_int_equal(out.dir, DIR_OUT);
    assert_int_equal(out.time_ns, 1000);
    assert_int_equal(out.connection, 7);
    assert_memory_equal(&out.exec, &in.exec, sizeof(in.exec));
    assert_true(out.position == UINT64_MAX);
    assert_int_equal(out.length, 100);
    assert_true(bytes_equal(out.data, in.data));
    assert_memory_equal(&out.connection_facts->local, &connection.local, sizeof(struct endpoint));
    assert_memory_equal(&out.connection_facts->remote, &connection.remote, sizeof(struct endpoint));
    assert_int_equal(out.connection_facts->starts[DIR_OUT], 22);
    assert_true(out.connection_facts->has_starts);
    assert_true(out.connection_facts->secure);
    assert_string_equal(out.connection_facts->comm, "nginx");
    assert_int_equal(out.connection_facts->netns, 44);
    assert_null(out.process_facts);
}

static void a_unix_sockets_name_comes_back_too(void **state)
{
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(RECORD_EVENT_MAX);
    struct connection_facts named = connection;
    struct event in = data_event(), out;
    struct record_facts facts;

    named.transport = TRANSPORT_UNIX_DATAGRAM;
    named.name = (struct socket_name){.len = 4, .bytes = "\0abc"};
    named.name_is_remote = true;
    named.remote_tgid = 77;
    in.connection_facts = &named;
    assert_int_equal(record_decode(encode(&in, &buffer), &out, &facts), 0);
    assert_int_equal(out.connection_facts->transport, TRANSPORT_UNIX_DATAGRAM);
    assert_int_equal(out.connection_facts->name.len, 4);
    assert_memory_equal(out.connection_facts->name.bytes, "\0abc", 4);
    assert_true(out.connection_facts->name_is_remote);
    assert_int_equal(out.connection_facts->remote_tgid, 77);
}

static void what_a_tls_handshake_told_comes_back_too(void **state)
{
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(RECORD_EVENT_MAX);
    struct connection_facts named = connection;
    struct event in = data_event(), out;
    struct record_facts facts;

    named.tls = (struct tls_facts){.version = 0x0303, .not_after = INT64_C(5000000000)};
    named.name = (struct socket_name){.len = 4, .bytes = "shop"};
    in.connection_facts = &named;
    assert_int_equal(record_decode(encode(&in, &buffer), &out, &facts), 0);
    assert_int_equal(out.connection_facts->tls.version, 0x0303);
    assert_int_equal(out.connection_facts->tls.not_after, INT64_C(5000000000));
    assert_int_equal(out.connection_facts->name.len, 4);
    assert_memory_equal(out.connection_facts->name.bytes, "shop", 4);
}

static void process_and_host_facts_come_back_too(void **state)
{
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(RECORD_EVENT_MAX);
    struct process_facts process = {.executable = BYTES_LITERAL("/usr/sbin/nginx"),
                                    .service = BYTES_LITERAL("front"),
                                    .attributes = BYTES_LITERAL("team=a%2Cb")};
    struct host_facts host = {.name = BYTES_LITERAL("h1"), .boot_time_ns = 99};
    struct event in = {.kind = EVENT_PROCESS, .process_facts = &process}, out;
    struct record_facts facts;

    assert_int_equal(record_decode(encode(&in, &buffer), &out, &facts), 0);
    assert_true(bytes_equal(out.process_facts->executable, process.executable));
    assert_true(bytes_equal(out.process_facts->service, process.service));
    assert_int_equal(out.process_facts->cgroup.len, 0);
    assert_true(bytes_equal(out.process_facts->attributes, process.attributes));
    buffer_reset(&buffer);
    in = (struct event){.kind = EVENT_HOST, .host_facts = &host};
    assert_int_equal(record_decode(encode(&in, &buffer), &out, &facts), 0);
    assert_true(bytes_equal(out.host_facts->name, host.name));
    assert_int_equal(out.host_facts->boot_time_ns, 99);
}

static void every_truncation_is_refused(void **state)
{
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(RECORD_EVENT_MAX);
    struct event in = data_event(), out = {.time_ns = 42};
    struct bytes whole = encode(&in, &buffer);
    struct record_facts facts;

    for (size_t n = 0; n < whole.len; n++)
        assert_int_equal(record_decode(bytes_slice(whole, 0, n), &out, &facts), -EBADMSG);
    assert_int_equal(out.time_ns, 42);
}

static void what_contradicts_itself_is_refused(void **state)
{
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(RECORD_EVENT_MAX);
    struct event in = data_event(), out;
    struct record_facts facts;
    struct bytes whole;

    in.length = 3; /* fewer bytes moved than captured */
    whole = encode(&in, &buffer);
    assert_int_equal(record_decode(whole, &out, &facts), -EBADMSG);
    buffer_reset(&buffer);
    in = (struct event){.kind = EVENT_PROCESS}; /* without its facts */
    assert_int_equal(record_decode(encode(&in, &buffer), &out, &facts), -EBADMSG);
    buffer_reset(&buffer);
    in = (struct event){.kind = EVENT_COUNT}; /* no such kind */
    assert_int_equal(record_decode(encode(&in, &buffer), &out, &facts), -EBADMSG);
}

/* ---- files ----------------------------------------------------------------------------------- */

static char path[] = "/tmp/flowtrace-test-record-XXXXXX";

static int make_path(void **state)
{
    int fd = mkstemp(path);

    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    return unlink(path);
}

static void write_three_events(void)
{
    struct event event = data_event();
    struct recorder *recorder;

    assert_int_equal(recorder_open(path, &recorder), 0);
    for (int i = 0; i < 3; i++)
        recorder_write(recorder, &event);
    assert_int_equal(recorder_close(recorder), 0);
}

static void count_event(void *arg, const struct event *event)
{
    (*(int *)arg)++;
}

static int replay(int *ret_events, struct counters *counters)
{
    struct source_options options = {.path = path, .counters = counters};
    void *source;
    int r = source_replay.open(&options, &source);

    *ret_events = 0;
    if (r < 0)
        return r;
    do
        r = source_replay.drain(source, -1, 0, count_event, ret_events);
    while (r == 0);
    source_replay.close(source);
    return r;
}

static void a_recording_is_for_its_owner_only_and_replays_whole(void **state)
{
    struct counters counters = {0};
    struct stat info;
    int n;

    assert_int_equal(chmod(path, 0644), 0);
    write_three_events();
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(replay(&n, &counters), SOURCE_END);
    assert_int_equal(n, 3);
    assert_int_equal(counters_get(&counters, COUNTER_operations), 3);
}

static void a_cut_recording_plays_up_to_the_cut_and_says_so(void **state)
{
    struct counters counters = {0};
    struct stat info;
    int n;

    write_three_events();
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(truncate(path, info.st_size - 1), 0);
    assert_int_equal(replay(&n, &counters), -EBADMSG);
    assert_int_equal(n, 2);
}

static void another_file_or_version_is_refused(void **state)
{
    struct counters counters = {0};
    int n, fd;

    write_three_events();
    fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "\x09", 1, 8), 1);
    assert_int_equal(replay(&n, &counters), -EBADMSG);
    assert_int_equal(pwrite(fd, "PCAP", 4, 0), 4);
    assert_int_equal(replay(&n, &counters), -EBADMSG);
    close(fd);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(replay(&n, &counters), -EBADMSG);
}

static void somebody_elses_file_is_not_overwritten(void **state)
{
    struct recorder *recorder = NULL;
    struct stat info;
    int fd = open(path, O_WRONLY | O_TRUNC);

    assert_int_equal(write(fd, "#!/bin/sh\n", 10), 10);
    close(fd);
    assert_int_equal(recorder_open(path, &recorder), -EEXIST);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, 10);
    assert_int_equal(truncate(path, 0), 0);
}

static void a_file_that_cannot_be_made_is_an_error(void **state)
{
    struct recorder *recorder = NULL;

    assert_int_equal(recorder_open("/nonexistent/recording", &recorder), -ENOENT);
    assert_null(recorder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_comes_back_as_it_was),
        cmocka_unit_test(a_unix_sockets_name_comes_back_too),
        cmocka_unit_test(what_a_tls_handshake_told_comes_back_too),
        cmocka_unit_test(process_and_host_facts_come_back_too),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(what_contradicts_itself_is_refused),
        cmocka_unit_test(a_recording_is_for_its_owner_only_and_replays_whole),
        cmocka_unit_test(a_cut_recording_plays_up_to_the_cut_and_says_so),
        cmocka_unit_test(another_file_or_version_is_refused),
        cmocka_unit_test(somebody_elses_file_is_not_overwritten),
        cmocka_unit_test(a_file_that_cannot_be_made_is_an_error),
    };

    return cmocka_run_group_tests(tests, make_path, remove_path);
}
