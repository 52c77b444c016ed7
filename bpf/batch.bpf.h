/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sendmmsg and recvmmsg fire a hook per message, with the same registers. The message's index is
 * counted here, per task and for datagrams. A call ends with its last message or with an operation
 * that fails, and both are seen; so the count is certain but where a receive was under way when the
 * hooks came, and where a time-out (recvmmsg's fifth argument) may end it.
 */
#pragma once

#include "arch.h"
#include "maps.h"

/* One send or receive that has just ended. */
struct operation {
    struct sock *sk;
    struct task_struct *task;
    const struct msghdr *message; /* the kernel's, where the hook has it; else NULL */
    enum ft_transport transport;
    u32 length;
    int flags;
    u32 index; /* by_address: of the message */
    u64 inode; /* by_address: of the socket's file */
};

static __always_inline bool is_stream(enum ft_transport transport)
{
    return transport == FT_TCP || transport == FT_MPTCP || transport == FT_UNIX_STREAM;
}

static __always_inline bool is_batch(unsigned long nr)
{
    return nr == NR_SENDMMSG || nr == NR_RECVMMSG;
}

/* An operation failed: with it the call. */
static __always_inline void batch_end(struct task_struct *task)
{
    struct batch *batch;

    batch = bpf_task_storage_get(&batches, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (!batch)
        return;
    batch->next = 0;
    batch->known = batch->sure = 1;
}

/* The task's batch, at the message in hand; NULL where there is no memory for it. */
static __always_inline struct batch *batch_find(const struct operation *op,
                                                const struct pt_regs *regs, enum ft_dir dir)
{
    struct batch *batch =
        bpf_task_storage_get(&batches, op->task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
    u64 array = ARCH_ARG2(regs), sk = (u64)op->sk;
    bool another;

    if (!batch)
        return NULL;
    another = batch->array != array || batch->sk != sk;
    if (another)
        batch->next = 0;
    if (!batch->known)
        batch->sure = dir == FT_DIR_OUT || op->task->start_time > attached_ns;
    else if (another)
        batch->sure = 1;
    batch->known = 1;
    batch->array = array;
    batch->sk = sk;
    return batch;
}

/* The message's index, or -1 where it is not certain. The next one is the next message. */
static __always_inline long batch_index(const struct operation *op, const struct pt_regs *regs,
                                        enum ft_dir dir)
{
    u32 n = (u32)ARCH_ARG3(regs), index;
    struct batch *batch;

    if (n == 1)
        return 0;
    if (is_stream(op->transport))
        return -1;
    batch = batch_find(op, regs, dir);
    if (!batch)
        return -1;
    if (n > UIO_MAXIOV)
        n = UIO_MAXIOV;
    index = batch->next;
    batch->next = index + 1 < n ? index + 1 : 0;
    if (dir == FT_DIR_IN && ARCH_ARG5(regs))
        return -1;
    return batch->sure && index < n ? index : -1;
}

/* An operation without bytes: an empty datagram is a message, an error ends the call. */
static __always_inline void batch_pass(const struct operation *op, int moved, enum ft_dir dir)
{
    struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(op->task);

    if (!is_batch(ARCH_SYSCALL(regs)))
        return;
    if (moved < 0)
        batch_end(op->task);
    else
        batch_index(op, regs, dir);
}
