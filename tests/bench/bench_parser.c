/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast message heads are parsed: typical requests and responses of three sizes, over and over.
 *
 *   head                     bytes   ns/message     GB/s
 *   browser request            ...          ...      ...
 *
 * The budget is 1 GB/s; the best of several rounds counts, for a busy machine only ever slows down.
 */
#include "protocols/protocol.h"

#include "base/clock.h"
#include "base/macro.h"

#include <stdio.h>

#define ROUNDS 15
#define MESSAGES_PER_ROUND 100000
#define STATE_MAX 1024

#define TRACEPARENT "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"

struct head {
    const char *name;
    enum sender sender;
    const char *text;
};

static const struct head heads[] = {
    {"small request", SENDER_CLIENT,
     "GET /api/v1/orders/17 HTTP/1.1\r\n"
     "Host: orders.shop.svc:8080\r\n"
     "User-Agent: Go-http-client/1.1\r\n"
     "Accept: application/json\r\n"
     "Accept-Encoding: gzip\r\n\r\n"},
    {"small response", SENDER_SERVER,
     "HTTP/1.1 200 OK\r\n"
     "Content-Type: application/json\r\n"
     "Date: Mon, 01 Jan 2024 12:00:00 GMT\r\n"
     "Server: nginx/1.22.1\r\n"
     "Connection: keep-alive\r\n"
     "Content-Length: 0\r\n\r\n"},
    {"all contexts", SENDER_CLIENT,
     "GET /api/v1/orders/17 HTTP/1.1\r\n"
     "Host: orders.shop.svc:8080\r\n"
     "X-Request-Id: 7f3a1e0c-93b6-4f4e-9a53-6a1c2f9f5f10\r\n"
     TRACEPARENT
     "tracestate: congo=t61rcWkgMzE,rojo=00f067aa0ba902b7\r\n"
     "baggage: user=alice,tenant=7\r\n"
     "b3: 80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1\r\n"
     "X-B3-TraceId: 80f198ee56343ba864fe8b2a57d3eff7\r\n"
     "X-B3-SpanId: e457b5a2e4d86bd1\r\n"
     "X-B3-Sampled: 1\r\n"
     "uber-trace-id: 4bf92f3577b34da6a3ce929d0e0e4736:f067aa0ba902b7:0:1\r\n"
     "x-datadog-trace-id: 1234567890123456789\r\n"
     "x-datadog-parent-id: 987654321\r\n"
     "X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8\r\n\r\n"},
    {"service request", SENDER_CLIENT,
     "POST /api/v1/shops/4711/orders?expand=lines&currency=EUR HTTP/1.1\r\n"
     "Host: orders.shop.svc.cluster.local:8080\r\n"
     "User-Agent: Apache-HttpClient/5.2.1 (Java/17.0.9)\r\n"
     "Accept: application/json, application/*+json\r\n"
     "Accept-Encoding: gzip, x-gzip, deflate\r\n"
     "Content-Type: application/json; charset=UTF-8\r\n"
     TRACEPARENT
     "tracestate: vendor=00f067aa0ba902b7\r\n"
     "X-Request-Id: 2f1c8e0a-6f0e-4c8a-9d0b-6a6f8e2d7c11\r\n"
     "Authorization: Bearer none\r\n"
     "Connection: keep-alive\r\n"
     "Content-Length: 0\r\n\r\n"},
    {"service response", SENDER_SERVER,
     "HTTP/1.1 201 Created\r\n"
     "Server: nginx/1.22.1\r\n"
     "Date: Mon, 01 Jan 2024 12:00:00 GMT\r\n"
     "Content-Type: application/json; charset=UTF-8\r\n"
     "Content-Length: 0\r\n"
     "Connection: keep-alive\r\n"
     "Location: https://shop.example.com/api/v1/shops/4711/orders/12345678\r\n"
     "Cache-Control: no-cache, no-store, max-age=0, must-revalidate\r\n"
     "X-Content-Type-Options: nosniff\r\n"
     "X-Frame-Options: DENY\r\n"
     "Strict-Transport-Security: max-age=31536000 ; includeSubDomains\r\n"
     "Vary: Accept-Encoding, Origin\r\n\r\n"},
    {"browser request", SENDER_CLIENT,
     "GET /catalog/shoes/running?sort=price&color=blue&size=43&page=2 HTTP/1.1\r\n"
     "Host: www.shop.example.com\r\n"
     "Connection: keep-alive\r\n"
     "sec-ch-ua: \"Chromium\";v=\"118\", \"Google Chrome\";v=\"118\", \"Not=A?Brand\";v=\"99\"\r\n"
     "sec-ch-ua-mobile: ?0\r\n"
     "sec-ch-ua-platform: \"Linux\"\r\n"
     "Upgrade-Insecure-Requests: 1\r\n"
     "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Chrome/118.0.0.0 Safari/537.36\r\n"
     "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
     "image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7\r\n"
     "Sec-Fetch-Site: same-origin\r\n"
     "Sec-Fetch-Mode: navigate\r\n"
     "Sec-Fetch-User: ?1\r\n"
     "Sec-Fetch-Dest: document\r\n"
     "Referer: https://www.shop.example.com/catalog/shoes/running?sort=price&color=blue\r\n"
     "Accept-Encoding: gzip, deflate, br\r\n"
     "Accept-Language: en-US,en;q=0.9,de;q=0.8\r\n"
     "Cookie: session=0123456789abcdef0123456789abcdef; consent=1; cart=9f86d081884c7d659a2feaa0"
     "c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08; theme=dark; locale=en_US; seen=1697040000; "
     "ab=checkout-b.search-c.landing-a; recent=4711,4712,4713,4714,4715,4716,4717,4718,4719\r\n"
     "If-None-Match: W/\"5d8c72a5edda8d6a6b1c\"\r\n"
     "DNT: 1\r\n"
     TRACEPARENT "\r\n"},
};

/* Parses the head again and again; returns the time of one, or 0 where it is not understood. */
static double measure(const struct protocol *protocol, const struct head *head)
{
    static uint64_t state[STATE_MAX / sizeof(uint64_t)];
    struct parse_input input = {.sender = head->sender, .data = bytes_from_string(head->text)};
    struct message message;
    uint64_t best = UINT64_MAX;

    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t start = clock_ns(CLOCK_MONOTONIC);

        memset(state, 0, sizeof(state));
        for (unsigned i = 0; i < MESSAGES_PER_ROUND; i++)
            if (protocol->parse(state, &input, &message).used != input.data.len)
                return 0;
        best = MIN(best, clock_ns(CLOCK_MONOTONIC) - start);
    }
    return (double)best / MESSAGES_PER_ROUND;
}

int main(void)
{
    const struct protocol *protocol = protocols[0];
    bool understood = protocol->traits.state_size <= STATE_MAX;

    printf("%-18s %7s %12s %8s\n", "head", "bytes", "ns/message", "GB/s");
    for (size_t i = 0; i < ELEMENTSOF(heads) && understood; i++) {
        double ns = measure(protocol, &heads[i]);
        size_t len = strlen(heads[i].text);

        printf("%-18s %7zu %12.1f %8.2f\n", heads[i].name, len, ns, (double)len / ns);
        understood = ns > 0;
    }
    return understood ? EXIT_SUCCESS : EXIT_FAILURE;
}
