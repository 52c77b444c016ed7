/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Registers and system call numbers of the architectures: which buffer does the system call in
 * progress use? `regs` is what bpf_task_pt_regs() gives. Sources: the kernel's syscall_64.tbl and
 * asm-generic/unistd.h, and the calling conventions of entry_64.S and entry.S.
 */
#pragma once

#include "kernel.h"

enum buffer_shape {
    BUFFER_NONE,     /* no user buffer, or a call that is not known */
    BUFFER_FLAT,     /* (fd, buffer, length) */
    BUFFER_ADDRESS,  /* (fd, buffer, length, flags, address, its length or where that is) */
    BUFFER_VECTOR,   /* (fd, struct iovec *, count, ...) */
    BUFFER_MESSAGE,  /* (fd, struct user_msghdr *, ...) */
    BUFFER_MESSAGES, /* (fd, struct user_mmsghdr *, count, flags, timeout) */
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#if defined(__TARGET_ARCH_x86)

struct pt_regs {
    unsigned long orig_ax;
    unsigned long ax;
    unsigned long di;
    unsigned long si;
    unsigned long dx;
    unsigned long r10;
    unsigned long r8;
    unsigned long r9;
};

#define ARCH_SYSCALL(regs) ((regs)->orig_ax)
#define ARCH_ARG1(regs) ((regs)->di)
#define ARCH_ARG2(regs) ((regs)->si)
#define ARCH_ARG3(regs) ((regs)->dx)
#define ARCH_ARG4(regs) ((regs)->r10)
#define ARCH_ARG5(regs) ((regs)->r8)
#define ARCH_ARG6(regs) ((regs)->r9)
#define ARCH_TASK_IS_32BIT(task) ((task)->thread_info.status & 0x2) /* TS_COMPAT */

enum {
    NR_READ = 0,
    NR_WRITE = 1,
    NR_READV = 19,
    NR_WRITEV = 20,
    NR_SENDTO = 44,
    NR_RECVFROM = 45,
    NR_SENDMSG = 46,
    NR_RECVMSG = 47,
    NR_RECVMMSG = 299,
    NR_SENDMMSG = 307,
    NR_PREADV2 = 327,
    NR_PWRITEV2 = 328,
};

#elif defined(__TARGET_ARCH_arm64)

struct pt_regs {
    u64 regs[31];
    u64 orig_x0; /* the first argument: regs[0] becomes the result */
    s32 syscallno;
};

#define ARCH_SYSCALL(r) ((unsigned long)(r)->syscallno)
#define ARCH_ARG1(r) ((r)->orig_x0)
#define ARCH_ARG2(r) ((r)->regs[1])
#define ARCH_ARG3(r) ((r)->regs[2])
#define ARCH_ARG4(r) ((r)->regs[3])
#define ARCH_ARG5(r) ((r)->regs[4])
#define ARCH_ARG6(r) ((r)->regs[5])
#define ARCH_TASK_IS_32BIT(task) ((task)->thread_info.flags & (1u << 22)) /* TIF_32BIT */

enum {
    NR_READ = 63,
    NR_WRITE = 64,
    NR_READV = 65,
    NR_WRITEV = 66,
    NR_SENDTO = 206,
    NR_RECVFROM = 207,
    NR_SENDMSG = 211,
    NR_RECVMSG = 212,
    NR_RECVMMSG = 243,
    NR_SENDMMSG = 269,
    NR_PREADV2 = 286,
    NR_PWRITEV2 = 287,
};

#else
#error "this architecture has no registers here yet"
#endif
#pragma clang attribute pop

static __always_inline enum buffer_shape arch_send_shape(unsigned long nr)
{
    switch (nr) {
    case NR_WRITE:
        return BUFFER_FLAT;
    case NR_SENDTO:
        return BUFFER_ADDRESS;
    case NR_WRITEV:
    case NR_PWRITEV2:
        return BUFFER_VECTOR;
    case NR_SENDMSG:
        return BUFFER_MESSAGE;
    case NR_SENDMMSG:
        return BUFFER_MESSAGES;
    default:
        return BUFFER_NONE;
    }
}

static __always_inline enum buffer_shape arch_receive_shape(unsigned long nr)
{
    switch (nr) {
    case NR_READ:
        return BUFFER_FLAT;
    case NR_RECVFROM:
        return BUFFER_ADDRESS;
    case NR_READV:
    case NR_PREADV2:
        return BUFFER_VECTOR;
    case NR_RECVMSG:
        return BUFFER_MESSAGE;
    case NR_RECVMMSG:
        return BUFFER_MESSAGES;
    default:
        return BUFFER_NONE;
    }
}
