/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel side: what TCP, UDP and UNIX sockets carry, seen where the kernel has just sent or
 * received it.
 *
 *   sock_send_length  \                                    counted at entry, always
 *                      > operation -> whose? -> wanted? -> record -> ring -> doorbell
 *   sock_recv_length  /
 *   inet_sock_set_state  -> close records; the agent's own export connections
 *
 * One header per noun, and here nothing but the programs: count, connection (identity, positions),
 * facts, bytes, verdict, ring, operation, state. They are headers because one object is compiled.
 *
 * Why these hooks: the two BTF tracepoints (Linux 6.3) run after the operation, in the task that
 * did it, with the socket and the number of bytes, and cost nothing to any other system call.
 *
 * The rules that everything here follows: bytes are copied only where the buffer is certainly this
 * socket's; a record always tells the true length and position; no path ends uncounted.
 */
#include "kernel.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "operation.bpf.h"
#include "state.bpf.h"
#include "syscall.bpf.h"
#include "tls.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* ---- Linux 6.3 and later: run after any socket's operation ----------------------------------- */

SEC("?tp_btf/sock_send_length")
int BPF_PROG(on_send, struct sock *sk, int moved, int flags)
{
    return handle_operation(sk, NULL, moved, flags, FT_DIR_OUT);
}

SEC("?tp_btf/sock_recv_length")
int BPF_PROG(on_receive, struct sock *sk, int moved, int flags)
{
    return handle_operation(sk, NULL, moved, flags, FT_DIR_IN);
}

/* The address that recvmsg returns: the two hooks above do not see it. */
SEC("?cgroup/recvmsg4")
int on_sender_4(struct bpf_sock_addr *context)
{
    return note_sender(context, AF_INET);
}

SEC("?cgroup/recvmsg6")
int on_sender_6(struct bpf_sock_addr *context)
{
    return note_sender(context, AF_INET6);
}

/* ---- before that: the ends of the functions that all sends and receives pass ----------------- */

/* Sockets of the type `but_not` come by another function too. */
static __always_inline int handle_call(const struct socket *sock, const struct msghdr *message,
                                       int moved, int flags, enum ft_dir dir, int but_not)
{
    struct sock *sk = sock->sk;

    if (!sk || (but_not && sk->sk_type == but_not))
        return 0;
    return handle_operation(sk, message, moved, flags, dir);
}

#define ON_SEND(function, but_not)                                                                 \
    SEC("?fexit/" #function)                                                                       \
    int BPF_PROG(on_##function, struct socket *sock, struct msghdr *message, unsigned long size,   \
                 int moved)                                                                        \
    {                                                                                              \
        return handle_call(sock, message, moved, 0, FT_DIR_OUT, but_not);                          \
    }

#define ON_RECEIVE(function, but_not)                                                              \
    SEC("?fexit/" #function)                                                                       \
    int BPF_PROG(on_##function, struct socket *sock, struct msghdr *message, unsigned long size,   \
                 int flags, int moved)                                                             \
    {                                                                                              \
        return handle_call(sock, message, moved, flags, FT_DIR_IN, but_not);                       \
    }

/* inet_*: TCP, MPTCP, UDP. SOCK_SEQPACKET may call the functions of datagrams or inline them. */
ON_SEND(inet_sendmsg, 0)
ON_SEND(inet6_sendmsg, 0)
ON_SEND(unix_stream_sendmsg, 0)
ON_SEND(unix_dgram_sendmsg, SOCK_SEQPACKET)
ON_SEND(unix_seqpacket_sendmsg, 0)
ON_RECEIVE(inet_recvmsg, 0)
ON_RECEIVE(inet6_recvmsg, 0)
ON_RECEIVE(unix_stream_recvmsg, 0)
ON_RECEIVE(unix_dgram_recvmsg, SOCK_SEQPACKET)
ON_RECEIVE(unix_seqpacket_recvmsg, 0)

/* ---- where neither is to be had: all system calls -------------------------------------------- */

SEC("?tp_btf/sys_exit")
int BPF_PROG(on_call_end, struct pt_regs *regs, long result)
{
    return handle_call_end(regs, result);
}

/* ---- all kernels ----------------------------------------------------------------------------- */

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int old_state, int new_state)
{
    struct ft_counters *c = this_cpu_counters();

    if (sk->sk_protocol != IPPROTO_TCP || !c)
        return 0;
    if (new_state == TCP_SYN_SENT || (new_state == TCP_ESTABLISHED && old_state == TCP_SYN_SENT))
        note_own_connection(sk, new_state);
    else if (new_state == TCP_CLOSE)
        record_close(sk, c);
    return 0;
}

/* What processes run: one that is gone before user space looks at it still has a name. */
SEC("?tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *program)
{
    note_exec(task, program);
    return 0;
}

SEC("?tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
    note_fork(parent, child);
    return 0;
}

SEC("?tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
    note_exit(task);
    return 0;
}

/* Run once, with the hooks attached: marks the UNIX sockets that are older than they are. */
SEC("iter/task_file")
int mark_old_sockets(struct bpf_iter__task_file *context)
{
    struct file *file = context->file;
    struct socket *sock = file ? bpf_sock_from_file(file) : NULL;
    struct sock *sk = sock ? sock->sk : NULL;

    if (sk && transport_of(sk) == FT_UNIX_STREAM)
        mark_old_socket(sk);
    return 0;
}

/* Run once by the agent itself: whatever pid namespace it lives in, this is its number here. */
SEC("syscall")
int learn_own_tgid(void *context)
{
    own_tgid = bpf_get_current_pid_tgid() >> 32;
    return 0;
}

/* ---- probes in TLS libraries: agent/source/tls_probe.c puts them where they are needed ------- */

SEC("?uprobe/go_call")
int on_go_call(struct pt_regs___call *regs)
{
    return go_call(regs, bpf_get_attach_cookie(regs));
}

SEC("?uprobe/tls_call")
int on_tls_call(struct pt_regs___call *regs)
{
    return tls_enter(regs, bpf_get_attach_cookie(regs));
}

SEC("?uretprobe/tls_call")
int on_tls_return(struct pt_regs___call *regs)
{
    return tls_leave(regs);
}
