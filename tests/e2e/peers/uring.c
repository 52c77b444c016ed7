/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP client that does some of its requests by system calls and some by io_uring, all on one
 * connection:
 *
 *   uring PORT PREFIX ROUNDS
 *
 * A round is one request of each way, and PLAIN_AFTER plain ones behind each. Prints the path's last
 * part of each request whose answer came, in order.
 */
#include <arpa/inet.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PLAIN_AFTER 3

enum way { PLAIN, SEND, WRITE, MESSAGE, WAYS };

static const char *const names[] = {"plain", "send", "write", "message"};
static struct io_uring ring;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static long wait_for_one(void)
{
    struct io_uring_cqe *done;
    long result;

    if (io_uring_submit(&ring) < 0 || io_uring_wait_cqe(&ring, &done) < 0)
        die("io_uring");
    result = done->res;
    io_uring_cqe_seen(&ring, done);
    return result;
}

static long move(int fd, enum way way, int out, char *bytes, size_t n)
{
    struct iovec vector = {bytes, n};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    struct io_uring_sqe *entry;

    if (way == PLAIN)
        return out ? send(fd, bytes, n, 0) : recv(fd, bytes, n, 0);
    entry = io_uring_get_sqe(&ring);
    if (way == SEND && out)
        io_uring_prep_send(entry, fd, bytes, n, 0);
    else if (way == SEND)
        io_uring_prep_recv(entry, fd, bytes, n, 0);
    else if (way == WRITE && out)
        io_uring_prep_write(entry, fd, bytes, (unsigned)n, 0);
    else if (way == WRITE)
        io_uring_prep_read(entry, fd, bytes, (unsigned)n, 0);
    else if (out)
        io_uring_prep_sendmsg(entry, fd, &message, 0);
    else
        io_uring_prep_recvmsg(entry, fd, &message, 0);
    return wait_for_one();
}

/* Head and body, by Content-Length. */
static void read_answer(int fd, enum way way)
{
    char text[65536];
    size_t len = 0;

    for (;;) {
        long n = move(fd, way, 0, text + len, sizeof(text) - 1 - len);
        char *end, *length;

        if (n <= 0)
            die("the answer's end");
        len += (size_t)n;
        text[len] = '\0';
        end = strstr(text, "\r\n\r\n");
        length = strcasestr(text, "\r\ncontent-length: ");
        if (end && length && len >= (size_t)(end + 4 - text) + strtoul(length + 18, NULL, 10))
            return;
    }
}

static void ask(int fd, enum way way, const char *prefix, int number)
{
    char text[512];
    int n = snprintf(text, sizeof(text), "GET /orders/%s-%s-%d HTTP/1.1\r\nHost: localhost\r\n\r\n",
                     prefix, names[way], number);

    if (move(fd, way, 1, text, (size_t)n) != n)
        die("send");
    read_answer(fd, way);
    printf("%s-%s-%d\n", prefix, names[way], number);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), number = 0;

    if (argc != 4)
        return 2;
    address.sin_port = htons((unsigned short)atoi(argv[1]));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        die("connect");
    if (io_uring_queue_init(8, &ring, 0) < 0)
        die("io_uring_queue_init");
    for (int round = 0; round < atoi(argv[3]); round++)
        for (enum way way = PLAIN; way < WAYS; way++) {
            ask(fd, way, argv[2], number++);
            for (int i = 0; i < PLAIN_AFTER; i++)
                ask(fd, PLAIN, argv[2], number++);
        }
    return 0;
}
