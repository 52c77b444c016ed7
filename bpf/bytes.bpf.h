/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The bytes of the operation that has just ended, from the buffer of the system call in progress,
 * and only where that buffer is certainly this socket's.
 */
#pragma once

#include "arch.h"
#include "count.bpf.h"

/* Is the descriptor that the system call was given this socket's? */
static __always_inline bool is_descriptor_of(const struct task_struct *task, unsigned long fd,
                                             const struct sock *sk)
{
    const struct fdtable *table = task->files->fdt;
    struct file *file = NULL;

    if ((u32)fd >= table->max_fds)
        return false;
    bpf_probe_read_kernel(&file, sizeof(file), &table->fd[(u32)fd]);
    return file && file == sk->sk_socket->file;
}

struct vector_copy {
    struct scratch *scratch;
    const struct iovec *vector;
    u32 n;
    u32 wanted;
    u32 copied;
    bool failed;
};

/* One element of the vector; returns 1 to end the loop. */
static long copy_element(u32 i, void *arg)
{
    struct vector_copy *copy = arg;
    struct iovec element;
    u32 offset = copy->copied, n;

    if (i >= copy->n || offset >= copy->wanted || offset >= FT_CAPTURE_MAX)
        return 1;
    if (bpf_probe_read_user(&element, sizeof(element), &copy->vector[i])) {
        copy->failed = true;
        return 1;
    }
    n = copy->wanted - offset;
    if (element.iov_len < n)
        n = (u32)element.iov_len;
    if (n > FT_IOVEC_BYTES_MAX) {
        n = FT_IOVEC_BYTES_MAX;
        copy->n = 0; /* what follows would leave a hole */
    }
    n &= FT_IOVEC_BYTES_MAX;
    if (n == 0)
        return 0;
    if (bpf_probe_read_user(copy->scratch->data + (offset & (FT_CAPTURE_MAX - 1)), n,
                            element.iov_base)) {
        copy->failed = true;
        return 1;
    }
    copy->copied = offset + n;
    return 0;
}

static __always_inline u32 copy_vector(struct scratch *scratch, const struct iovec *vector,
                                       unsigned long n, u32 wanted, struct ft_counters *c)
{
    struct vector_copy copy = {
        .scratch = scratch, .vector = vector, .n = (u32)n, .wanted = wanted};

    bpf_loop(FT_IOVECS_MAX, copy_element, &copy, 0);
    if (copy.failed)
        count(c, FT_COPY_FAILED);
    return copy.copied;
}

static __always_inline u32 copy_message(struct scratch *scratch, const void *message, u32 wanted,
                                        struct ft_counters *c)
{
    struct user_msghdr header;

    if (bpf_probe_read_user(&header, sizeof(header), message)) {
        count(c, FT_COPY_FAILED);
        return 0;
    }
    return copy_vector(scratch, header.msg_iov, header.msg_iovlen, wanted, c);
}

static __always_inline u32 copy_flat(struct scratch *scratch, const void *buffer, u32 wanted,
                                     struct ft_counters *c)
{
    /* The barrier keeps the compiler from moving the check to where the verifier forgets it. */
    asm volatile("" : "+r"(wanted));
    if (wanted == 0 || wanted > FT_CAPTURE_MAX)
        return 0;
    if (bpf_probe_read_user(scratch->data, wanted, buffer)) {
        count(c, FT_COPY_FAILED);
        return 0;
    }
    return wanted;
}

/* Copies up to `wanted` (1 .. FT_CAPTURE_MAX) bytes of the operation; returns how many. */
static __always_inline u32 copy_bytes(struct scratch *scratch, const struct sock *sk,
                                      struct task_struct *task, enum ft_dir dir, u32 wanted,
                                      struct ft_counters *c)
{
    struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
    enum buffer_shape shape;

    if (task->flags & PF_KTHREAD) {
        count(c, FT_NOT_CAPTURED);
        return 0;
    }
    if (ARCH_TASK_IS_32BIT(task)) {
        count(c, FT_COMPAT_TASK);
        return 0;
    }
    shape = dir == FT_DIR_OUT ? arch_send_shape(ARCH_SYSCALL(regs))
                              : arch_receive_shape(ARCH_SYSCALL(regs));
    if (shape == BUFFER_NONE) {
        count(c, FT_NOT_CAPTURED);
        return 0;
    }
    if (!is_descriptor_of(task, ARCH_ARG1(regs), sk)) {
        count(c, FT_FOREIGN_BUFFER);
        return 0;
    }
    if (shape == BUFFER_FLAT)
        return copy_flat(scratch, (const void *)ARCH_ARG2(regs), wanted, c);
    if (shape == BUFFER_VECTOR)
        return copy_vector(scratch, (const struct iovec *)ARCH_ARG2(regs), ARCH_ARG3(regs), wanted,
                           c);
    return copy_message(scratch, (const void *)ARCH_ARG2(regs), wanted, c);
}
