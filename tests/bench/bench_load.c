/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 at a fixed offered rate over kept-alive connections, and how long the answers took.
 *
 *   bench_load PORT RATE CONNECTIONS SECONDS [tls]
 *
 * Request i is due at i / RATE. It goes out on any free connection; where none is free it waits.
 * Its latency runs from when it was *due* to the last byte of its answer, so that a server which
 * stalls cannot hide it by slowing the client down.
 *
 *   due      |--------|--------|--------|--------|        every 1 / RATE
 *   sent     |---|    |----------|      |-|               at most one per connection at a time
 *   latency  <--->    <---------->  <--...
 *
 * Prints one line, "sent 80000 received 80000 seconds 10.0 p50_us 40.1 p99_us 120.5", where sent
 * and received are whole messages.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024
#define RESPONSE_MAX 4096
#define SECOND UINT64_C(1000000000)
#define WAIT_FOR_LAST (2 * SECOND)

static const char request[] = "GET /orders/4711 HTTP/1.1\r\nHost: bench\r\n\r\n";

struct connection {
    int fd;
    SSL *ssl; /* NULL: plain */
    uint64_t due; /* of the request under way */
    size_t len;
    char response[RESPONSE_MAX];
};

struct load {
    int epoll;
    SSL_CTX *tls; /* NULL: plain */
    uint64_t start, interval, total;
    uint64_t sent, received;
    uint64_t *latencies;
    struct connection connections[CONNECTIONS_MAX];
    unsigned idle[CONNECTIONS_MAX], n_idle; /* the indexes of free connections, a stack */
};

static void die(const char *what)
{
    fprintf(stderr, "bench_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

/* The handshake blocks, what comes behind it does not: there are records without data. */
static SSL *shake_hands(SSL_CTX *tls, int fd)
{
    SSL *ssl = tls ? SSL_new(tls) : NULL;

    if (!tls)
        return NULL;
    if (!ssl || SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        die("TLS handshake");
    return ssl;
}

static void open_connections(struct load *load, uint16_t port, unsigned n)
{
    load->epoll = epoll_create1(0);
    for (unsigned i = 0; i < n; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};

        load->connections[i].fd = connect_to(port);
        load->connections[i].ssl = shake_hands(load->tls, load->connections[i].fd);
        if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, load->connections[i].fd, &event) < 0)
            die("epoll_ctl");
        load->idle[load->n_idle++] = i;
    }
}

static void send_request(const struct connection *connection)
{
    const int len = sizeof(request) - 1;

    if (connection->ssl ? SSL_write(connection->ssl, request, len) != len
                        : send(connection->fd, request, len, 0) != len)
        die("send");
}

/* Bytes, or 0: none yet. */
static size_t receive_some(struct connection *connection)
{
    char *to = connection->response + connection->len;
    size_t room = RESPONSE_MAX - 1 - connection->len;
    ssize_t r = connection->ssl ? SSL_read(connection->ssl, to, (int)room)
                                : recv(connection->fd, to, room, 0);

    if (connection->ssl && r <= 0 && SSL_get_error(connection->ssl, (int)r) == SSL_ERROR_WANT_READ)
        return 0;
    if (r <= 0)
        die("recv");
    return (size_t)r;
}

/* Sends what is due, as far as connections are free. */
static void send_due(struct load *load, uint64_t time)
{
    while (load->sent < load->total && load->n_idle) {
        uint64_t due = load->start + load->sent * load->interval;
        struct connection *connection;

        if (due > time)
            return;
        connection = &load->connections[load->idle[--load->n_idle]];
        connection->due = due;
        send_request(connection);
        load->sent++;
    }
}

/* Whether the connection holds a whole response: head and Content-Length bytes. */
static bool is_whole(struct connection *connection)
{
    char *end, *length;

    connection->response[connection->len] = '\0';
    end = strstr(connection->response, "\r\n\r\n");
    if (!end)
        return false;
    length = strcasestr(connection->response, "\r\nContent-Length:");
    if (!length || length > end) {
        fprintf(stderr, "bench_load: a response without Content-Length\n");
        exit(1);
    }
    return connection->len >= (size_t)(end + 4 - connection->response) +
                                  strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
}

static void receive(struct load *load, unsigned index)
{
    struct connection *connection = &load->connections[index];
    size_t n = receive_some(connection);

    connection->len += n;
    if (n == 0 || !is_whole(connection))
        return;
    connection->len = 0;
    load->latencies[load->received++] = now() - connection->due;
    load->idle[load->n_idle++] = index;
}

/* How long nothing has to be done unless an answer comes. */
static struct timespec time_to_wait(const struct load *load, uint64_t time)
{
    uint64_t due = load->start + load->sent * load->interval, wait = SECOND / 10;

    if (load->sent < load->total && load->n_idle)
        wait = due > time ? due - time : 0;
    return (struct timespec){(time_t)(wait / SECOND), (long)(wait % SECOND)};
}

static void run(struct load *load)
{
    struct epoll_event events[64];
    uint64_t time, end;

    load->start = now();
    end = load->start + load->total * load->interval + WAIT_FOR_LAST;
    while (load->received < load->total && (time = now()) < end) {
        struct timespec wait;
        int n;

        send_due(load, time);
        wait = time_to_wait(load, now());
        n = epoll_pwait2(load->epoll, events, 64, &wait, NULL);
        if (n < 0 && errno != EINTR)
            die("epoll_pwait2");
        for (int i = 0; i < n; i++)
            receive(load, events[i].data.u32);
    }
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static double percentile_us(const struct load *load, unsigned percent)
{
    return load->received ? (double)load->latencies[load->received * percent / 100] / 1e3 : 0;
}

int main(int argc, char **argv)
{
    static struct load load;
    bool tls = argc == 6 && strcmp(argv[5], "tls") == 0, good = argc == 5 || tls;
    unsigned long port = good ? strtoul(argv[1], NULL, 10) : 0;
    double rate = good ? atof(argv[2]) : 0, seconds = good ? atof(argv[4]) : 0;
    unsigned long n = good ? strtoul(argv[3], NULL, 10) : 0;

    if (port == 0 || port > UINT16_MAX || rate <= 0 || seconds <= 0 || n == 0 ||
        n > CONNECTIONS_MAX) {
        fprintf(stderr, "usage: bench_load PORT RATE CONNECTIONS SECONDS [tls]\n");
        return 2;
    }
    prctl(PR_SET_TIMERSLACK, 1);
    load.interval = (uint64_t)(1e9 / rate);
    load.total = (uint64_t)(rate * seconds);
    load.latencies = calloc(load.total + 1, sizeof(*load.latencies));
    if (!load.latencies)
        die("calloc");
    load.tls = tls ? SSL_CTX_new(TLS_client_method()) : NULL;
    open_connections(&load, (uint16_t)port, (unsigned)n);
    run(&load);
    seconds = (double)(now() - load.start) / 1e9;
    qsort(load.latencies, load.received, sizeof(*load.latencies), compare);
    printf("sent %lu received %lu seconds %.2f p50_us %.1f p99_us %.1f\n", load.sent,
           load.received, seconds, percentile_us(&load, 50), percentile_us(&load, 99));
    return load.received == load.sent ? 0 : 1;
}
