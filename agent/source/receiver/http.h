/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server of the receivers (libmicrohttpd), driven by the receiver's own loop: it waits for
 * the descriptor and calls http_run. What is answered to a body, a table of routes says.
 *
 *   POST /v1/traces   OTLP/HTTP 1.x, protobuf or JSON
 *   POST /events      CloudEvents 1.0: binary, structured, batched
 */
#pragma once

#include "source/receiver/collect.h"

struct http;

struct http_options {
    const struct receiver_options *options;
    struct collect *collect;
    struct peers *peers;
    size_t *held_bytes; /* of all bodies, of all servers */
    bool local;         /* a UNIX socket: its clients are known */
};

/* Takes `listener` over. Returns 0 or a negative errno (logged). */
int http_start(const struct http_options *options, int listener, struct http **ret_http);
void http_stop(struct http *http); /* NULL is fine */

/* Becomes readable when there is something to do. */
int http_fd(const struct http *http);

/* Does it, once for everybody; then says in how many milliseconds to call again, -1: no need. */
int http_run(struct http *http);

/* Cuts off who made no progress; called about once a second. */
void http_sweep(struct http *http, uint64_t now_ns);
