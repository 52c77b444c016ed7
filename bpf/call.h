/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Registers at the entry of a user function and where it returns: the C calling conventions (System
 * V AMD64, AAPCS64), and Go's (ABIInternal: src/cmd/compile/abi-internal.md of the Go sources).
 */
#pragma once

#include "kernel.h"

#if defined(__TARGET_ARCH_x86)

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct pt_regs___call {
    unsigned long ax;
    unsigned long bx;
    unsigned long cx;
    unsigned long dx;
    unsigned long si;
    unsigned long di;
    unsigned long sp;
    unsigned long r14;
};
#pragma clang attribute pop

#define CALL_ARG1(regs) ((regs)->di)
#define CALL_ARG2(regs) ((regs)->si)
#define CALL_ARG3(regs) ((regs)->dx)
#define CALL_ARG4(regs) ((regs)->cx)
#define CALL_RESULT(regs) ((regs)->ax)
#define CALL_STACK(regs) ((regs)->sp)
#define CALL_RETURN_POPS 8 /* the return address */

#define GO_ARG1(regs) ((regs)->ax)
#define GO_ARG2(regs) ((regs)->bx)
#define GO_ARG3(regs) ((regs)->cx)
#define GO_ARG4(regs) ((regs)->di)
#define GO_RESULT(regs) ((regs)->ax)
#define GO_GOROUTINE(regs) ((regs)->r14)

#elif defined(__TARGET_ARCH_arm64)

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct pt_regs___call {
    u64 regs[31];
    u64 sp;
};
#pragma clang attribute pop

#define CALL_ARG1(r) ((r)->regs[0])
#define CALL_ARG2(r) ((r)->regs[1])
#define CALL_ARG3(r) ((r)->regs[2])
#define CALL_ARG4(r) ((r)->regs[3])
#define CALL_RESULT(r) ((r)->regs[0])
#define CALL_STACK(r) ((r)->sp)
#define CALL_RETURN_POPS 0

#define GO_ARG1(r) ((r)->regs[0])
#define GO_ARG2(r) ((r)->regs[1])
#define GO_ARG3(r) ((r)->regs[2])
#define GO_ARG4(r) ((r)->regs[3])
#define GO_RESULT(r) ((r)->regs[0])
#define GO_GOROUTINE(r) ((r)->regs[28])

#else
#error "this architecture has no calling convention here yet"
#endif
