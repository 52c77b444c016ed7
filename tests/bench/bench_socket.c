/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a socket operation costs: one thread at both ends of a loopback TCP connection. There and
 * back are 4 operations.
 *
 *   bench_socket http BYTES SECONDS   HTTP exchanges, request and response of BYTES each
 *   bench_socket raw BYTES SECONDS    bytes of no known protocol, there and back
 *   bench_socket udp BYTES SECONDS    the same over UDP, both ends connected
 *   bench_socket udp-to BYTES SECONDS the same, with an address in each call
 *   bench_socket unix BYTES SECONDS   the same over a UNIX stream
 *   bench_socket syscall SECONDS      getppid(2): a system call that touches no socket
 *   bench_socket idle N SECONDS       N connections, one HTTP exchange on each, then silence
 *
 * Prints one number: nanoseconds of CPU time per operation (not idle). The thread never
 * sleeps, so on an idle machine that is the time that passes; on a busy one it leaves out what
 * others take. Run it with and without an agent, in alternation: see tests/bench/run.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BYTES_MAX 65536
#define OPERATIONS_PER_ROUND 4
#define ROUNDS_PER_LOOK 256 /* rounds between two looks at the clock */

static double now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
    fprintf(stderr, "bench_socket: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int listen_on_loopback(struct sockaddr_in *ret_address)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, 4096) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        die("listen");
    *ret_address = address;
    return fd;
}

static void connect_pair(int listener, const struct sockaddr_in *address, int pair[2])
{
    int one = 1;

    pair[0] = socket(AF_INET, SOCK_STREAM, 0);
    if (pair[0] < 0 || connect(pair[0], (const struct sockaddr *)address, sizeof(*address)) < 0)
        die("connect");
    pair[1] = accept(listener, NULL, NULL);
    if (pair[1] < 0)
        die("accept");
    for (int i = 0; i < 2; i++)
        setsockopt(pair[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* A message of exactly n bytes: a head and a filler header. */
static void make_message(char *out, size_t n, const char *start)
{
    size_t len = strlen(start);
    int filler = (int)(n - len - strlen("X-F: \r\n\r\n"));

    if (filler < 1) {
        fprintf(stderr, "bench_socket: %zu bytes are too few\n", n);
        exit(1);
    }
    sprintf(out, "%sX-F: %0*d\r\n\r\n", start, filler, 0);
}

static void move(int from, int to, const char *message, size_t n)
{
    static char buffer[BYTES_MAX];
    size_t got = 0;

    if (send(from, message, n, 0) != (ssize_t)n)
        die("send");
    while (got < n) {
        ssize_t r = recv(to, buffer, sizeof(buffer), 0);

        if (r <= 0)
            die("recv");
        got += (size_t)r;
    }
}

static void make_udp_pair(int pair[2], struct sockaddr_in addresses[2], int connected)
{
    socklen_t len = sizeof(*addresses);

    for (int i = 0; i < 2; i++) {
        addresses[i] = (struct sockaddr_in){.sin_family = AF_INET,
                                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        pair[i] = socket(AF_INET, SOCK_DGRAM, 0);
        if (pair[i] < 0 || bind(pair[i], (struct sockaddr *)&addresses[i], len) < 0 ||
            getsockname(pair[i], (struct sockaddr *)&addresses[i], &len) < 0)
            die("UDP");
    }
    for (int i = 0; i < 2 && connected; i++)
        if (connect(pair[i], (struct sockaddr *)&addresses[!i], len) < 0)
            die("connect");
}

static double run_addressed(const char *message, size_t n, double seconds)
{
    static char buffer[BYTES_MAX];
    struct sockaddr_in addresses[2], from;
    uint64_t rounds = 0;
    double end, cpu;
    int pair[2];

    make_udp_pair(pair, addresses, 0);
    end = now(CLOCK_MONOTONIC) + seconds;
    cpu = now(CLOCK_THREAD_CPUTIME_ID);
    while (now(CLOCK_MONOTONIC) < end) {
        for (int i = 0; i < 2 * ROUNDS_PER_LOOK; i++) {
            socklen_t len = sizeof(from);

            if (sendto(pair[i & 1], message, n, 0, (struct sockaddr *)&addresses[!(i & 1)],
                       sizeof(from)) < 0 ||
                recvfrom(pair[!(i & 1)], buffer, sizeof(buffer), 0, (struct sockaddr *)&from,
                         &len) < 0)
                die("UDP");
        }
        rounds += ROUNDS_PER_LOOK;
    }
    cpu = now(CLOCK_THREAD_CPUTIME_ID) - cpu;
    return cpu * 1e9 / (double)(rounds * OPERATIONS_PER_ROUND);
}

static void make_pair(const char *mode, int pair[2])
{
    struct sockaddr_in addresses[2];

    if (strcmp(mode, "udp") == 0)
        make_udp_pair(pair, addresses, 1);
    else if (strcmp(mode, "unix") != 0)
        connect_pair(listen_on_loopback(addresses), addresses, pair);
    else if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        die("socketpair");
}

static double run_exchanges(const char *mode, const char *request, const char *response, size_t n,
                            double seconds)
{
    uint64_t rounds = 0;
    double end, cpu;
    int pair[2];

    make_pair(mode, pair);
    end = now(CLOCK_MONOTONIC) + seconds;
    cpu = now(CLOCK_THREAD_CPUTIME_ID);
    while (now(CLOCK_MONOTONIC) < end) {
        for (int i = 0; i < ROUNDS_PER_LOOK; i++) {
            move(pair[0], pair[1], request, n);
            move(pair[1], pair[0], response, n);
        }
        rounds += ROUNDS_PER_LOOK;
    }
    cpu = now(CLOCK_THREAD_CPUTIME_ID) - cpu;
    return cpu * 1e9 / (double)(rounds * OPERATIONS_PER_ROUND);
}

static double run_syscalls(double seconds)
{
    uint64_t n = 0;
    double end = now(CLOCK_MONOTONIC) + seconds, cpu = now(CLOCK_THREAD_CPUTIME_ID);

    while (now(CLOCK_MONOTONIC) < end) {
        for (int i = 0; i < 10000; i++)
            syscall(SYS_getppid);
        n += 10000;
    }
    return (now(CLOCK_THREAD_CPUTIME_ID) - cpu) * 1e9 / (double)n;
}

static void run_idle(size_t n, double seconds, const char *request, const char *response)
{
    struct rlimit limit = {2 * n + 64, 2 * n + 64};
    struct sockaddr_in address;
    int listener, pair[2];

    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        die("RLIMIT_NOFILE");
    listener = listen_on_loopback(&address);
    for (size_t i = 0; i < n; i++) {
        connect_pair(listener, &address, pair);
        move(pair[0], pair[1], request, strlen(request));
        move(pair[1], pair[0], response, strlen(response));
    }
    printf("open\n");
    fflush(stdout);
    usleep((useconds_t)(seconds * 1e6));
}

static int is_raw(const char *mode)
{
    return strcmp(mode, "raw") == 0 || strcmp(mode, "udp") == 0 || strcmp(mode, "unix") == 0;
}

int main(int argc, char **argv)
{
    static char request[BYTES_MAX], response[BYTES_MAX];
    const char *mode = argc > 1 ? argv[1] : "";
    size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;

    if (strcmp(mode, "syscall") == 0 && argc == 3) {
        printf("%.1f\n", run_syscalls(atof(argv[2])));
    } else if (strcmp(mode, "http") == 0 && argc == 4 && n < BYTES_MAX) {
        make_message(request, n, "GET /orders/4711 HTTP/1.1\r\nHost: bench\r\n");
        make_message(response, n, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
        printf("%.1f\n", run_exchanges(mode, request, response, n, atof(argv[3])));
    } else if (strcmp(mode, "udp-to") == 0 && argc == 4 && n < BYTES_MAX) {
        printf("%.1f\n", run_addressed(request, n, atof(argv[3])));
    } else if (is_raw(mode) && argc == 4 && n < BYTES_MAX) {
        memset(request, 1, n);
        memset(response, 2, n);
        printf("%.1f\n", run_exchanges(mode, request, response, n, atof(argv[3])));
    } else if (strcmp(mode, "idle") == 0 && argc == 4) {
        make_message(request, 200, "GET /orders/4711 HTTP/1.1\r\nHost: bench\r\n");
        make_message(response, 200, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
        run_idle(n, atof(argv[3]), request, response);
    } else {
        fprintf(stderr, "usage: bench_socket http|raw|udp|udp-to|unix BYTES SECONDS | "
                        "syscall SECONDS | "
                        "idle N SECONDS\n");
        return 2;
    }
    return 0;
}
