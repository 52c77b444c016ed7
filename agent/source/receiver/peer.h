/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is at the other end of a local socket, by what the kernel says (SO_PEERCRED, SCM_CREDENTIALS:
 * unix(7)), so that a program need not claim its process, container and service.
 */
#pragma once

#include "base/buffer.h"
#include "enrich/process.h"

#define PEER_TEXT_MAX 4096
#define PEERS_MAX 64

struct peer {
    uint64_t key;      /* names the process; 0: not known who it is */
    uint32_t pid;      /* as this host numbers it; 0: not known */
    uint32_t own_pid;  /* as the process itself sees it, in its namespace; 0: not known */
    size_t n;
    struct attribute attributes[RESOURCE_ATTRIBUTES_MAX]; /* of its resource; they point into ... */
    uint8_t text[PEER_TEXT_MAX];                          /* ... this */
};

struct peers;

/*
 * Remembers the last PEERS_MAX processes while they live. `configured` and `agent` (NULL: nothing)
 * are said of every resource, and must outlive the peers. Returns 0 or -ENOMEM.
 */
int peers_new(const struct said *configured, const struct said *agent, struct peers **ret_peers);
void peers_free(struct peers *peers); /* NULL is fine */

/* Nobody known: its resource has no more than a name that says so. */
const struct peer *peers_nobody(const struct peers *peers);

/* The process; valid until the next call. Of one that is gone only its number is known. */
const struct peer *peers_get(struct peers *peers, uint32_t pid);

/* The process that connected a UNIX stream socket, or nobody. */
const struct peer *peers_of_socket(struct peers *peers, int fd);

/* A copy that is valid by itself. */
void peer_copy(const struct peer *peer, struct peer *ret_copy);

/*
 * Appends the Resource that was sent, and what it does not say of the peer. A resource of another
 * process (its pid is not the peer's: a forwarder sent it) stays as it is. The first attribute is
 * the service.name: it replaces none but "unknown_service", the SDKs' word for none. 0 or -ENOBUFS.
 */
int peer_complete(const struct peer *peer, struct bytes sent, struct buffer *buffer);
