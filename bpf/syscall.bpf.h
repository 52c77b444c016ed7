/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The last fallback: the end of every system call, where neither the sockets' tracepoints nor fexit
 * are to be had (Linux 5.15 to 6.2 without function tracing). It sees what the calls of arch.h do
 * to sockets, by descriptor, and not sendfile, splice, io_uring and 32-bit programs.
 */
#pragma once

#include "operation.bpf.h"

/* The flags argument; calls without one have none. */
static __always_inline int call_flags(const struct pt_regs *regs, unsigned long nr)
{
    switch (nr) {
    case NR_SENDTO:
    case NR_RECVFROM:
    case NR_SENDMMSG:
    case NR_RECVMMSG:
        return (int)ARCH_ARG4(regs);
    case NR_SENDMSG:
    case NR_RECVMSG:
        return (int)ARCH_ARG3(regs);
    default:
        return 0;
    }
}

/* The socket behind the descriptor, or NULL, and the number of its inode. */
static __always_inline struct sock *call_socket(const struct task_struct *task, u32 fd,
                                                u64 *ret_inode)
{
    const struct fdtable *table = BPF_CORE_READ(task, files, fdt);
    struct file **files = BPF_CORE_READ(table, fd), *file = NULL;
    struct inode *inode;
    struct socket *sock;

    if (fd >= BPF_CORE_READ(table, max_fds))
        return NULL;
    bpf_probe_read_kernel(&file, sizeof(file), &files[fd]);
    if (!file)
        return NULL;
    inode = BPF_CORE_READ(file, f_inode);
    if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFSOCK)
        return NULL;
    *ret_inode = BPF_CORE_READ(inode, i_ino);
    sock = BPF_CORE_READ(file, private_data);
    return BPF_CORE_READ(sock, sk);
}

struct call {
    struct operation op;
    struct ft_counters *c;
    const struct user_mmsghdr *messages;
    long n;
    enum ft_dir dir;
};

/* By direction as a constant, as the other hooks have it. */
static __noinline void handle_send(struct operation *op, int moved, struct ft_counters *c)
{
    handle(op, moved, FT_DIR_OUT, true, c);
}

static __noinline void handle_receive(struct operation *op, int moved, struct ft_counters *c)
{
    handle(op, moved, FT_DIR_IN, true, c);
}

static __always_inline void handle_by_direction(struct call *call, int moved)
{
    call->op.length = moved;
    if (call->dir == FT_DIR_OUT)
        handle_send(&call->op, moved, call->c);
    else
        handle_receive(&call->op, moved, call->c);
}

/* One message of sendmmsg or recvmmsg, whose length the kernel has written behind it. */
static long handle_message(u32 i, void *arg)
{
    struct call *call = arg;
    u32 length = 0;

    if (i >= call->n)
        return 1;
    if (bpf_probe_read_user(&length, sizeof(length), &call->messages[i].length)) {
        count(call->c, FT_COPY_FAILED);
        return 1;
    }
    call->op.index = i;
    handle_by_direction(call, (int)length);
    return 0;
}

static __always_inline int handle_call_end(const struct pt_regs *regs, long result)
{
    unsigned long nr = ARCH_SYSCALL(regs);
    enum buffer_shape send = arch_send_shape(nr), receive = arch_receive_shape(nr);
    struct call call = {.op.task = bpf_get_current_task_btf(), .c = this_cpu_counters(),
                        .messages = (const struct user_mmsghdr *)ARCH_ARG2(regs), .n = result,
                        .dir = send != BUFFER_NONE ? FT_DIR_OUT : FT_DIR_IN};

    if (send == BUFFER_NONE && receive == BUFFER_NONE)
        return 0;
    if (!call.c || ARCH_TASK_IS_32BIT(call.op.task))
        return 0;
    call.op.sk = call_socket(call.op.task, (u32)ARCH_ARG1(regs), &call.op.inode);
    if (!call.op.sk)
        return 0;
    call.op.transport = transport_of(call.op.sk);
    call.op.flags = call_flags(regs, nr);
    if (!is_batch(nr) || result <= 0)
        handle_by_direction(&call, (int)result);
    else if (bpf_core_enum_value_exists(enum bpf_func_id___later, BPF_FUNC_loop___later))
        bpf_loop(UIO_MAXIOV, handle_message, &call, 0);
    else
        handle_message(0, &call); /* Linux 5.15 and 5.16 see the first one */
    return 0;
}
