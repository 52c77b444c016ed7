/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hooks of the kernel side as people see them: which there are, what each one sees and costs,
 * and what is not seen without it. Free of libbpf, for the check command.
 */
#pragma once

#include "source/source.h"

#define HOOKS_MAX 32

/* The oldest kernel: socket storage and current_task_btf in tracing programs. */
#define SOURCE_BPF_FLOOR_MAJOR 5
#define SOURCE_BPF_FLOOR_MINOR 15

enum hook_state {
    HOOK_ATTACHED,
    HOOK_UNUSED,  /* a better one does its work, or the settings leave it out */
    HOOK_MISSING, /* it would be used, but this kernel does not let it */
};

struct hook_report {
    char name[48]; /* the section: "tp_btf/sock_send_length" */
    enum hook_state state;
    bool required;
    const char *sees;
    const char *cost; /* whom it costs something */
    const char *lost; /* what is not seen without it */
    uint64_t verified; /* instructions that the verifier went through; 0: not loaded, not told */
};

/*
 * Attaches the hooks for a moment. Logs what failed and what to do. Returns 0 where the source can
 * run, or a negative errno; the reports are written in both cases, *ret_n of them, at most
 * HOOKS_MAX.
 */
int source_bpf_check(const struct source_options *options, struct hook_report *ret_reports,
                     size_t *ret_n);
