/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Getting at a socket. Most hooks are given it, as a pointer that the verifier trusts: its members
 * are read directly, and its state lives in its storage. The hook on system calls only finds its
 * address (`by_address`): members are read as memory, and the state is looked up in a table. The
 * verifier knows `by_address` when it loads a program and drops the other half.
 */
#pragma once

#include "maps.h"

#include <bpf/bpf_core_read.h>

#define READ(pointer, member)                                                                      \
    (by_address ? BPF_CORE_READ(pointer, member) : (pointer)->member)

static __always_inline struct sock_state *table_state(const struct sock *sk, bool create)
{
    static const struct sock_state nothing;
    u64 key = (u64)sk;
    struct sock_state *state = bpf_map_lookup_elem(&state_table, &key);

    if (state || !create)
        return state;
    bpf_map_update_elem(&state_table, &key, &nothing, BPF_NOEXIST);
    return bpf_map_lookup_elem(&state_table, &key);
}

/* What is remembered of the socket, or NULL. */
static __always_inline struct sock_state *socket_state(struct sock *sk, bool create)
{
    if (by_address)
        return table_state(sk, create);
    return bpf_sk_storage_get(&sock_states, sk, NULL, create ? BPF_SK_STORAGE_GET_F_CREATE : 0);
}

static __always_inline void forget_socket(const struct sock *sk)
{
    u64 key = (u64)sk;

    if (by_address)
        bpf_map_delete_elem(&state_table, &key);
}

static __always_inline struct tcp_sock *socket_tcp(struct sock *sk)
{
    return by_address ? (struct tcp_sock *)sk : bpf_skc_to_tcp_sock(sk);
}
