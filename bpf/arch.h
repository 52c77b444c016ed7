/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Registers and system call numbers of the architectures: which buffer does the system call in
 * progress use? `regs` is what bpf_task_pt_regs() gives. Sources: the kernel's syscall_64.tbl and
 * asm-generic/unistd.h, and the calling conventions of entry_64.S and entry.S.
 */
#pragma once

#include "kernel.h"

enum buffer_shape {
    BUFFER_NONE,    /* no user buffer, or a call that is not known */
    BUFFER_FLAT,    /* (fd, buffer, ...) */
    BUFFER_VECTOR,  /* (fd, struct iovec *, count, ...) */
    BUFFER_MESSAGE, /* (fd, struct user_msghdr *, ...) */
};

#if defined(__TARGET_ARCH_x86)

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct pt_regs {
    unsigned long orig_ax;
    unsigned long di;
    unsigned long si;
    unsigned long dx;
};
#pragma clang attribute pop

#define ARCH_SYSCALL(regs) ((regs)->orig_ax)
#define ARCH_ARG1(regs) ((regs)->di)
#define ARCH_ARG2(regs) ((regs)->si)
#define ARCH_ARG3(regs) ((regs)->dx)
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
};

#else
#error "this architecture has no registers here yet"
#endif

static __always_inline enum buffer_shape arch_send_shape(unsigned long nr)
{
    switch (nr) {
    case NR_WRITE:
    case NR_SENDTO:
        return BUFFER_FLAT;
    case NR_WRITEV:
        return BUFFER_VECTOR;
    case NR_SENDMSG:
        return BUFFER_MESSAGE;
    default:
        return BUFFER_NONE;
    }
}

static __always_inline enum buffer_shape arch_receive_shape(unsigned long nr)
{
    switch (nr) {
    case NR_READ:
    case NR_RECVFROM:
        return BUFFER_FLAT;
    case NR_READV:
        return BUFFER_VECTOR;
    case NR_RECVMSG:
        return BUFFER_MESSAGE;
    default:
        return BUFFER_NONE;
    }
}
