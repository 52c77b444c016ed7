/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gRPC server for tests, on a thread of its own: it takes one call after the other, of whatever
 * method, remembers what came, and answers what it was told to.
 */
#pragma once

#include "base/buffer.h"

struct server;

struct server_answer {
    bool hangs;      /* nothing at all, until the client gives up */
    bool no_message; /* the status alone */
    struct bytes message;
    int status;
    const char *text;
    struct bytes details; /* the trailer grpc-status-details-bin, where not empty */
};

/* What the last call brought. */
struct server_call {
    unsigned number; /* 1: the first */
    char method[128];
    char user_agent[128];
    char accepts[128]; /* grpc-accept-encoding */
    bool gzip;         /* the message came as gzip, and is left so */
    char token[64];    /* x-token */
    struct buffer message;
};

/* Port 0: any that is free. NULL where the port cannot be had. */
struct server *server_start(unsigned port);

/*
 * The same over mutual TLS, with what tests/make-certificates put into the folder: only a client
 * that its authority signed is let in.
 */
struct server *server_start_tls(const char *certificates);

void server_stop(struct server *server); /* NULL is fine */

unsigned server_port(const struct server *server);

/* From the next call on; what the answer points to must outlive the server. */
void server_set_answer(struct server *server, const struct server_answer *answer);

/* Valid until the next server_last_call. */
const struct server_call *server_last_call(struct server *server);
