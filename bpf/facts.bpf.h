/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What user space is told once of a connection, and once more per process that uses it; with
 * datagrams each time.
 */
#pragma once

#include "arch.h"
#include "process.bpf.h"
#include "unix.bpf.h"

#include <bpf/bpf_core_read.h>

static __always_inline void fill_inet_addresses(const struct sock *sk, struct ft_facts *facts)
{
    facts->local_port = READ(sk, __sk_common.skc_num);
    facts->remote_port = __builtin_bswap16(READ(sk, __sk_common.skc_dport));
    if (facts->family == AF_INET) {
        *(u32 *)facts->local_address = READ(sk, __sk_common.skc_rcv_saddr);
        *(u32 *)facts->remote_address = READ(sk, __sk_common.skc_daddr);
    } else {
        BPF_CORE_READ_INTO(&facts->local_address, sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8);
        BPF_CORE_READ_INTO(&facts->remote_address, sk, __sk_common.skc_v6_daddr.in6_u.u6_addr8);
    }
}

/* The socket's bound name, whoever's it is: read as memory, since a datagram's peer may go. */
static __always_inline bool fill_path(const struct unix_sock *un, struct ft_facts *facts)
{
    struct unix_address *name = BPF_CORE_READ(un, addr);
    u32 len;

    if (!name)
        return false;
    len = (u32)BPF_CORE_READ(name, len) - sizeof(u16);
    if (len == 0 || len > FT_PATH_LEN)
        return false;
    if (bpf_probe_read_kernel(facts->path, len, &name->name[0].sun_path))
        return false;
    facts->path_len = len;
    return true;
}

static __always_inline void fill_unix_names(const struct sock *sk, struct ft_facts *facts)
{
    const struct unix_sock *un = (const struct unix_sock *)sk;
    const struct unix_sock *peer = (const struct unix_sock *)BPF_CORE_READ(un, peer);
    struct pid *pid = READ(sk, sk_peer_pid);

    facts->local_port = facts->remote_port = 0;
    __builtin_memset(facts->path, 0, sizeof(facts->path));
    facts->path_is_remote = peer && fill_path(peer, facts);
    if (!facts->path_is_remote)
        fill_path(un, facts);
    if (pid)
        facts->remote_tgid = BPF_CORE_READ(pid, numbers[0].nr);
}

/* Who talks with whom, as the socket knows it. */
static __always_inline void fill_ends(const struct sock *sk, const struct sock_state *state,
                                      struct ft_facts *facts)
{
    facts->family = READ(sk, __sk_common.skc_family);
    facts->transport = state->transport;
    facts->path_is_remote = 0;
    facts->path_len = 0;
    facts->secure = 0;
    facts->remote_tgid = 0;
    if (facts->family == AF_UNIX)
        fill_unix_names(sk, facts);
    else
        fill_inet_addresses(sk, facts);
}

/* All the rest. */
static __always_inline void fill_facts(const struct sock *sk, const struct sock_state *state,
                                       const struct task_struct *leader, struct ft_facts *facts)
{
    facts->kind = FT_KIND_FACTS;
    facts->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
    facts->starts[FT_DIR_IN] = state->starts[FT_DIR_IN];
    facts->starts[FT_DIR_OUT] = state->starts[FT_DIR_OUT];
    facts->has_starts = !state->midway;
    facts->cgroup_id = bpf_get_current_cgroup_id();
    facts->exec_id = note_use(leader);
    __builtin_memset(facts->comm, 0, sizeof(facts->comm));
    bpf_probe_read_kernel_str(facts->comm, sizeof(facts->comm), leader->comm);
}
