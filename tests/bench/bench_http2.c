/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast frames with header blocks are parsed, as nghttp2 compresses them: the first of its kind,
 * whose fields are strings, and the same again, when most of them are indices.
 *
 *   block                  fields   bytes   ns/block   fields/s    GB/s
 *   browser, first             18     ...        ...        ...     ...
 *
 * The budget is two million fields a second; the best of several rounds counts.
 */
#include "protocols/http2/http2.h"

#include "base/clock.h"
#include "base/macro.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 15
#define BLOCKS_PER_ROUND 20000
#define FIELDS_MAX 24
#define FRAME_SIZE 8192

struct block {
    const char *name;
    enum sender sender;
    unsigned n_fields;
    const char *fields[FIELDS_MAX][2];
};

#define TRACEPARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static const struct block blocks[] = {
    {"gRPC call", SENDER_CLIENT, 10,
     {{":method", "POST"}, {":scheme", "http"}, {":path", "/shop.orders.v1.Orders/GetOrder"},
      {":authority", "orders.shop.svc:50051"}, {"content-type", "application/grpc"},
      {"user-agent", "grpc-go/1.60.1"}, {"te", "trailers"}, {"grpc-timeout", "1000m"},
      {"traceparent", TRACEPARENT}, {"x-request-id", "2f1c8e0a-6f0e-4c8a-9d0b-6a6f8e2d7c11"}}},
    {"response", SENDER_SERVER, 8,
     {{":status", "201"}, {"server", "nginx/1.22.1"}, {"date", "Mon, 01 Jan 2024 12:00:00 GMT"},
      {"content-type", "application/json; charset=UTF-8"}, {"content-length", "4711"},
      {"location", "https://shop.example.com/api/v1/shops/4711/orders/12345678"},
      {"cache-control", "no-cache, no-store, max-age=0, must-revalidate"},
      {"vary", "Accept-Encoding, Origin"}}},
    {"browser", SENDER_CLIENT, 18,
     {{":method", "GET"}, {":scheme", "https"}, {":authority", "www.shop.example.com"},
      {":path", "/catalog/shoes/running?sort=price&color=blue&size=43&page=2"},
      {"sec-ch-ua", "\"Chromium\";v=\"118\", \"Google Chrome\";v=\"118\", "
                    "\"Not=A?Brand\";v=\"99\""},
      {"sec-ch-ua-mobile", "?0"}, {"sec-ch-ua-platform", "\"Linux\""},
      {"upgrade-insecure-requests", "1"},
      {"user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
                     "Chrome/118.0.0.0 Safari/537.36"},
      {"accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
                 "image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"},
      {"sec-fetch-site", "same-origin"}, {"sec-fetch-mode", "navigate"}, {"sec-fetch-user", "?1"},
      {"referer", "https://www.shop.example.com/catalog/shoes/running?sort=price&color=blue"},
      {"accept-encoding", "gzip, deflate, br"}, {"accept-language", "en-US,en;q=0.9,de;q=0.8"},
      {"cookie", "session=0123456789abcdef0123456789abcdef; consent=1; theme=dark; "
                 "ab=checkout-b.search-c.landing-a; recent=4711,4712,4713,4714,4715,4716"},
      {"traceparent", TRACEPARENT}}},
};

/* A HEADERS frame with the block; 0 where it cannot be made. */
static size_t make_frame(nghttp2_hd_deflater *deflater, const struct block *block, uint8_t *out)
{
    nghttp2_nv pairs[FIELDS_MAX];
    ssize_t n;

    for (unsigned i = 0; i < block->n_fields; i++)
        pairs[i] = (nghttp2_nv){(uint8_t *)block->fields[i][0], (uint8_t *)block->fields[i][1],
                                strlen(block->fields[i][0]), strlen(block->fields[i][1]), 0};
    n = nghttp2_hd_deflate_hd(deflater, out + FRAME_HEADER_LEN, FRAME_SIZE - FRAME_HEADER_LEN,
                              pairs, block->n_fields);
    if (n <= 0)
        return 0;
    memcpy(out, "\0\0\0\1\5\0\0\0\1", FRAME_HEADER_LEN);
    out[1] = (uint8_t)(n >> 8);
    out[2] = (uint8_t)n;
    return FRAME_HEADER_LEN + (size_t)n;
}

/* Parses `bytes` again and again, behind `before`, which fills the table; ns, or 0: refused. */
static double measure(enum sender sender, struct bytes before, struct bytes bytes)
{
    static struct http2_state state;
    static uint8_t memory[SCRATCH_SIZE];
    struct arena scratch = arena_over(memory, sizeof(memory));
    struct parse_input input = {sender, false, before, &scratch};
    struct message message;
    uint64_t best = UINT64_MAX;

    memset(&state, 0, sizeof(state));
    if (before.len && http2_parse(&state, &input, &message).status != PARSE_MESSAGE)
        return 0;
    input.data = bytes;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t start = clock_ns(CLOCK_MONOTONIC);

        for (unsigned i = 0; i < BLOCKS_PER_ROUND; i++) {
            arena_reset(&scratch);
            if (http2_parse(&state, &input, &message).used != bytes.len)
                return 0;
        }
        best = MIN(best, clock_ns(CLOCK_MONOTONIC) - start);
    }
    return (double)best / BLOCKS_PER_ROUND;
}

static bool run(const struct block *block, const char *which, struct bytes before,
                struct bytes frame)
{
    double ns = measure(block->sender, before, frame);

    printf("%-10s %-8s %6u %7zu %10.1f %10.0f %7.2f\n", block->name, which, block->n_fields,
           frame.len, ns, block->n_fields * 1e9 / ns, (double)frame.len / ns);
    return ns > 0;
}

int main(void)
{
    bool understood = true;

    printf("%-19s %6s %7s %10s %10s %7s\n", "block", "fields", "bytes", "ns/block", "fields/s",
           "GB/s");
    for (size_t i = 0; i < ELEMENTSOF(blocks) && understood; i++) {
        uint8_t first[FRAME_SIZE], again[FRAME_SIZE];
        nghttp2_hd_deflater *deflater;
        struct bytes frames[2];

        if (nghttp2_hd_deflate_new(&deflater, HPACK_DEFAULT_LIMIT) != 0)
            return EXIT_FAILURE;
        frames[0] = bytes_make(first, make_frame(deflater, &blocks[i], first));
        frames[1] = bytes_make(again, make_frame(deflater, &blocks[i], again));
        nghttp2_hd_deflate_del(deflater);
        understood = run(&blocks[i], "first", BYTES_NULL, frames[0]) &&
                     run(&blocks[i], "again", frames[0], frames[1]);
    }
    return understood ? EXIT_SUCCESS : EXIT_FAILURE;
}
