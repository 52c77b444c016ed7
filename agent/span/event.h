/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes in: events, as every source delivers them and every recording keeps them. They stand
 * beside the span, which is what goes out.
 *
 * An event and what it points to are valid only inside the sink call.
 */
#pragma once

#include "base/hash.h"

struct process_facts; /* enrich/process.h */
struct host_facts;

#define COMM_LEN 16
#define NAME_LEN 255 /* of a host (RFC 1035, 2.3.4); of a UNIX socket 108 at most */
#define ADDRESS_TEXT_MAX 46 /* INET6_ADDRSTRLEN */

enum event_kind {
    EVENT_DATA,    /* a send or receive that moved bytes */
    EVENT_CLOSE,   /* the connection is gone; data still unread may follow */
    EVENT_PROCESS, /* what the slow look-ups found out about a process */
    EVENT_HOST,    /* the host, once, before everything else */
    EVENT_LOSS,    /* records were lost: what is believed to be open may not be all */
    EVENT_TICK,    /* time has passed: nothing else happened */
    EVENT_COUNT,
};

enum direction { DIR_IN, DIR_OUT };

/* IPPROTO_* where there is one; recordings have these numbers. */
enum transport {
    TRANSPORT_TCP = 6,
    TRANSPORT_UDP = 17,
    TRANSPORT_UNIX_STREAM = 201,
    TRANSPORT_UNIX_SEQPACKET = 202,
    TRANSPORT_UNIX_DATAGRAM = 203,
    TRANSPORT_MPTCP = 204,
};

/* Each event is a message of its own: there is no stream, and positions mean nothing. */
static inline bool transport_is_datagram(enum transport transport)
{
    return transport == TRANSPORT_UDP || transport == TRANSPORT_UNIX_SEQPACKET ||
           transport == TRANSPORT_UNIX_DATAGRAM;
}

/*
 * The name of a UNIX socket: a path, or behind a NUL an abstract name. Of a TLS connection: the
 * server's, as the client asked for it. len 0: it has none.
 */
struct socket_name {
    uint8_t len;
    uint8_t bytes[NAME_LEN];
};

/* What else the handshake of a TLS connection told in clear text. */
struct tls_facts {
    uint16_t version;  /* as on the wire: 0x0303 is TLS 1.2; 0: not known */
    int64_t not_after; /* until when the server's certificate is valid, UNIX seconds; 0: not known */
};

/* Who did it: the thread, and the process by pid and start time, which no pid reuse can fake. */
struct exec_context {
    uint32_t tgid; /* in the initial pid namespace */
    uint32_t tid;
    uint64_t process_start_ns; /* boot time at which the process started */
    uint64_t coroutine;        /* 0: not known */
};

struct endpoint {
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
    uint16_t port;
};

/* Where only packets are seen, an endpoint stands for the process that is behind it. */
static inline struct exec_context endpoint_exec(const struct endpoint *endpoint)
{
    uint64_t address = hash_bytes(bytes_make(endpoint->address, sizeof(endpoint->address)));

    return (struct exec_context){.process_start_ns = hash_pair(address, endpoint->port)};
}

/* On the first record of a connection, and again when another process begins to use it. */
struct connection_facts {
    struct endpoint local;
    struct endpoint remote;
    /*
     * Stream position of the first byte of each direction, indexed by enum direction: of TCP the
     * low 32 bits are its sequence number. Both ends know the same where `has_starts`; otherwise
     * (MPTCP, datagrams, UNIX streams older than the agent) positions only count.
     */
    uint64_t starts[2];
    bool has_starts;
    /*
     * Seen from between the two ends, in a capture of packets: no process is known. `local` is the
     * server's end as far as the source can tell.
     */
    bool passive;
    bool secure; /* the bytes are the clear text of a TLS connection */
    enum transport transport;
    struct tls_facts tls;
    struct socket_name name; /* UNIX: the peer's, or where it has none, the own; TLS: the server's */
    bool name_is_remote;
    uint32_t remote_tgid; /* UNIX streams: who connected, or who listened; 0: not known */
    char comm[COMM_LEN];
    uint64_t cgroup_id;
    uint32_t exec_id; /* how manyth program of its process; for the look-up: never recorded */
    uint32_t netns; /* inode number */
};

struct event {
    enum event_kind kind;
    enum direction dir;
    uint64_t time_ns; /* UNIX time at the end of the operation; never decreases by more than
                         the skew between two CPUs' records */
    uint64_t connection;
    struct exec_context exec;
    /*
     * DATA: absolute position of the first byte, the TCP sequence number extended to 64 bits, which
     * both ends of the connection see alike. `length` bytes were moved, data.len <= length of them
     * were captured, from the first on.
     */
    uint64_t position;
    uint32_t length;
    struct bytes data;
    const struct connection_facts *connection_facts; /* or NULL */
    const struct process_facts *process_facts;       /* PROCESS, else NULL */
    const struct host_facts *host_facts;             /* HOST, else NULL */
};

/* What the core wants of a connection from now on. */
enum verdict_kind {
    VERDICT_DEFAULT, /* the head of each message, of the size that is configured */
    VERDICT_HEAD,    /* the head of each message, of the size given */
    VERDICT_IGNORE,  /* nothing: it is not wanted; the kernel counts */
    VERDICT_DESCRIBE, /* as DEFAULT, and the next record brings the connection's facts again */
    VERDICT_GIVE_UP,  /* nothing: it is not understood; the kernel counts */
};

struct verdict {
    enum verdict_kind kind;
    uint32_t head; /* bytes, at most CAPTURE_HEAD_MAX */
};

#define CAPTURE_HEAD_MAX 16384
