/* SPDX-License-Identifier: Apache-2.0 */
/* The test server; its contract stands in http_server.h. */
#include "http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>

#define BODY_MAX ((size_t)64 << 20)

struct http_server {
    int listener;
    unsigned port;
    pthread_t thread;
    pthread_mutex_t lock;
    const char *answer;
    struct http_request last;
    _Atomic bool stopping;
};

/* Waits for a byte; false at the end of the connection or the server. */
static bool wait_readable(struct http_server *server, int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    while (!server->stopping)
        if (poll(&ready, 1, 20) > 0)
            return true;
    return false;
}

static bool read_head(struct http_server *server, int fd, char head[static 4096])
{
    size_t n = 0;

    while (n < 4095 && wait_readable(server, fd) && read(fd, head + n, 1) == 1) {
        head[++n] = '\0';
        if (n >= 4 && memcmp(head + n - 4, "\r\n\r\n", 4) == 0)
            return true;
    }
    return false;
}

static bool read_body(struct http_server *server, int fd, const char *head, struct buffer *body)
{
    const char *length = strcasestr(head, "\r\nContent-Length:");
    size_t left = length ? strtoul(length + strlen("\r\nContent-Length:"), NULL, 10) : 0;
    char block[4096];

    while (left > 0 && wait_readable(server, fd)) {
        ssize_t n = read(fd, block, MIN(left, sizeof(block)));

        if (n <= 0)
            return false;
        buffer_append(body, block, (size_t)n);
        left -= (size_t)n;
    }
    return left == 0;
}

static void reset_connection(int fd)
{
    const struct linger none = {.l_onoff = 1};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

/* False: the connection ends here. */
static bool serve_request(struct http_server *server, int fd, unsigned connection)
{
    struct http_request request = {.connection = connection, .body = buffer_make(BODY_MAX)};
    const char *answer;

    if (!read_head(server, fd, request.head) ||
        !read_body(server, fd, request.head, &request.body)) {
        buffer_done(&request.body);
        return false;
    }
    pthread_mutex_lock(&server->lock);
    request.number = server->last.number + 1;
    buffer_done(&server->last.body);
    server->last = request;
    answer = server->answer;
    pthread_mutex_unlock(&server->lock);
    if (!answer)
        return wait_readable(server, fd) && false;
    if (!*answer)
        reset_connection(fd);
    return *answer && write(fd, answer, strlen(answer)) > 0 &&
           !strcasestr(answer, "Connection: close");
}

static void *run(void *arg)
{
    struct http_server *server = arg;

    for (unsigned connection = 1; wait_readable(server, server->listener); connection++) {
        _cleanup_(closep) int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);

        while (fd >= 0 && serve_request(server, fd, connection))
            ;
    }
    return NULL;
}

struct http_server *http_server_start(unsigned port)
{
    struct http_server *server = calloc(1, sizeof(*server));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    const int one = 1;

    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(server->listener, (struct sockaddr *)&address, length) < 0 ||
        listen(server->listener, 16) < 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &length) < 0) {
        close(server->listener);
        free(server);
        return NULL;
    }
    server->port = ntohs(address.sin_port);
    server->answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    pthread_mutex_init(&server->lock, NULL);
    pthread_create(&server->thread, NULL, run, server);
    return server;
}

void http_server_stop(struct http_server *server)
{
    if (!server)
        return;
    server->stopping = true;
    pthread_join(server->thread, NULL);
    close(server->listener);
    buffer_done(&server->last.body);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

unsigned http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_set_answer(struct http_server *server, const char *answer)
{
    pthread_mutex_lock(&server->lock);
    server->answer = answer;
    pthread_mutex_unlock(&server->lock);
}

const struct http_request *http_server_last(struct http_server *server)
{
    const struct http_request *last;

    pthread_mutex_lock(&server->lock);
    last = &server->last;
    pthread_mutex_unlock(&server->lock);
    return last;
}
