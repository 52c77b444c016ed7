/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a message costs in causality: its tokens are read, kept, matched and forgotten again. Each
 * round is a request and the call that it causes, among other open requests of the process.
 *
 *   head                     bytes     open   tokens   ns/message      parents
 *   small request              ...       64      ...          ...          ...
 *
 * "without": the same with empty heads; the difference is what content evidence costs. CPU time;
 * the best of many short rounds counts, for a busy machine only ever slows down.
 */
#include "causality/causality.h"
#include "causality/tokens.h"

#include "base/clock.h"
#include "base/macro.h"

#include <stdio.h>

#define ROUNDS 100
#define CALLS_PER_ROUND 4000
#define OPEN_MAX 512
#define HEAD_MAX 2048

struct head {
    const char *name;
    const char *format; /* %08u: the request's id */
};

static const struct head heads[] = {
    {"small request",
     "GET /api/v1/orders/order-%08u HTTP/1.1\r\n"
     "Host: orders.shop.svc:8080\r\n"
     "User-Agent: Go-http-client/1.1\r\n"
     "Accept: application/json\r\n"
     "Accept-Encoding: gzip\r\n\r\n"},
    {"service request",
     "POST /api/v1/shops/4711/orders/%08u?expand=lines&currency=EUR HTTP/1.1\r\n"
     "Host: orders.shop.svc.cluster.local:8080\r\n"
     "User-Agent: Apache-HttpClient/5.2.1 (Java/17.0.9)\r\n"
     "Accept: application/json, application/*+json\r\n"
     "Accept-Encoding: gzip, x-gzip, deflate\r\n"
     "Content-Type: application/json; charset=UTF-8\r\n"
     "X-Request-Id: 2f1c8e0a-6f0e-4c8a-9d0b-6a6f8e2d7c11\r\n"
     "Authorization: Bearer none\r\n"
     "Connection: keep-alive\r\n"
     "Content-Length: 0\r\n\r\n"},
    {"browser request",
     "GET /catalog/shoes/running-%08u?sort=price&color=blue&size=43&page=2 HTTP/1.1\r\n"
     "Host: www.shop.example.com\r\n"
     "Connection: keep-alive\r\n"
     "sec-ch-ua: \"Chromium\";v=\"118\", \"Google Chrome\";v=\"118\", \"Not=A?Brand\";v=\"99\"\r\n"
     "Upgrade-Insecure-Requests: 1\r\n"
     "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Chrome/118.0.0.0 Safari/537.36\r\n"
     "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
     "image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7\r\n"
     "Referer: https://www.shop.example.com/catalog/shoes/running?sort=price&color=blue\r\n"
     "Accept-Encoding: gzip, deflate, br\r\n"
     "Accept-Language: en-US,en;q=0.9,de;q=0.8\r\n"
     "Cookie: session=0123456789abcdef0123456789abcdef; consent=1; cart=9f86d081884c7d659a2feaa0"
     "c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08; theme=dark; locale=en_US; seen=1697040000; "
     "ab=checkout-b.search-c.landing-a; recent=4711,4712,4713,4714,4715,4716,4717,4718,4719\r\n"
     "If-None-Match: W/\"5d8c72a5edda8d6a6b1c\"\r\n\r\n"},
};

struct run {
    struct causality *causality;
    struct counters counters;
    struct cause open[OPEN_MAX]; /* a ring: the oldest is answered as a new one begins */
    unsigned n;
};

static void begin(struct run *run, struct cause *cause, enum span_kind kind, struct bytes head)
{
    *cause = (struct cause){
        .kind = kind, .tgid = 1, .tid = 1, .process_start_ns = 1,
        .start_ns = 1700000000000000000 + run->n, .position = run->n++, .other_start = 1,
        .on_wire = true, .head = head};
    causality_begin(run->causality, cause);
}

static void end(struct run *run, struct cause *cause)
{
    struct lineage lineage;

    causality_end(run->causality, cause, true, 1, cause->start_ns);
    causality_settle(run->causality, cause, &lineage);
    causality_release(run->causality, cause);
}

/* ns for a request and its call, both ends of their lives included */
static uint64_t measure(struct run *run, const struct head *head, unsigned open, bool with)
{
    static char texts[1024][HEAD_MAX];
    struct bytes heads_read[ELEMENTSOF(texts)];
    uint64_t begin_ns;

    for (unsigned i = 0; i < ELEMENTSOF(texts); i++) {
        snprintf(texts[i], HEAD_MAX, head->format, run->n + i * 7919);
        heads_read[i] = with ? bytes_from_string(texts[i]) : BYTES_NULL;
    }
    begin_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    for (unsigned i = 0; i < CALLS_PER_ROUND; i++) {
        struct cause *request = &run->open[i % open], call;
        struct bytes text = heads_read[i % ELEMENTSOF(texts)];

        if (i >= open)
            end(run, request);
        begin(run, request, SPAN_KIND_SERVER, text);
        begin(run, &call, SPAN_KIND_CLIENT, text);
        end(run, &call);
    }
    begin_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin_ns;
    for (unsigned i = 0; i < open; i++)
        end(run, &run->open[i]);
    return begin_ns;
}

static void print_row(const struct head *head, unsigned open)
{
    struct run run = {.n = 1};
    struct causality_options options = {.max_causes = 65536, .max_processes = 64,
                                        .counters = &run.counters};
    uint64_t with = UINT64_MAX, without = UINT64_MAX, hashes[TOKEN_READ_MAX];
    struct bytes text = bytes_from_string(head->format);
    size_t len = text.len, n = tokens_read(&text, 1, 1, hashes);
    uint64_t parents;

    if (causality_new(&options, &run.causality) < 0)
        return;
    for (int round = 0; round < ROUNDS; round++) {
        without = MIN(without, measure(&run, head, open, false));
        with = MIN(with, measure(&run, head, open, true));
    }
    parents = counters_get(&run.counters, COUNTER_parents_content);
    printf("%-16s %6zu %6u %7zu %12.1f %12.1f %9.1f\n", head->name, len, open, n,
           (double)with / (2 * CALLS_PER_ROUND), (double)without / (2 * CALLS_PER_ROUND),
           100.0 * (double)parents / (ROUNDS * CALLS_PER_ROUND));
    causality_free(run.causality);
}

int main(void)
{
    static const unsigned open[] = {1, 64, 512};

    printf("%-16s %6s %6s %7s %12s %12s %9s\n", "head", "bytes", "open", "tokens", "ns/message",
           "without", "% parents");
    for (size_t i = 0; i < ELEMENTSOF(heads); i++)
        for (size_t k = 0; k < ELEMENTSOF(open); k++)
            print_row(&heads[i], open[k]);
    return 0;
}
