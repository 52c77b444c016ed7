/* SPDX-License-Identifier: Apache-2.0 */
/* The thread and its loop; the picture stands in receiver.h. */
#include "source/receiver/receiver.h"

#include "base/clock.h"
#include "base/log.h"
#include "source/receiver/http.h"
#include "source/receiver/say.h"
#include "source/receiver/socket.h"

#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#define SWEEP_MS 1000

enum server { SERVER_LOCAL, SERVER_TCP, SERVER_COUNT };

struct receiver {
    struct receiver_options options;
    struct collect collect;
    struct peers *peers;
    struct local_socket http_socket;
    struct http *servers[SERVER_COUNT];
    struct say *say;
    size_t held_bytes; /* of all bodies that are under way */
    uint16_t port;
    int stop_fd;
    int epoll_fd;
    bool has_thread;
    pthread_t thread;
};

static int soonest(int a, int b)
{
    return a < 0 ? b : b < 0 ? a : MIN(a, b);
}

/* One turn: everybody once. In how many milliseconds the next is due. */
static int turn(struct receiver *receiver)
{
    int timeout = SWEEP_MS;

    for (size_t i = 0; i < SERVER_COUNT; i++)
        if (receiver->servers[i])
            timeout = soonest(timeout, http_run(receiver->servers[i]));
    if (receiver->say && say_run(receiver->say))
        timeout = 0;
    return soonest(timeout, collect_advance(&receiver->collect));
}

static void sweep(struct receiver *receiver, uint64_t now_ns)
{
    for (size_t i = 0; i < SERVER_COUNT; i++)
        if (receiver->servers[i])
            http_sweep(receiver->servers[i], now_ns);
    if (receiver->say)
        say_sweep(receiver->say, now_ns);
}

static void *run(void *arg)
{
    struct receiver *receiver = arg;
    uint64_t swept_ns = clock_ns(CLOCK_MONOTONIC), now_ns;
    struct epoll_event events[SERVER_COUNT + 1];
    uint64_t stopping;

    while (read(receiver->stop_fd, &stopping, sizeof(stopping)) < 0) {
        int timeout = turn(receiver);

        now_ns = clock_ns(CLOCK_MONOTONIC);
        if (now_ns - swept_ns >= SWEEP_MS * NS_PER_MS) {
            sweep(receiver, now_ns);
            swept_ns = now_ns;
        }
        epoll_wait(receiver->epoll_fd, events, ELEMENTSOF(events), timeout);
    }
    return NULL;
}

/* ---- start and stop -------------------------------------------------------------------------- */

static int watch(struct receiver *receiver, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};

    if (epoll_ctl(receiver->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        return log_error(-errno, "receivers");
    return 0;
}

static int start_server(struct receiver *receiver, enum server server, int listener)
{
    struct http_options options = {
        .options = &receiver->options,
        .collect = &receiver->collect,
        .peers = receiver->peers,
        .held_bytes = &receiver->held_bytes,
        .local = server == SERVER_LOCAL,
    };
    int r = http_start(&options, listener, &receiver->servers[server]);

    return r < 0 ? r : watch(receiver, http_fd(receiver->servers[server]));
}

static int start_local(struct receiver *receiver)
{
    int r = local_socket_open(receiver->options.settings, RECEIVER_HTTP_SOCKET, SOCK_STREAM,
                              &receiver->http_socket);

    if (r < 0)
        return r;
    r = start_server(receiver, SERVER_LOCAL, TAKE_FD(receiver->http_socket.fd));
    return r < 0 ? r : say_start(&receiver->collect, receiver->peers, receiver->epoll_fd,
                                 &receiver->say);
}

static int start_tcp(struct receiver *receiver)
{
    int fd, r = tcp_socket_open(receiver->options.settings, &fd, &receiver->port);

    return r < 0 ? r : start_server(receiver, SERVER_TCP, fd);
}

static int start_thread(struct receiver *receiver)
{
    int r = -pthread_create(&receiver->thread, NULL, run, receiver);

    receiver->has_thread = r == 0;
    return r < 0 ? log_error(r, "receivers: no thread") : 0;
}

static int open_all(struct receiver *receiver)
{
    const struct settings *settings = receiver->options.settings;
    int r = collect_init(&receiver->collect, &receiver->options);

    if (r == 0)
        r = peers_new(receiver->options.configured, receiver->options.agent, &receiver->peers);
    if (r < 0)
        return log_error(r, "receivers");
    receiver->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    receiver->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (receiver->stop_fd < 0 || receiver->epoll_fd < 0)
        return log_error(-errno, "receivers");
    r = watch(receiver, receiver->stop_fd);
    if (r == 0 && settings->receivers_local)
        r = start_local(receiver);
    if (r == 0 && *settings->receivers_http)
        r = start_tcp(receiver);
    return r < 0 ? r : start_thread(receiver);
}

int receiver_start(const struct receiver_options *options, struct receiver **ret_receiver)
{
    struct receiver *receiver;
    int r;

    *ret_receiver = NULL;
    if (!options->settings->receivers_local && !*options->settings->receivers_http)
        return 0;
    receiver = calloc(1, sizeof(*receiver));
    if (!receiver)
        return log_error(-ENOMEM, "receivers");
    receiver->options = *options;
    receiver->stop_fd = receiver->epoll_fd = receiver->http_socket.fd = -1;
    r = open_all(receiver);
    if (r < 0) {
        receiver_stop(receiver);
        return r;
    }
    *ret_receiver = receiver;
    return 0;
}

void receiver_stop(struct receiver *receiver)
{
    const uint64_t one = 1;

    if (!receiver)
        return;
    if (receiver->has_thread) {
        while (write(receiver->stop_fd, &one, sizeof(one)) < 0 && errno == EINTR)
            ;
        pthread_join(receiver->thread, NULL);
    }
    local_socket_done(&receiver->http_socket);
    for (size_t i = 0; i < SERVER_COUNT; i++)
        http_stop(receiver->servers[i]);
    say_stop(receiver->say);
    collect_done(&receiver->collect);
    peers_free(receiver->peers);
    closep(&receiver->stop_fd);
    closep(&receiver->epoll_fd);
    free(receiver);
}

uint16_t receiver_port(const struct receiver *receiver)
{
    return receiver->port;
}
