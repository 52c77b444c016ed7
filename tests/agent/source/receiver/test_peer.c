/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of this very process, over a pair of its own sockets, and what resources become. */
#include "source/receiver/peer.h"

#include "base/macro.h"
#include "otlp/intake.h"
#include "otlp/otlp.h"
#include "span/semconv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <cmocka.h>

#define SERVICE(text_) {.key = SEMCONV_SERVICE_NAME, .text = BYTES_LITERAL(text_)}
#define PID(pid_) {.key = SEMCONV_PROCESS_PID, .type = ATTRIBUTE_INTEGER, .integer = (pid_)}

DEFINE_CLEANUP(struct peers, peers_free)

struct told {
    unsigned services, pids, hosts, distros;
    char service[64];
    int64_t pid;
};

static void tell(void *arg, struct bytes key, struct bytes text, int64_t integer)
{
    struct told *told = arg;

    if (bytes_equal(key, SEMCONV_SERVICE_NAME)) {
        told->services++;
        memcpy(told->service, text.ptr, MIN(text.len, sizeof(told->service) - 1));
    }
    if (bytes_equal(key, SEMCONV_PROCESS_PID)) {
        told->pids++;
        told->pid = integer;
    }
    told->hosts += bytes_equal(key, SEMCONV_HOST_NAME);
    told->distros += bytes_equal(key, SEMCONV_TELEMETRY_DISTRO_NAME);
}

static struct told complete(const struct peer *peer, const struct attribute *sent, size_t n)
{
    _cleanup_(buffer_done) struct buffer resource = buffer_make(8192), out = buffer_make(8192);
    struct told told = {0};

    assert_int_equal(otlp_encode_resource(sent, n, &resource), 0);
    assert_int_equal(peer_complete(peer, buffer_bytes(&resource), &out), 0);
    otlp_each_attribute(buffer_bytes(&out), tell, &told);
    return told;
}

/* This process, as the other end of a socket. */
static void self(struct peers *peers, struct peer *ret_peer)
{
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    peer_copy(peers_of_socket(peers, pair[0]), ret_peer);
    close(pair[0]);
    close(pair[1]);
}

static void what_a_resource_does_not_say_the_kernel_says(void **state)
{
    static const struct attribute named[] = {SERVICE("shop")};
    _cleanup_(peers_freep) struct peers *peers = NULL;
    struct peer peer;
    struct told told;

    assert_int_equal(peers_new(NULL, NULL, &peers), 0);
    self(peers, &peer);
    assert_int_equal(peer.pid, getpid());
    told = complete(&peer, named, 1);
    assert_int_equal(told.services, 1);
    assert_string_equal(told.service, "shop");
    assert_int_equal(told.pid, getpid());
    assert_int_equal(told.hosts, 1);
    assert_int_equal(told.distros, 0); /* the SDK's spans are its own */
    told = complete(&peer, NULL, 0);
    assert_string_equal(told.service, "test_receiver_peer");
}

static void a_name_that_says_nothing_is_replaced_by_the_program_s(void **state)
{
    static const struct attribute unnamed[] = {SERVICE("unknown_service:python")};
    _cleanup_(peers_freep) struct peers *peers = NULL;
    struct peer peer;
    struct told told;

    assert_int_equal(peers_new(NULL, NULL, &peers), 0);
    self(peers, &peer);
    told = complete(&peer, unnamed, 1);
    assert_int_equal(told.services, 1);
    assert_string_equal(told.service, "test_receiver_peer");
    told = complete(peers_nobody(peers), unnamed, 1);
    assert_int_equal(told.services, 1);
    assert_string_equal(told.service, "unknown_service:python");
}

static void a_resource_of_another_process_stays_as_it_is(void **state)
{
    const struct attribute other[] = {SERVICE("unknown_service"), PID(getpid() + 1)};
    const struct attribute own[] = {SERVICE("shop"), PID(getpid())};
    _cleanup_(peers_freep) struct peers *peers = NULL;
    struct peer peer;
    struct told told;

    assert_int_equal(peers_new(NULL, NULL, &peers), 0);
    self(peers, &peer);
    told = complete(&peer, other, 2);
    assert_int_equal(told.services + told.pids + told.hosts, 2);
    assert_string_equal(told.service, "unknown_service");
    told = complete(&peer, own, 2);
    assert_int_equal(told.pids, 1);
    assert_int_equal(told.hosts, 1);
}

static void of_a_process_that_is_gone_only_its_number_is_known(void **state)
{
    _cleanup_(peers_freep) struct peers *peers = NULL;
    const struct peer *peer;
    struct told told;
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
    assert_int_equal(peers_new(NULL, NULL, &peers), 0);
    peer = peers_get(peers, (uint32_t)child);
    assert_int_equal(peer->pid, child);
    told = complete(peer, NULL, 0);
    assert_int_equal(told.pid, child);
    assert_string_equal(told.service, "unknown_service");
}

static void what_is_said_of_every_resource_is_said_of_these(void **state)
{
    struct said said = {0};
    _cleanup_(peers_freep) struct peers *peers = NULL;
    static const struct attribute named[] = {SERVICE("shop")};

    assert_int_equal(said_add(&said, SEMCONV_HOST_NAME, BYTES_LITERAL("box")), 0);
    assert_int_equal(peers_new(&said, NULL, &peers), 0);
    assert_int_equal(complete(peers_nobody(peers), named, 1).hosts, 1);
    peers_free(peers);
    assert_int_equal(peers_new(NULL, NULL, &peers), 0);
    assert_int_equal(complete(peers_nobody(peers), named, 1).hosts, 0);
}

static void a_process_is_read_once_while_it_lives(void **state)
{
    _cleanup_(peers_freep) struct peers *peers = NULL;
    const struct peer *first;

    assert_int_equal(peers_new(NULL, NULL, &peers), 0);
    first = peers_get(peers, (uint32_t)getpid());
    assert_ptr_equal(peers_get(peers, (uint32_t)getpid()), first);
    for (uint32_t pid = 1; pid < 4 * PEERS_MAX; pid++)
        peers_get(peers, pid);
    assert_int_equal(peers_get(peers, (uint32_t)getpid())->pid, getpid());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_resource_does_not_say_the_kernel_says),
        cmocka_unit_test(a_name_that_says_nothing_is_replaced_by_the_program_s),
        cmocka_unit_test(a_resource_of_another_process_stays_as_it_is),
        cmocka_unit_test(of_a_process_that_is_gone_only_its_number_is_known),
        cmocka_unit_test(what_is_said_of_every_resource_is_said_of_these),
        cmocka_unit_test(a_process_is_read_once_while_it_lives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
