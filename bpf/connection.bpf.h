/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A socket's storage: the connection's id, where its streams began and how far they are. */
#pragma once

#include "count.bpf.h"
#include "unix.bpf.h"


/* False: the socket moved on meanwhile. */
static __always_inline bool read_positions(const struct tcp_sock *tp, struct sock_state *state)
{
    u32 acked_to = READ(tp, snd_una), received_to = READ(tp, rcv_nxt);
    u64 acked = READ(tp, bytes_acked), received = READ(tp, bytes_received);

    state->starts[FT_DIR_OUT] = acked_to - (u32)acked;
    state->starts[FT_DIR_IN] = received_to - (u32)received;
    state->positions[FT_DIR_OUT] =
        state->starts[FT_DIR_OUT] + acked + (s32)(READ(tp, write_seq) - acked_to);
    state->positions[FT_DIR_IN] =
        state->starts[FT_DIR_IN] + received - (s32)(received_to - READ(tp, copied_seq));
    return acked_to == READ(tp, snd_una) && acked == READ(tp, bytes_acked) &&
           received_to == READ(tp, rcv_nxt) && received == READ(tp, bytes_received);
}

/*
 * Absolute positions: the sequence number of the stream's first byte plus the bytes since then, as
 * 64 bits. The kernel's totals give both for connections of any age. An ACK may be processed on
 * another CPU between two loads, hence up to three looks. (No loop: Linux 6.1 refuses its form.)
 */
static __always_inline void find_positions(const struct tcp_sock *tp, struct sock_state *state)
{
    if (!read_positions(tp, state) && !read_positions(tp, state))
        read_positions(tp, state);
}

static __always_inline bool is_own_connection(const struct sock_state *state)
{
    /* Seen from the accepting end: what comes in was sent by the opener. */
    struct own_key key = {.opener_start = (u32)state->starts[FT_DIR_IN],
                          .peer_start = (u32)state->starts[FT_DIR_OUT]};

    return bpf_map_lookup_elem(&own_connections, &key) != NULL;
}

static __always_inline u64 new_connection_id(struct ft_counters *c)
{
    return (u64)(bpf_get_smp_processor_id() + 1) << 45 | ++c->connections;
}

static __always_inline enum ft_transport transport_of(const struct sock *sk)
{
    u16 family = READ(sk, __sk_common.skc_family);

    if (family == AF_INET || family == AF_INET6) {
        switch (READ(sk, sk_protocol)) {
        case IPPROTO_TCP:
            return FT_TCP;
        case IPPROTO_UDP:
            return FT_UDP;
        case IPPROTO_MPTCP:
            return FT_MPTCP;
        default:
            return FT_TRANSPORT_NONE;
        }
    }
    if (family != AF_UNIX)
        return FT_TRANSPORT_NONE;
    switch (READ(sk, sk_type)) {
    case SOCK_STREAM:
        return FT_UNIX_STREAM;
    case SOCK_SEQPACKET:
        return FT_UNIX_SEQPACKET;
    case SOCK_DGRAM:
        return FT_UNIX_DATAGRAM;
    default:
        return FT_TRANSPORT_NONE;
    }
}

static __always_inline bool begin_tcp(struct sock *sk, struct sock_state *state)
{
    struct tcp_sock *tp = socket_tcp(sk);

    if (!tp)
        return false;
    find_positions(tp, state);
    state->own |= is_own_connection(state);
    return true;
}

static __always_inline bool begin(struct sock *sk, struct sock_state *state)
{
    if (state->transport == FT_TCP)
        return begin_tcp(sk, state);
    return state->transport == FT_UNIX_STREAM ? begin_unix_stream(sk, state) : begin_sums(state);
}

static __always_inline struct sock_state *find_connection(struct sock *sk, u64 inode,
                                                          enum ft_transport transport,
                                                          struct ft_counters *c)
{
    struct sock_state *state = socket_state(sk, false);

    if (state && state->id && state->inode == inode)
        return state;
    state = socket_state(sk, true);
    if (!state)
        return NULL;
    state->transport = transport;
    state->inode = inode;
    state->tgid = 0;
    state->tls = 0;
    state->clear_id = 0;
    state->handshake = 0;
    if (!begin(sk, state))
        return NULL;
    state->id = new_connection_id(c);
    return state;
}

/* The 64-bit position that ends in `sequence` and is nearest to the last one. Returns the start. */
static __always_inline u64 advance(struct sock_state *state, enum ft_dir dir, u32 sequence,
                                   u32 length)
{
    u64 last = state->positions[dir];
    u64 end = last + (s64)(s32)(sequence - (u32)last);

    state->positions[dir] = end;
    return end - length;
}

/* Where the operation ended. The read of the last byte may take the FIN too, which is no byte. */
static __always_inline u32 end_sequence(const struct sock *sk, const struct tcp_sock *tp,
                                        enum ft_dir dir)
{
    bool finished = READ(sk, __sk_common.skc_flags) & (1ul << SOCK_DONE);
    u32 copied;

    if (dir == FT_DIR_OUT)
        return READ(tp, write_seq);
    copied = READ(tp, copied_seq);
    return finished && copied == READ(tp, rcv_nxt) ? copied - 1 : copied;
}

/* The position of the operation's first byte; false where the socket cannot tell. */
static __always_inline bool find_position(struct sock *sk, struct sock_state *state,
                                          enum ft_dir dir, u32 length, u64 *ret_position)
{
    struct tcp_sock *tp;

    if (state->transport == FT_UNIX_STREAM) {
        *ret_position = advance_unix_stream(sk, state, dir, length);
        return true;
    }
    if (state->transport != FT_TCP) {
        *ret_position = state->positions[dir];
        state->positions[dir] += length;
        return true;
    }
    tp = socket_tcp(sk);
    if (!tp)
        return false;
    *ret_position = advance(state, dir, end_sequence(sk, tp, dir), length);
    return true;
}
