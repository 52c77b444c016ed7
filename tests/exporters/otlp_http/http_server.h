/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP server for tests, on a thread of its own: it takes one connection after the other,
 * remembers each request, and answers it with the bytes that it was told.
 */
#pragma once

#include "base/buffer.h"

struct http_server;

struct http_request {
    unsigned number; /* 1: the first */
    unsigned connection;
    char head[4096];
    struct buffer body;
};

/* Port 0: any that is free. NULL where the port cannot be had. */
struct http_server *http_server_start(unsigned port);
void http_server_stop(struct http_server *server); /* NULL is fine */

unsigned http_server_port(const struct http_server *server);

/*
 * From the next request on, these bytes, which must outlive the server; NULL: nothing at all, until
 * the client gives up. The connection is closed behind an answer that says "Connection: close", and
 * reset behind an empty one.
 */
void http_server_set_answer(struct http_server *server, const char *answer);

/* Valid until the next request. */
const struct http_request *http_server_last(struct http_server *server);
