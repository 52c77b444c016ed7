/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unary gRPC calls to one endpoint, in plain text or over TLS, and nothing else of gRPC: the rest of
 * the program never sees its headers. One thread at a time uses a client.
 *
 * The client connects at its first call, and anew, with the name resolved anew, with each call
 * after one that found nobody and after rpc_client_renew: when to come again is the caller's
 * business alone. It does not retry and takes no HTTP proxy from the environment.
 */
#pragma once

#include "base/buffer.h"

#include <stdatomic.h>

#define RPC_RESPONSE_MAX (64 * 1024)
#define RPC_MESSAGE_MAX 256

/* The numbers are gRPC's status codes (doc/statuscodes.md of gRPC). */
enum rpc_status {
    RPC_OK = 0,
    RPC_CANCELLED = 1,
    RPC_UNKNOWN = 2,
    RPC_INVALID_ARGUMENT = 3,
    RPC_DEADLINE_EXCEEDED = 4,
    RPC_NOT_FOUND = 5,
    RPC_ALREADY_EXISTS = 6,
    RPC_PERMISSION_DENIED = 7,
    RPC_RESOURCE_EXHAUSTED = 8,
    RPC_FAILED_PRECONDITION = 9,
    RPC_ABORTED = 10,
    RPC_OUT_OF_RANGE = 11,
    RPC_UNIMPLEMENTED = 12,
    RPC_INTERNAL = 13,
    RPC_UNAVAILABLE = 14,
    RPC_DATA_LOSS = 15,
    RPC_UNAUTHENTICATED = 16,
    RPC_STATUS_COUNT,
};

struct rpc_request {
    const char *method; /* "/package.Service/Method" */
    struct bytes message;
    uint64_t timeout_ns;
    const _Atomic bool *stopping; /* set: the call is given up within 100 ms. May be NULL */
};

struct rpc_response {
    enum rpc_status status;
    char text[RPC_MESSAGE_MAX]; /* not OK: the status's message, in printable ASCII */
    bool has_retry_delay;       /* the peer sent a google.rpc.RetryInfo ... */
    uint64_t retry_delay_ns;    /* ... which says so */
    struct buffer message;      /* OK: the response, at most RPC_RESPONSE_MAX */
};

/* Texts, all PEM, that fit together; NULL: none. */
struct rpc_tls {
    const char *ca;          /* who may have signed the server's certificate; none: the system's */
    const char *certificate; /* what the client shows ... */
    const char *key;         /* ... and its private key: both or none */
};

/* Metadata of each call; the name is in lower case. */
struct rpc_header {
    const char *name, *value;
};

/* What it points to must outlive the client. */
struct rpc_options {
    const char *target;        /* HOST:PORT, an IPv6 address in brackets */
    const struct rpc_tls *tls; /* NULL: plain text */
    const struct rpc_header *headers;
    size_t n_headers;
    bool gzip;             /* messages are compressed; so may then be the responses */
    uint64_t keepalive_ns; /* 0: none. Else a ping after so long a silence, during calls */
};

struct rpc_client;

/*
 * Does not connect. *ret_problem names the header that is none; else it is NULL. Returns 0 or a
 * negative errno.
 */
int rpc_client_new(const struct rpc_options *options, struct rpc_client **ret_client,
                   const char **ret_problem);

/* What options->tls points to is no longer what it was: the next call is a new connection. */
void rpc_client_renew(struct rpc_client *client);

/* Ends gRPC where this is the last client. NULL is fine. */
void rpc_client_free(struct rpc_client *client);

/*
 * Blocks until the call has ended in one way or the other. `response` is made before the first call
 * and may serve any number of them. Returns 0 (the status says how the call went), -ENOMEM, or
 * -EINVAL where the call could not be begun.
 */
int rpc_client_call(struct rpc_client *client, const struct rpc_request *request,
                    struct rpc_response *response);

static inline struct rpc_response rpc_response_make(void)
{
    return (struct rpc_response){.message = buffer_make(RPC_RESPONSE_MAX)};
}

static inline void rpc_response_done(struct rpc_response *response)
{
    buffer_done(&response->message);
}

/* "UNAVAILABLE" and the like; "UNKNOWN" for other numbers. */
const char *rpc_status_name(enum rpc_status status);
