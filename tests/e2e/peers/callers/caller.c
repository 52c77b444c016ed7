/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP server that answers GET /x/ID with what an upstream says to GET /y/KEY, over connections
 * that it keeps. It knows nothing of tracing.
 *
 *     caller thread|pool|loop|loops PORT UPSTREAM_PORT open|hidden
 *
 * thread: one thread for each connection. pool: one thread reads all requests, others call and
 * answer. loop: one thread does everything, without ever waiting. loops: four of them, which share the
 * connections and call for each other, and each takes its time before the call and behind it. open:
 * KEY is the ID; hidden: its FNV-1a hash, 64 bits in hexadecimal.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_MAX 4096
#define WORKERS 64
#define QUEUE_MAX 1024
#define FDS_MAX 4096
#define LOOPS 4
#define WORK_MAX_MS 60

static uint16_t upstream_port;
static bool hidden;

static void start_thread(void *(*run)(void *), void *arg)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, run, arg))
        errx(1, "no thread");
    pthread_detach(thread);
}

static struct sockaddr_in local(uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void no_delay(int fd)
{
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

static int listen_on(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = local(port);

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 512))
        err(1, "listen");
    return fd;
}

static int dial(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = local(upstream_port);

    if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
        err(1, "connect");
    no_delay(fd);
    return fd;
}

/* ---- messages -------------------------------------------------------------------------------- */

/* The upstream's request for the client's, which is complete in `in`. */
static size_t make_call(const char *in, char *out)
{
    const char *id = strstr(in, "/x/") + 3;
    int len = (int)strcspn(id, " ");
    char key[17];
    uint64_t h = 0xcbf29ce484222325;

    for (int i = 0; i < len; i++)
        h = (h ^ (uint8_t)id[i]) * 0x100000001b3;
    snprintf(key, sizeof(key), "%016llx", (unsigned long long)h);
    return (size_t)sprintf(out, "GET /y/%.*s HTTP/1.1\r\nHost: upstream\r\n\r\n",
                           hidden ? 16 : len, hidden ? key : id);
}

/* The length of the complete message at the buffer's start, or 0. */
static size_t message_length(char *buffer, size_t len)
{
    char *end, *header;
    size_t body = 0;

    buffer[len] = 0;
    end = strstr(buffer, "\r\n\r\n");
    if (!end)
        return 0;
    header = strcasestr(buffer, "\r\ncontent-length:");
    if (header && header < end)
        body = strtoul(header + 17, NULL, 10);
    body += (size_t)(end - buffer) + 4;
    return body <= len ? body : 0;
}

static size_t receive(int fd, char *buffer)
{
    size_t len = 0, n;
    ssize_t r;

    while ((r = read(fd, buffer + len, BUFFER_MAX - 1 - len)) > 0) {
        len += (size_t)r;
        n = message_length(buffer, len);
        if (n)
            return n;
    }
    return 0;
}

static void transmit(int fd, const char *bytes, size_t len)
{
    if (write(fd, bytes, len) != (ssize_t)len)
        err(1, "write");
}

/* ---- connections to the upstream that nobody uses -------------------------------------------- */

static pthread_mutex_t idle_lock = PTHREAD_MUTEX_INITIALIZER;
static int idle[FDS_MAX];
static unsigned n_idle;

static int take_idle(void)
{
    int fd = -1;

    pthread_mutex_lock(&idle_lock);
    if (n_idle)
        fd = idle[--n_idle];
    pthread_mutex_unlock(&idle_lock);
    return fd >= 0 ? fd : dial();
}

static void give_idle(int fd)
{
    pthread_mutex_lock(&idle_lock);
    idle[n_idle++] = fd;
    pthread_mutex_unlock(&idle_lock);
}

/* Calls and answers; `buffer` has the request. */
static void serve(int fd, char *buffer)
{
    int upstream = take_idle();
    char call[BUFFER_MAX];
    size_t n;

    transmit(upstream, call, make_call(buffer, call));
    n = receive(upstream, buffer);
    give_idle(upstream);
    transmit(fd, buffer, n);
}

/* ---- thread ---------------------------------------------------------------------------------- */

static void *serve_connection(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char buffer[BUFFER_MAX];

    while (receive(fd, buffer))
        serve(fd, buffer);
    close(fd);
    return NULL;
}

static void run_threads(int listener)
{
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        no_delay(fd);
        start_thread(serve_connection, (void *)(intptr_t)fd);
    }
}

/* ---- pool ------------------------------------------------------------------------------------ */

struct job {
    int fd;
    char request[BUFFER_MAX];
};

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queue_filled = PTHREAD_COND_INITIALIZER;
static struct job *queue[QUEUE_MAX];
static unsigned head, tail;

static void *work(void *arg)
{
    for (;;) {
        struct job *job;

        pthread_mutex_lock(&queue_lock);
        while (head == tail)
            pthread_cond_wait(&queue_filled, &queue_lock);
        job = queue[head++ % QUEUE_MAX];
        pthread_mutex_unlock(&queue_lock);
        serve(job->fd, job->request);
        free(job);
    }
    return arg;
}

static void watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    no_delay(fd);
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void hand_over(int fd)
{
    struct job *job = malloc(sizeof(*job));

    job->fd = fd;
    if (!receive(fd, job->request)) {
        close(fd);
        free(job);
        return;
    }
    pthread_mutex_lock(&queue_lock);
    queue[tail++ % QUEUE_MAX] = job;
    pthread_cond_signal(&queue_filled);
    pthread_mutex_unlock(&queue_lock);
}

static void run_pool(int listener)
{
    int epoll = epoll_create1(0);
    struct epoll_event events[64];

    for (int i = 0; i < WORKERS; i++)
        start_thread(work, NULL);
    watch(epoll, listener);
    for (;;) {
        int n = epoll_wait(epoll, events, 64, -1);

        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener)
                watch(epoll, accept(listener, NULL, NULL));
            else
                hand_over(events[i].data.fd);
        }
    }
}

/* ---- loop ------------------------------------------------------------------------------------ */

static struct {
    size_t len;
    int client; /* of a connection to the upstream: who waits for it; 0: it is no such one */
    char bytes[BUFFER_MAX];
} states[FDS_MAX];

static void forward(int epoll, int fd)
{
    int upstream = n_idle ? idle[--n_idle] : dial();
    char call[BUFFER_MAX];

    if (!states[upstream].client)
        watch(epoll, upstream);
    states[upstream].client = fd;
    transmit(upstream, call, make_call(states[fd].bytes, call));
}

static void step(int epoll, int fd)
{
    ssize_t r = read(fd, states[fd].bytes + states[fd].len, BUFFER_MAX - 1 - states[fd].len);
    size_t n;

    if (r <= 0) {
        close(fd);
        states[fd].len = 0;
        return;
    }
    states[fd].len += (size_t)r;
    n = message_length(states[fd].bytes, states[fd].len);
    if (n && states[fd].client) {
        transmit(states[fd].client, states[fd].bytes, n);
        idle[n_idle++] = fd;
    } else if (n) {
        forward(epoll, fd);
    }
    if (n)
        states[fd].len = 0;
}

static void run_loop(int listener)
{
    int epoll = epoll_create1(0);
    struct epoll_event events[64];

    watch(epoll, listener);
    for (;;) {
        int n = epoll_wait(epoll, events, 64, -1);

        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener)
                watch(epoll, accept(listener, NULL, NULL));
            else
                step(epoll, events[i].data.fd);
        }
    }
}

/* ---- loops ----------------------------------------------------------------------------------- */

struct loop {
    int epoll, mail[2]; /* jobs come through a pipe */
    struct job_of_loop *working; /* those that wait for their time, in no order */
    int idle[FDS_MAX];
    unsigned n_idle, random;
};

/* A client's connection, with its request or the answer to it; or a connection to the upstream. */
struct job_of_loop {
    int fd;
    struct loop *home;
    struct job_of_loop *client; /* of the upstream's: who waits for it */
    bool answered;
    int64_t due_ms;
    struct job_of_loop *next;
    size_t len;
    char bytes[BUFFER_MAX];
};

static struct loop loops[LOOPS];
static struct job_of_loop *jobs[FDS_MAX]; /* by file descriptor */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void mail(struct loop *loop, struct job_of_loop *job)
{
    if (write(loop->mail[1], &job, sizeof(job)) != sizeof(job))
        err(1, "mail");
}

static struct job_of_loop *new_job(struct loop *home, int fd)
{
    struct job_of_loop *job = jobs[fd] = calloc(1, sizeof(*job));

    job->fd = fd;
    job->home = home;
    return job;
}

static void work_on(struct loop *loop, struct job_of_loop *job)
{
    job->due_ms = now_ms() + rand_r(&loop->random) % WORK_MAX_MS;
    job->next = loop->working;
    loop->working = job;
}

/* This loop calls, whoever asked. */
static void call_upstream(struct loop *loop, struct job_of_loop *client)
{
    char call[BUFFER_MAX];
    int fd = loop->n_idle ? loop->idle[--loop->n_idle] : -1;

    if (fd < 0) {
        fd = dial();
        new_job(loop, fd);
        watch(loop->epoll, fd);
    }
    jobs[fd]->client = client;
    transmit(fd, call, make_call(client->bytes, call));
}

/* What is due: a request's call goes to any loop, an answer to its client. Returns ms to wait. */
static int finish_work(struct loop *loop)
{
    int64_t now = now_ms(), wait = 1000;

    for (struct job_of_loop **slot = &loop->working; *slot;) {
        struct job_of_loop *job = *slot;

        if (job->due_ms > now) {
            wait = job->due_ms - now < wait ? job->due_ms - now : wait;
            slot = &job->next;
            continue;
        }
        *slot = job->next;
        if (!job->answered) {
            mail(&loops[rand_r(&loop->random) % LOOPS], job);
            continue;
        }
        transmit(job->fd, job->bytes, job->len);
        job->answered = false;
        job->len = 0;
    }
    return (int)wait;
}

/* A client to serve, a request to call for, or the answer to one. */
static void read_mail(struct loop *loop)
{
    struct job_of_loop *job;

    if (read(loop->mail[0], &job, sizeof(job)) != sizeof(job))
        err(1, "mail");
    if (job->len == 0)
        watch(loop->epoll, job->fd);
    else if (job->answered)
        work_on(loop, job);
    else
        call_upstream(loop, job);
}

static void read_job(struct loop *loop, struct job_of_loop *job)
{
    struct job_of_loop *client = job->client;
    size_t n = receive(job->fd, job->bytes);

    if (n == 0) {
        close(job->fd);
        free(job);
        return;
    }
    job->len = n;
    if (!client) {
        work_on(loop, job);
        return;
    }
    memcpy(client->bytes, job->bytes, n);
    client->len = n;
    client->answered = true;
    loop->idle[loop->n_idle++] = job->fd;
    mail(client->home, client);
}

static void *turn_loop(void *arg)
{
    struct loop *loop = arg;
    struct epoll_event event;

    for (;;) {
        if (epoll_wait(loop->epoll, &event, 1, finish_work(loop)) <= 0)
            continue;
        if (event.data.fd == loop->mail[0])
            read_mail(loop);
        else
            read_job(loop, jobs[event.data.fd]);
    }
    return NULL;
}

static void run_loops(int listener)
{
    for (unsigned i = 0; i < LOOPS; i++) {
        struct epoll_event event = {.events = EPOLLIN};

        loops[i].epoll = epoll_create1(0);
        loops[i].random = i + 1;
        if (pipe(loops[i].mail))
            err(1, "pipe");
        event.data.fd = loops[i].mail[0];
        epoll_ctl(loops[i].epoll, EPOLL_CTL_ADD, loops[i].mail[0], &event);
        start_thread(turn_loop, &loops[i]);
    }
    for (unsigned i = 0;; i++) {
        struct loop *loop = &loops[i % LOOPS];

        mail(loop, new_job(loop, accept(listener, NULL, NULL)));
    }
}

int main(int argc, char **argv)
{
    int listener;

    if (argc != 5)
        errx(2, "usage: caller thread|pool|loop|loops PORT UPSTREAM_PORT open|hidden");
    listener = listen_on((uint16_t)atoi(argv[2]));
    upstream_port = (uint16_t)atoi(argv[3]);
    hidden = strcmp(argv[4], "hidden") == 0;
    if (strcmp(argv[1], "thread") == 0)
        run_threads(listener);
    else if (strcmp(argv[1], "pool") == 0)
        run_pool(listener);
    else if (strcmp(argv[1], "loops") == 0)
        run_loops(listener);
    else
        run_loop(listener);
    return 0;
}
