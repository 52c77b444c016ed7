/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The bytes of the operation that has just ended, from the buffer of the system call in progress,
 * and only where that buffer is certainly this socket's. Functions that stand `apart`, here and in
 * operation.bpf.h, are not inlined: what is less frequent shares the 512 bytes of stack that way.
 */
#pragma once

#include "arch.h"
#include "batch.bpf.h"
#include "count.bpf.h"

#include <bpf/bpf_core_read.h>

#define IOVECS_WITHOUT_LOOP 4 /* before Linux 5.17, where the verifier walks each round */

/* Is the descriptor that the system call was given this socket's? */
static __always_inline bool is_descriptor_of(const struct task_struct *task, unsigned long fd,
                                             const struct sock *sk)
{
    const struct fdtable *table = task->files->fdt;
    struct file *file = NULL;

    if ((u32)fd >= table->max_fds)
        return false;
    bpf_probe_read_kernel(&file, sizeof(file), &table->fd[(u32)fd]);
    return file && file == (by_address ? BPF_CORE_READ(sk, sk_socket, file)
                                       : sk->sk_socket->file);
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
static __noinline long copy_element(u32 i, void *arg)
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

static __noinline u32 copy_vector(struct scratch *scratch, const struct iovec *vector,
                                  unsigned long n, u32 wanted, struct ft_counters *c)
{
    struct vector_copy copy = {
        .scratch = scratch, .vector = vector, .n = (u32)n, .wanted = wanted};

    if (bpf_core_enum_value_exists(enum bpf_func_id___later, BPF_FUNC_loop___later)) {
        bpf_loop(FT_IOVECS_MAX, copy_element, &copy, 0);
    } else {
        UNROLL
        for (u32 i = 0; i < IOVECS_WITHOUT_LOOP; i++)
            if (copy_element(i, &copy))
                break;
    }
    if (copy.failed)
        count(c, FT_COPY_FAILED);
    return copy.copied;
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

/* Where the bytes are in user space. */
struct user_buffer {
    enum buffer_shape shape; /* NONE, FLAT or VECTOR */
    const void *base;
    unsigned long n;            /* VECTOR: elements */
    const void *name;           /* the address that a send was given, or NULL */
    u32 name_len;
};

static __always_inline bool read_message(const void *message, struct user_buffer *buffer,
                                         struct ft_counters *c)
{
    struct user_msghdr header;

    if (bpf_probe_read_user(&header, sizeof(header), message)) {
        count(c, FT_COPY_FAILED);
        return false;
    }
    buffer->shape = BUFFER_VECTOR;
    buffer->base = header.msg_iov;
    buffer->n = header.msg_iovlen;
    buffer->name = header.msg_name;
    buffer->name_len = header.msg_namelen;
    return true;
}

static __always_inline void resolve(const struct operation *op, const struct pt_regs *regs,
                                    enum ft_dir dir, struct user_buffer *buffer,
                                    struct ft_counters *c)
{
    enum buffer_shape shape = dir == FT_DIR_OUT ? arch_send_shape(ARCH_SYSCALL(regs))
                                                    : arch_receive_shape(ARCH_SYSCALL(regs));
    const struct user_mmsghdr *messages;
    long index;

    switch (shape) {
    case BUFFER_NONE:
        count(c, FT_NOT_CAPTURED);
        return;
    case BUFFER_ADDRESS:
        buffer->name = (const void *)ARCH_ARG5(regs);
        buffer->name_len = (u32)ARCH_ARG6(regs);
        if (dir == FT_DIR_IN && (!by_address || !buffer->name ||
                                 bpf_probe_read_user(&buffer->name_len, sizeof(buffer->name_len),
                                                     (const void *)ARCH_ARG6(regs))))
            buffer->name = NULL; /* not written yet */
        shape = BUFFER_FLAT;
        break;
    case BUFFER_MESSAGE:
        read_message((const void *)ARCH_ARG2(regs), buffer, c);
        return;
    case BUFFER_MESSAGES:
        index = by_address ? op->index : batch_index(op, regs, dir);
        messages = (const struct user_mmsghdr *)ARCH_ARG2(regs);
        if (index < 0)
            count(c, FT_UNKNOWN_MESSAGE);
        else
            read_message(&messages[index].message, buffer, c);
        return;
    default:
        break;
    }
    buffer->shape = shape;
    buffer->base = (const void *)ARCH_ARG2(regs);
    buffer->n = ARCH_ARG3(regs);
}

/* The user's buffer, if it is certainly this socket's; else shape NONE, the reason counted. */
static __always_inline void find_buffer(const struct operation *op, enum ft_dir dir,
                                        struct user_buffer *buffer, struct ft_counters *c)
{
    struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(op->task);

    buffer->shape = BUFFER_NONE;
    buffer->name = NULL;
    if (op->task->flags & PF_KTHREAD)
        count(c, FT_NOT_CAPTURED);
    else if (ARCH_TASK_IS_32BIT(op->task))
        count(c, FT_COMPAT_TASK);
    else if (!is_descriptor_of(op->task, ARCH_ARG1(regs), op->sk))
        count(c, arch_send_shape(ARCH_SYSCALL(regs)) || arch_receive_shape(ARCH_SYSCALL(regs))
                     ? FT_FOREIGN_BUFFER : FT_NOT_CAPTURED);
    else
        resolve(op, regs, dir, buffer, c);
}

static __noinline void find_buffer_apart(const struct operation *op, enum ft_dir dir,
                                         struct user_buffer *buffer, struct ft_counters *c)
{
    find_buffer(op, dir, buffer, c);
}

/* Copies up to `wanted` (1 .. FT_CAPTURE_MAX) bytes of the operation; returns how many. */
static __always_inline u32 copy_bytes(struct scratch *scratch, const struct user_buffer *buffer,
                                      u32 wanted, struct ft_counters *c)
{
    if (buffer->shape == BUFFER_FLAT)
        return copy_flat(scratch, buffer->base, wanted, c);
    if (buffer->shape == BUFFER_VECTOR)
        return copy_vector(scratch, buffer->base, buffer->n, wanted, c);
    return 0;
}
