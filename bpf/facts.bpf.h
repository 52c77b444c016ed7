/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What user space is told once of a connection, and once more per process that uses it. */
#pragma once

#include "maps.h"

#include <bpf/bpf_core_read.h>

static __always_inline void fill_addresses(const struct sock *sk, struct ft_facts *facts)
{
    const struct sock_common *common = &sk->__sk_common;

    facts->family = common->skc_family;
    facts->local_port = common->skc_num;
    facts->remote_port = __builtin_bswap16(common->skc_dport);
    if (facts->family == AF_INET) {
        *(u32 *)facts->local_address = common->skc_rcv_saddr;
        *(u32 *)facts->remote_address = common->skc_daddr;
    } else {
        BPF_CORE_READ_INTO(&facts->local_address, sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8);
        BPF_CORE_READ_INTO(&facts->remote_address, sk, __sk_common.skc_v6_daddr.in6_u.u6_addr8);
    }
}

static __always_inline void fill_facts(const struct sock *sk, const struct sock_state *state,
                                       const struct task_struct *leader, struct ft_facts *facts)
{
    facts->kind = FT_KIND_FACTS;
    facts->netns = sk->__sk_common.skc_net.net->ns.inum;
    facts->starts[FT_DIR_IN] = state->starts[FT_DIR_IN];
    facts->starts[FT_DIR_OUT] = state->starts[FT_DIR_OUT];
    facts->cgroup_id = bpf_get_current_cgroup_id();
    facts->transport = IPPROTO_TCP;
    fill_addresses(sk, facts);
    bpf_probe_read_kernel_str(facts->comm, sizeof(facts->comm), leader->comm);
}
