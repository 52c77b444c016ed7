/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Changes of a connection's state: the agent's own connections, and the end of any. */
#pragma once

#include "connection.bpf.h"
#include "ring.bpf.h"
#include "verdict.bpf.h"

/*
 * The agent's own connection gets its mark while the agent is in connect(). The opener's end is
 * established before the other one is, so the key is there before the peer's first operation.
 */
static __always_inline void note_own_connection(struct sock *sk, int new_state)
{
    struct sock_state *state;
    struct tcp_sock *tp;

    if (new_state == TCP_SYN_SENT) {
        if (bpf_get_current_pid_tgid() >> 32 != own_tgid)
            return;
        state = socket_state(sk, true);
        if (state)
            state->own = 1;
        return;
    }
    state = socket_state(sk, false);
    tp = bpf_skc_to_tcp_sock(sk);
    if (state && state->own && tp) {
        struct own_key key = {.opener_start = tp->write_seq, .peer_start = tp->rcv_nxt};
        u8 one = 1;

        bpf_map_update_elem(&own_connections, &key, &one, BPF_ANY);
    }
}

static __always_inline void close_connection(struct sock_state *state, u64 id,
                                             struct ft_counters *c)
{
    struct ft_record record = {.kind = FT_KIND_CLOSE};
    enum ft_counter why = FT_RECORDS;

    if (head_wanted(state, id, &why) == 0 && why != FT_CIPHER_TEXT)
        return;
    record.dir = state->tls ? FT_DIR_OUT : FT_DIR_IN; /* OUT: its clear text was seen */
    record.time_ns = bpf_ktime_get_boot_ns();
    record.connection = id;
    if (bpf_ringbuf_output(&ring, &record, sizeof(record), wake_flags(c)))
        count(c, FT_CLOSE_LOST);
}

static __noinline void record_close(struct sock *sk, struct ft_counters *c)
{
    struct sock_state *state = socket_state(sk, false);

    if (!state || state->id == 0)
        return;
    close_connection(state, state->id, c);
    if (state->clear_id && state->clear_id != state->id)
        close_connection(state, state->clear_id, c);
    forget_socket(sk);
}

/* A UNIX stream was read to its end, and the peer has closed it, not only its half: both ends. */
static __always_inline void record_unix_close(struct sock *sk, struct ft_counters *c)
{
    struct sock *peer;

    if ((READ(sk, sk_shutdown) & SHUTDOWN_MASK) != SHUTDOWN_MASK)
        return;
    record_close(sk, c);
    peer = unix_stream_peer(sk);
    if (peer)
        record_close(peer, c);
}
