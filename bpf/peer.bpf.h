/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * With whom a datagram was exchanged, where the socket is not connected. A send is given an address
 * in user memory. A receive writes it there only after the hook has run; so it is noted when the
 * kernel has it (cgroup programs on recvmsg), or read from the hook's own msghdr.
 */
#pragma once

#include "bytes.bpf.h"
#include "unix.bpf.h"

#include <bpf/bpf_core_read.h>

static __always_inline bool take_inet(const struct user_address *from, struct ft_facts *facts)
{
    if (from->family != AF_INET && from->family != AF_INET6)
        return false;
    facts->remote_port = __builtin_bswap16(from->port);
    if (from->family == AF_INET6) {
        bpf_probe_read_kernel(facts->remote_address, sizeof(facts->remote_address), from->v6);
    } else if (facts->family == AF_INET6) { /* a dual-stack socket takes such an address too */
        __builtin_memset(facts->remote_address, 0, 8);
        *(u32 *)&facts->remote_address[8] = __builtin_bswap32(0xffff);
        *(u32 *)&facts->remote_address[12] = from->v4;
    } else {
        *(u32 *)facts->remote_address = from->v4;
    }
    return true;
}

static __always_inline bool take_path(const struct user_address *from, u32 len,
                                      struct ft_facts *facts)
{
    if (from->family != AF_UNIX || len <= sizeof(from->family) || len > sizeof(*from))
        return false;
    bpf_probe_read_kernel(facts->path, sizeof(facts->path), from->path);
    facts->path_len = len - sizeof(from->family);
    facts->path_is_remote = 1;
    return true;
}

static __always_inline bool take_address(const struct operation *op,
                                         const struct user_address *from, u32 len,
                                         struct ft_facts *facts)
{
    return op->transport == FT_UDP ? take_inet(from, facts) : take_path(from, len, facts);
}

/* How much of an address is read. The barrier shows the verifier what is compared. */
static __always_inline u64 readable(u64 len)
{
    asm volatile("" : "+r"(len));
    return len < sizeof(struct user_address) ? len : sizeof(struct user_address);
}

/* The address that the hook's own msghdr has. */
static __always_inline bool take_kernel_name(const struct operation *op, struct scratch *scratch)
{
    const struct msghdr *message = op->message; /* or the macro would relocate `op` too */
    void *name = BPF_CORE_READ(message, msg_name);
    u32 len = BPF_CORE_READ(message, msg_namelen);

    __builtin_memset(&scratch->address, 0, sizeof(scratch->address));
    return name && len >= sizeof(scratch->address.family) &&
           bpf_probe_read_kernel(&scratch->address, readable(len), name) == 0 &&
           take_address(op, &scratch->address, len, &scratch->facts);
}

static __always_inline bool take_user_name(const struct operation *op,
                                           const struct user_buffer *buffer,
                                           struct scratch *scratch)
{
    __builtin_memset(&scratch->address, 0, sizeof(scratch->address));
    return buffer->name && buffer->name_len >= sizeof(scratch->address.family) &&
           bpf_probe_read_user(&scratch->address, readable(buffer->name_len), buffer->name) == 0 &&
           take_address(op, &scratch->address, buffer->name_len, &scratch->facts);
}

static __always_inline bool take_sender(const struct operation *op, struct ft_facts *facts)
{
    u64 task = (u64)op->task;
    struct sender *sender = bpf_map_lookup_elem(&senders, &task);
    bool same = sender && sender->cookie == bpf_get_socket_cookie(op->sk);

    if (same) {
        facts->family = sender->family;
        facts->remote_port = sender->port;
        __builtin_memcpy(facts->remote_address, sender->address, sizeof(sender->address));
    }
    if (sender)
        bpf_map_delete_elem(&senders, &task);
    return same;
}

static __always_inline void forget_sender(const struct operation *op)
{
    u64 task = (u64)op->task;

    if (bpf_map_lookup_elem(&senders, &task))
        bpf_map_delete_elem(&senders, &task);
}

/*
 * The message knows its peer better than the socket, which another connect() may have moved. True:
 * it named one.
 */
static __always_inline bool find_message_peer(const struct operation *op, enum ft_dir dir,
                                              const struct user_buffer *buffer,
                                              struct scratch *scratch)
{
    if (!by_address && dir == FT_DIR_IN && op->transport == FT_UDP &&
        take_sender(op, &scratch->facts))
        return true;
    if (op->message)
        return take_kernel_name(op, scratch);
    if (dir == FT_DIR_OUT || by_address) /* the latter: the kernel has written it already */
        return take_user_name(op, buffer, scratch);
    return false;
}

/*
 * Can it be that the message names its peer? Asked before anything that costs more. What is inside
 * of sendmmsg and recvmmsg has to be counted through, and is not asked.
 */
static __always_inline bool may_name_peer(const struct operation *op, enum ft_dir dir)
{
    const struct pt_regs *regs = (const struct pt_regs *)bpf_task_pt_regs(op->task);
    const struct msghdr *message = op->message;
    unsigned long nr = ARCH_SYSCALL(regs);
    void *name = NULL;

    if (is_batch(nr))
        return true;
    if (message)
        return BPF_CORE_READ(message, msg_name) != NULL;
    if (dir == FT_DIR_IN && !by_address)
        return op->transport == FT_UDP && READ(op->sk, __sk_common.skc_dport) == 0;
    if (nr == NR_SENDTO || nr == NR_RECVFROM)
        return ARCH_ARG5(regs) != 0;
    if (nr == NR_SENDMSG || nr == NR_RECVMSG)
        bpf_probe_read_user(&name, sizeof(name), (const void *)ARCH_ARG2(regs));
    return name != NULL;
}

static __noinline u64 hash_path(u64 id, const struct ft_facts *facts)
{
    UNROLL
    for (u32 i = 0; i < FT_PATH_LEN / 4; i++) {
        id = hash_mix(id ^ *(const u32 *)&facts->path[i * 4]);
        asm volatile("" : "+r"(id) : : "memory"); /* or all words are loaded first, to the stack */
    }
    return id;
}

static __always_inline u64 hash_inet(u64 id, u16 family, const u32 *address, u16 port)
{
    if (port == 0)
        return id;
    id = hash_mix(id ^ address[0]);
    if (family == AF_INET6) {
        UNROLL
        for (u32 i = 1; i < 4; i++)
            id = hash_mix(id ^ address[i]);
    }
    return hash_mix(id ^ port);
}

/*
 * A datagram's connection is its socket and its peer, or the socket where nobody knows the peer or
 * (UNIX) the message does not name it: then it is the one to which the socket is connected.
 */
static __always_inline u64 datagram_connection(const struct sock_state *state,
                                               const struct ft_facts *facts, bool named)
{
    if (facts->family == AF_UNIX)
        return named ? hash_path(state->id, facts) : state->id;
    return hash_inet(state->id, facts->family, (const u32 *)facts->remote_address,
                     facts->remote_port);
}

/* The same for a message that names no peer, from the socket alone. */
static __always_inline u64 socket_connection(const struct sock *sk, const struct sock_state *state)
{
    u16 family = READ(sk, __sk_common.skc_family);
    u16 port = __builtin_bswap16(READ(sk, __sk_common.skc_dport));
    u32 address[4];

    if (state->transport != FT_UDP)
        return state->id;
    if (family == AF_INET)
        address[0] = READ(sk, __sk_common.skc_daddr);
    else
        BPF_CORE_READ_INTO(&address, sk, __sk_common.skc_v6_daddr.in6_u.u6_addr8);
    return hash_inet(state->id, family, address, port);
}

static __always_inline int note_another_sender(struct bpf_sock_addr *context, u16 family)
{
    struct sender sender = {.cookie = bpf_get_socket_cookie(context), .family = family,
                            .port = __builtin_bswap16((u16)context->user_port)};
    u64 task = bpf_get_current_task();

    if (family == AF_INET) {
        *(u32 *)sender.address = context->user_ip4;
    } else {
        *(u32 *)&sender.address[0] = context->user_ip6[0];
        *(u32 *)&sender.address[4] = context->user_ip6[1];
        *(u32 *)&sender.address[8] = context->user_ip6[2];
        *(u32 *)&sender.address[12] = context->user_ip6[3];
    }
    bpf_map_update_elem(&senders, &task, &sender, BPF_ANY);
    return 1;
}

/* The hook finds these at the socket. */
static __always_inline bool is_connected_to_sender(const struct bpf_sock_addr *context, u16 family)
{
    const struct bpf_sock *sk = context->sk;

    if (!sk || sk->dst_port != (u16)context->user_port)
        return false;
    if (family == AF_INET)
        return sk->dst_ip4 == context->user_ip4;
    return sk->dst_ip6[0] == context->user_ip6[0] && sk->dst_ip6[1] == context->user_ip6[1] &&
           sk->dst_ip6[2] == context->user_ip6[2] && sk->dst_ip6[3] == context->user_ip6[3];
}

/* Run by the cgroup programs, which see the address that recvmsg is about to return. */
static __always_inline int note_sender(struct bpf_sock_addr *context, u16 family)
{
    if (is_connected_to_sender(context, family))
        return 1;
    return note_another_sender(context, family);
}
