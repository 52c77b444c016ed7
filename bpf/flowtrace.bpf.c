/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel side: what TCP sockets carry, seen where the kernel has just sent or received it.
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

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tp_btf/sock_send_length")
int BPF_PROG(on_send, struct sock *sk, int moved, int flags)
{
    return handle_operation(sk, moved, flags, FT_DIR_OUT);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(on_receive, struct sock *sk, int moved, int flags)
{
    return handle_operation(sk, moved, flags, FT_DIR_IN);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int old_state, int new_state)
{
    if (sk->sk_protocol != IPPROTO_TCP)
        return 0;
    if (new_state == TCP_SYN_SENT || (new_state == TCP_ESTABLISHED && old_state == TCP_SYN_SENT))
        note_own_connection(sk, new_state);
    else if (new_state == TCP_CLOSE)
        record_close(sk);
    return 0;
}

/* Run once by the agent itself: whatever pid namespace it lives in, this is its number here. */
SEC("syscall")
int learn_own_tgid(void *context)
{
    own_tgid = bpf_get_current_pid_tgid() >> 32;
    return 0;
}
