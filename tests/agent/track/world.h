/* SPDX-License-Identifier: Apache-2.0 */
/* A track with small tables, what it says, and made-up operations of connection 1 and others. */
#pragma once

#include "track/track.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define START_IN 1000
#define START_OUT 9000
#define REQUEST "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
#define POST "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
#define RESPONSE "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define RESPONSE_100 "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
#define RESPONSE_CLOSE "HTTP/1.0 200 OK\r\n\r\nhello"

struct ended {
    enum exchange_end end;
    uint64_t stream;
    int64_t code;
    bool has_response;
    uint64_t start_ns, end_ns, position;
    enum span_kind kind;
    bool serves;
    bool carried;
};

struct world {
    struct track *track;
    struct counters counters;
    uint64_t now_ns;
    uint64_t positions[2]; /* of connection 1 */
    size_t n_begun, n_ended, n_dropped, n_blind, n_content;
    struct ended ended[256];
    enum selection selection;
    struct verdict verdict; /* the last one */
};

int setup(void **state);
int teardown(void **state);
void operation(struct world *world, uint64_t connection, enum direction dir,
               const char *text, size_t captured, uint32_t length);
void say(struct world *world, enum direction dir, const char *text);
void pass(struct world *world, enum direction dir, uint32_t length);
void lose(struct world *world, enum direction dir, uint64_t n);
void close_connection(struct world *world);
uint64_t counted(const struct world *world, enum counter id);
void exchange_rounds(struct world *world, int n);
struct track_sink world_sink(struct world *world);
