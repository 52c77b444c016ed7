/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One send or receive that has just ended: counted, judged, recorded. */
#pragma once

#include "bytes.bpf.h"
#include "connection.bpf.h"
#include "facts.bpf.h"
#include "ring.bpf.h"
#include "verdict.bpf.h"

static __always_inline void fill_record(struct ft_record *record, const struct sock_state *state,
                                        enum ft_dir dir, u64 position, u32 length,
                                        const struct task_struct *task)
{
    record->kind = FT_KIND_DATA;
    record->dir = dir;
    record->reserved = 0;
    record->time_ns = bpf_ktime_get_boot_ns();
    record->connection = state->id;
    record->process_start_ns = task->group_leader->start_boottime;
    record->position = position;
    record->tgid = task->tgid;
    record->tid = task->pid;
    record->length = length;
    record->captured = 0;
}

static __always_inline void record_operation(struct sock *sk, struct sock_state *state,
                                             enum ft_dir dir, u64 position, u32 length, int flags,
                                             u32 head, struct task_struct *task,
                                             struct ft_counters *c)
{
    u32 key = dir, wanted = length < head ? length : head;
    struct scratch *scratch = bpf_map_lookup_elem(&scratches, &key);
    bool with_facts = state->tgid != task->tgid;

    if (!scratch) {
        count(c, FT_NO_RECORD);
        return;
    }
    fill_record(&scratch->record, state, dir, position, length, task);
    if (with_facts) {
        fill_facts(sk, state, task->group_leader, &scratch->facts);
        state->tgid = task->tgid;
    }
    if (flags & (MSG_TRUNC | MSG_OOB | MSG_ERRQUEUE))
        count(c, FT_BAD_FLAGS);
    else
        scratch->record.captured = copy_bytes(scratch, sk, task, dir, wanted, c);
    output(scratch, with_facts, c);
}

/*
 * The short ways out come first, the cheapest question before the dearer one: an operation that
 * nobody wants costs one look-up of the socket's storage and one of its verdict.
 */
static __always_inline int handle_operation(struct sock *sk, int moved, int flags, enum ft_dir dir)
{
    struct ft_counters *c = this_cpu_counters();
    struct task_struct *task = bpf_get_current_task_btf();
    enum ft_counter why = FT_IGNORED;
    struct sock_state *state;
    struct tcp_sock *tp;
    u64 position;
    u32 head;

    if (!c)
        return 0;
    count(c, FT_OPERATIONS);
    if (task->tgid == own_tgid)
        why = FT_OWN;
    else if (moved <= 0)
        why = FT_NO_BYTES;
    else if (sk->sk_protocol != IPPROTO_TCP)
        why = FT_NOT_TCP;
    else if (flags & MSG_PEEK)
        why = FT_PEEKED;
    if (why != FT_IGNORED) {
        count(c, why);
        return 0;
    }
    state = find_connection(sk, c);
    if (!state) {
        count(c, FT_NO_STORAGE);
        return 0;
    }
    head = head_wanted(state, &why);
    if (head == 0) {
        count(c, why);
        return 0;
    }
    tp = bpf_skc_to_tcp_sock(sk);
    if (!tp) {
        count(c, FT_NO_STORAGE);
        return 0;
    }
    position = advance(state, dir, end_sequence(sk, tp, dir), moved);
    record_operation(sk, state, dir, position, moved, flags, head, task, c);
    return 0;
}
