/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * UNIX streams have no sequence numbers. Their positions are sums, from a start that both ends
 * derive from the sender's cookie, so that both ends see the same:
 *
 *   start of what S sends = H(cookie of S, a number drawn when the agent starts)
 *
 * A sum is right only from the first byte on. Whether that was seen: at the start every socket is
 * marked (mark_old_socket), and until all are, none passes for new. And it is right only while
 * every byte passes a hook, which splice(2) does not: a read that leaves the queue empty has
 * reached what the peer has sent, and the difference, if there is one, is a gap.
 */
#pragma once

#include "socket.bpf.h"

static __always_inline u64 hash_mix(u64 x)
{
    x += 0x9e3779b97f4a7c15ull;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

/* The other end, which lives as long as a stream's socket that is in use; or NULL. */
static __always_inline struct sock *unix_stream_peer(struct sock *sk)
{
    struct unix_sock *un;

    if (by_address || !bpf_core_enum_value_exists(enum bpf_func_id___later,
                                                  BPF_FUNC_skc_to_unix_sock___later))
        return NULL;
    un = bpf_skc_to_unix_sock(sk);
    return un ? un->peer : NULL;
}

static __always_inline u64 unix_stream_start(struct sock *sender)
{
    return hash_mix(bpf_get_socket_cookie(sender) ^ unix_salt);
}

/* MPTCP and datagrams: bytes since the first operation that was seen, which no one else knows. */
static __always_inline bool begin_sums(struct sock_state *state)
{
    state->midway = 1;
    return true;
}

/* The agent listens, or connected: what programs tell it is none of their traffic. */
static __always_inline bool is_own_unix_stream(const struct sock *sk)
{
    struct pid *pid = READ(sk, sk_peer_pid);

    return pid && (u32)BPF_CORE_READ(pid, numbers[0].nr) == own_tgid;
}

static __always_inline bool begin_unix_stream(struct sock *sk, struct sock_state *state)
{
    struct sock *peer = unix_stream_peer(sk);
    struct sock_state *other;

    if (by_address)
        return begin_sums(state);
    state->own |= is_own_unix_stream(sk);
    state->midway |= !settled;
    if (peer) {
        other = socket_state(peer, false);
        state->midway |= other && other->midway;
        state->starts[FT_DIR_IN] = unix_stream_start(peer);
    } else {
        state->midway = 1;
    }
    state->starts[FT_DIR_OUT] = unix_stream_start(sk);
    state->positions[FT_DIR_IN] = state->starts[FT_DIR_IN];
    state->positions[FT_DIR_OUT] = state->starts[FT_DIR_OUT];
    return true;
}

/* Moves on by an operation of `length` bytes; returns where it began. */
static __always_inline u64 advance_unix_stream(struct sock *sk, struct sock_state *state,
                                               enum ft_dir dir, u32 length)
{
    u64 end = state->positions[dir] + length, reached = end;
    struct sock *peer = state->midway ? NULL : unix_stream_peer(sk);
    struct sock_state *other = peer ? socket_state(peer, false) : NULL;

    if (other && other->id) {
        reached = *(volatile u64 *)&other->positions[!dir]; /* before the queue is looked at */
        if (dir == FT_DIR_IN && *(volatile u32 *)&sk->sk_receive_queue.qlen)
            reached = end;
    }
    if ((s64)(reached - end) > 0)
        end = reached;
    state->positions[dir] = end;
    return end - length;
}

/* A socket that is older than the hooks: its stream's sums would begin somewhere. */
static __always_inline void mark_old_socket(struct sock *sk)
{
    struct sock *peer = unix_stream_peer(sk);
    struct sock_state *state;

    state = socket_state(sk, true);
    if (state)
        state->midway = 1;
    state = peer ? socket_state(peer, true) : NULL;
    if (state)
        state->midway = 1;
}
