/* SPDX-License-Identifier: Apache-2.0 */
/* The thread and its sockets, by clients that write bytes. */
#include "source/receiver/receiver.h"

#include "base/macro.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <cmocka.h>

struct fixture {
    char directory[64];
    _Atomic size_t spans;
    _Atomic bool full; /* no exporter has room */
    struct counters counters;
    struct settings settings;
    struct receiver *receiver;
};

static bool has_room(void *arg, size_t bytes)
{
    struct fixture *fixture = arg;

    return !fixture->full;
}

static void take_batch(void *arg, struct batch *batch)
{
    struct fixture *fixture = arg;

    fixture->spans += batch->n_spans;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/flowtrace-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    fixture->settings = (struct settings){
        .receivers_local = true,
        .receivers_directory = fixture->directory,
        .receivers_group = (char *)"",
        .receivers_http = (char *)"127.0.0.1:0",
        .receivers_message_max = 65536,
        .receivers_memory = 1 << 20,
        .batch_spans = 16,
        .batch_bytes = 65536,
        .batch_age = 1000000,
    };
    *state = fixture;
    return 0;
}

static int start(struct fixture *fixture, struct receiver **ret_receiver)
{
    struct receiver_options options = {.settings = &fixture->settings,
                                       .counters = &fixture->counters,
                                       .has_room = has_room,
                                       .take_batch = take_batch,
                                       .arg = fixture};

    return receiver_start(&options, ret_receiver);
}

/* Its settings do not change from now on: its thread reads them. */
static struct fixture *started(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(start(fixture, &fixture->receiver), 0);
    assert_non_null(fixture->receiver);
    return fixture;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    receiver_stop(fixture->receiver);
    assert_int_equal(rmdir(fixture->directory), 0); /* the sockets are gone */
    free(fixture);
    return 0;
}

static int connect_to(const struct fixture *fixture, const char *name, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", fixture->directory, name);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* Sends, ends sending, and returns all that comes back. */
static const char *say(const struct fixture *fixture, const char *name, const char *text)
{
    _cleanup_(closep) int fd = connect_to(fixture, name, SOCK_STREAM);
    static char answer[4096];
    size_t len = 0;
    ssize_t n;

    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    shutdown(fd, SHUT_WR);
    while ((n = read(fd, answer + len, sizeof(answer) - 1 - len)) > 0)
        len += (size_t)n;
    answer[len] = '\0';
    return answer;
}

static uint64_t count(const struct fixture *fixture, enum counter counter)
{
    return counters_get(&fixture->counters, counter);
}

static void wait_count(const struct fixture *fixture, enum counter counter, uint64_t n)
{
    for (int i = 0; i < 2000 && count(fixture, counter) < n; i++)
        usleep(5000);
    assert_int_equal(count(fixture, counter), n);
}

static void stop(struct fixture *fixture)
{
    receiver_stop(TAKE_PTR(fixture->receiver));
}

#define POST_EVENT                                                                                 \
    "POST /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nce-specversion: 1.0\r\n"             \
    "ce-id: 1\r\nce-source: /x\r\nce-type: done\r\nContent-Length: 2\r\n\r\nok"

static void what_was_taken_before_the_end_is_given_on(void **state)
{
    struct fixture *fixture = *state;

    fixture->settings.batch_age = UINT64_C(3600000000000);
    started(state);
    assert_non_null(strstr(say(fixture, RECEIVER_HTTP_SOCKET, POST_EVENT), " 202 "));
    assert_string_equal(say(fixture, RECEIVER_LINES_SOCKET,
                            "{\"type\":\"a\"}\n{\"type\":\"b\"}"), "");
    stop(fixture);
    assert_int_equal(fixture->spans, 3);
    assert_int_equal(count(fixture, COUNTER_received_events), 3);
}

static void datagrams_are_taken_or_counted(void **state)
{
    struct fixture *fixture = started(state);
    _cleanup_(closep) int fd = connect_to(fixture, RECEIVER_DATAGRAM_SOCKET, SOCK_DGRAM);

    assert_int_equal(send(fd, "{\"type\":\"a\"}", 12, 0), 12);
    assert_int_equal(send(fd, "nonsense", 8, 0), 8);
    wait_count(fixture, COUNTER_received_requests, 1);
    wait_count(fixture, COUNTER_received_refused, 1);
    fixture->full = true;
    assert_int_equal(send(fd, "{\"type\":\"a\"}", 12, 0), 12);
    wait_count(fixture, COUNTER_received_lost, 1);
}

static void while_nobody_has_room_clients_are_told_to_come_again(void **state)
{
    struct fixture *fixture = started(state);
    const char *answer;

    fixture->full = true;
    answer = say(fixture, RECEIVER_HTTP_SOCKET, POST_EVENT);
    assert_non_null(strstr(answer, " 503 "));
    assert_non_null(strstr(answer, "Retry-After: 1\r\n"));
    assert_non_null(strstr(say(fixture, RECEIVER_LINES_SOCKET, "{\"type\":\"a\"}"), "lost"));
    fixture->full = false;
    assert_non_null(strstr(say(fixture, RECEIVER_HTTP_SOCKET, POST_EVENT), " 202 "));
    stop(fixture);
    assert_int_equal(fixture->spans, 1);
    assert_int_equal(count(fixture, COUNTER_received_postponed), 1);
}

static void bodies_under_way_share_a_bound(void **state)
{
    static const char head[] = "POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n";
    static const char part[50000];
    struct fixture *fixture = *state;
    int held[8];

    fixture->settings.receivers_memory = 200000;
    started(state);
    for (size_t i = 0; i < ELEMENTSOF(held); i++) {
        held[i] = connect_to(fixture, RECEIVER_HTTP_SOCKET, SOCK_STREAM);
        assert_int_equal(send(held[i], head, sizeof(head) - 1, 0), sizeof(head) - 1);
        assert_int_equal(send(held[i], part, sizeof(part), 0), sizeof(part));
    }
    for (size_t i = 0; i < ELEMENTSOF(held); i++)
        assert_int_equal(send(held[i], part, 10000, 0), 10000);
    for (size_t i = 0; i < ELEMENTSOF(held); i++) {
        char answer[64] = "";

        assert_true(read(held[i], answer, sizeof(answer) - 1) > 0);
        close(held[i]);
    }
    assert_true(count(fixture, COUNTER_received_postponed) > 0);
    assert_non_null(strstr(say(fixture, RECEIVER_HTTP_SOCKET, POST_EVENT), " 202 "));
}

static void a_client_that_is_gone_halfway_leaves_nothing(void **state)
{
    struct fixture *fixture = started(state);
    static const char half[] = "POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx";

    for (int i = 0; i < 40; i++) {
        int fd = connect_to(fixture, i % 2 ? RECEIVER_HTTP_SOCKET : RECEIVER_LINES_SOCKET,
                            SOCK_STREAM);

        assert_int_equal(send(fd, half, sizeof(half) - 1, MSG_NOSIGNAL), sizeof(half) - 1);
        close(fd);
    }
    assert_non_null(strstr(say(fixture, RECEIVER_HTTP_SOCKET, POST_EVENT), " 202 "));
}

static void a_second_one_does_not_take_the_sockets_away(void **state)
{
    struct fixture *fixture = started(state);
    struct receiver *second;

    assert_int_equal(start(fixture, &second), -EADDRINUSE);
    assert_non_null(strstr(say(fixture, RECEIVER_HTTP_SOCKET, POST_EVENT), " 202 "));
    assert_int_not_equal(receiver_port(fixture->receiver), 0);
}

static void settings_that_name_nothing_start_nothing(void **state)
{
    struct settings settings = {.receivers_http = (char *)""};
    struct receiver_options options = {.settings = &settings};
    struct receiver *receiver = (struct receiver *)&settings;

    assert_int_equal(receiver_start(&options, &receiver), 0);
    assert_null(receiver);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_taken_before_the_end_is_given_on),
        TEST(datagrams_are_taken_or_counted),
        TEST(while_nobody_has_room_clients_are_told_to_come_again),
        TEST(bodies_under_way_share_a_bound),
        TEST(a_client_that_is_gone_halfway_leaves_nothing),
        TEST(a_second_one_does_not_take_the_sockets_away),
        cmocka_unit_test(settings_that_name_nothing_start_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
