/* SPDX-License-Identifier: Apache-2.0 */
/* The contract stands in say.h. */
#include "source/receiver/say.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "source/receiver/events.h"
#include "source/receiver/socket.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define LINE_MAX_LEN (64u << 10) /* of a stream's line */
#define DATAGRAM_MAX (256u << 10)
#define DATAGRAMS_PER_TURN 64
#define READ_STEP 4096

struct say {
    struct collect *collect;
    struct peers *peers;
    int epoll_fd;
    struct local_socket lines;
    struct local_socket datagrams;
    struct list clients;
    unsigned n_clients;
    uint8_t *datagram;
};

struct client {
    struct list link;
    int fd;
    uint64_t progress_ns;
    bool skipping; /* the rest of a line that is too long */
    struct buffer line;
    struct peer peer;
};

/* ---- events ---------------------------------------------------------------------------------- */

/* NULL, or what is wrong with it. */
static const char *take(struct say *say, const struct peer *peer, struct bytes json)
{
    const struct receiver_options *options = say->collect->options;
    struct flow_event_rules rules = events_rules(options->settings, true);
    struct event_sender sender = {say->collect, peer};
    const char *reason = NULL;

    if (!collect_has_room(say->collect, json.len)) {
        counters_add(options->counters, COUNTER_received_lost, 1);
        return "no exporter has room: the event is lost";
    }
    if (flow_events_read(json, false, &rules, events_take, &sender, &reason) == 0) {
        counters_add(options->counters, COUNTER_received_requests, 1);
        return NULL;
    }
    counters_add(options->counters, COUNTER_received_refused, 1);
    return reason;
}

/* ---- datagrams ------------------------------------------------------------------------------- */

static uint32_t sender_of(struct msghdr *message)
{
    struct cmsghdr *part = CMSG_FIRSTHDR(message);
    struct ucred credentials;

    for (; part; part = CMSG_NXTHDR(message, part))
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_CREDENTIALS) {
            memcpy(&credentials, CMSG_DATA(part), sizeof(credentials));
            return (uint32_t)credentials.pid;
        }
    return 0;
}

static bool take_datagram(struct say *say)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec place = {say->datagram, DATAGRAM_MAX};
    struct msghdr message = {.msg_iov = &place, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(say->datagrams.fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (n < 0)
        return false;
    if (message.msg_flags & MSG_TRUNC)
        counters_add(say->collect->options->counters, COUNTER_received_refused, 1);
    else if (n > 0)
        take(say, peers_get(say->peers, sender_of(&message)),
             bytes_make(say->datagram, (size_t)n));
    return true;
}

static bool run_datagrams(struct say *say)
{
    for (unsigned i = 0; i < DATAGRAMS_PER_TURN; i++)
        if (!take_datagram(say))
            return false;
    return true;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static void client_free(struct say *say, struct client *client)
{
    list_remove(&client->link);
    say->n_clients--;
    closep(&client->fd); /* epoll forgets it */
    buffer_done(&client->line);
    free(client);
}

static unsigned clients_of(const struct say *say, uint64_t key)
{
    unsigned n = 0;

    for (const struct list *link = say->clients.next; link != &say->clients; link = link->next)
        n += container_of(link, struct client, link)->peer.key == key;
    return n;
}

static void accept_client(struct say *say, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    struct client *client = calloc(1, sizeof(*client));

    if (!client) {
        close(fd);
        return;
    }
    client->fd = fd;
    client->progress_ns = clock_ns(CLOCK_MONOTONIC);
    client->line = buffer_make(LINE_MAX_LEN);
    peer_copy(peers_of_socket(say->peers, fd), &client->peer);
    list_init(&client->link);
    list_append(&say->clients, &client->link);
    say->n_clients++;
    if (say->n_clients > RECEIVER_CLIENTS_MAX ||
        clients_of(say, client->peer.key) > RECEIVER_CLIENTS_PER_PROCESS ||
        epoll_ctl(say->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        counters_add(say->collect->options->counters, COUNTER_received_cut_off, 1);
        client_free(say, client);
    }
}

/* Whether the client hears it is its own business: nobody waits for that. */
static void complain(struct client *client, const char *reason)
{
    char line[256];
    int n = snprintf(line, sizeof(line), "%s\n", reason);

    if (send(client->fd, line, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return;
}

static void take_line(struct say *say, struct client *client)
{
    struct bytes line = bytes_trim(buffer_bytes(&client->line));
    const char *problem = NULL;

    if (client->skipping) {
        counters_add(say->collect->options->counters, COUNTER_received_refused, 1);
        problem = "the line is too long";
    } else if (line.len > 0) {
        problem = take(say, &client->peer, line);
    }
    client->skipping = false;
    client->progress_ns = clock_ns(CLOCK_MONOTONIC);
    buffer_reset(&client->line);
    if (problem)
        complain(client, problem);
}

static void take_bytes(struct say *say, struct client *client, struct bytes bytes)
{
    while (bytes.len > 0) {
        size_t end = bytes_find(bytes, '\n');
        struct bytes part = bytes_slice(bytes, 0, end);

        buffer_append_bytes(&client->line, part);
        client->skipping |= client->line.failed;
        if (end == SIZE_MAX)
            return;
        take_line(say, client);
        bytes = bytes_skip(bytes, part.len + 1);
    }
}

/* True: there may be more. */
static bool run_client(struct say *say, struct client *client)
{
    uint8_t bytes[READ_STEP];
    ssize_t n = recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

    if (n > 0) {
        take_bytes(say, client, bytes_make(bytes, (size_t)n));
        return n == sizeof(bytes);
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    take_line(say, client); /* the last one needs no newline */
    client_free(say, client);
    return false;
}

static bool run_lines(struct say *say)
{
    struct list *link, *next;
    bool more = false;
    int fd;

    while ((fd = accept4(say->lines.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
        accept_client(say, fd);
    for (link = say->clients.next; link != &say->clients; link = next) {
        next = link->next;
        more |= run_client(say, container_of(link, struct client, link));
    }
    return more;
}

bool say_run(struct say *say)
{
    bool datagrams = run_datagrams(say), lines = run_lines(say);

    return datagrams || lines;
}

void say_sweep(struct say *say, uint64_t now_ns)
{
    struct list *link, *next;

    for (link = say->clients.next; link != &say->clients; link = next) {
        struct client *client = container_of(link, struct client, link);

        next = link->next;
        /* An idle client may stay; one with half a line holds memory. */
        if (client->line.len == 0 || now_ns <= client->progress_ns ||
            now_ns - client->progress_ns < RECEIVER_PROGRESS_NS)
            continue;
        counters_add(say->collect->options->counters, COUNTER_received_cut_off, 1);
        client_free(say, client);
    }
}

/* ---- start and stop -------------------------------------------------------------------------- */

static int open_sockets(struct say *say)
{
    const struct settings *settings = say->collect->options->settings;
    struct epoll_event event = {.events = EPOLLIN};
    const int one = 1;
    int r = local_socket_open(settings, RECEIVER_LINES_SOCKET, SOCK_STREAM, &say->lines);

    if (r == 0)
        r = local_socket_open(settings, RECEIVER_DATAGRAM_SOCKET, SOCK_DGRAM, &say->datagrams);
    if (r < 0)
        return r;
    if (setsockopt(say->datagrams.fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) < 0 ||
        epoll_ctl(say->epoll_fd, EPOLL_CTL_ADD, say->lines.fd, &event) < 0 ||
        epoll_ctl(say->epoll_fd, EPOLL_CTL_ADD, say->datagrams.fd, &event) < 0)
        return log_error(-errno, "receivers");
    return 0;
}

int say_start(struct collect *collect, struct peers *peers, int epoll_fd, struct say **ret_say)
{
    struct say *say = calloc(1, sizeof(*say));
    int r;

    if (!say)
        return log_error(-ENOMEM, "receivers");
    *say = (struct say){.collect = collect, .peers = peers, .epoll_fd = epoll_fd,
                        .lines.fd = -1, .datagrams.fd = -1, .datagram = malloc(DATAGRAM_MAX)};
    list_init(&say->clients);
    r = say->datagram ? open_sockets(say) : log_error(-ENOMEM, "receivers");
    if (r < 0) {
        say_stop(say);
        return r;
    }
    *ret_say = say;
    return 0;
}

void say_stop(struct say *say)
{
    if (!say)
        return;
    while (!list_empty(&say->clients))
        client_free(say, container_of(say->clients.next, struct client, link));
    local_socket_done(&say->lines);
    local_socket_done(&say->datagrams);
    free(say->datagram);
    free(say);
}
