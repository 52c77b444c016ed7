/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records into the ring, and the doorbell. */
#pragma once

#include "batch.bpf.h"

#define FILL_LOOK 16 /* records between two looks at how full the ring is */


/*
 * Waking costs the traced program microseconds: only who asked for it is woken, and once. How full
 * the ring is need not be known to the record: every FILL_LOOK-th asks.
 */
static __always_inline u64 wake_flags(const struct ft_counters *c)
{
    u32 asked = doorbell;

    if (asked == FT_DOORBELL_AWAKE)
        return BPF_RB_NO_WAKEUP;
    if (asked == FT_DOORBELL_NAPPING &&
        (c->values[FT_OPERATIONS] % FILL_LOOK ||
         bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) < ring_fill_mark))
        return BPF_RB_NO_WAKEUP;
    if (__sync_val_compare_and_swap(&doorbell, asked, FT_DOORBELL_AWAKE) != asked)
        return BPF_RB_NO_WAKEUP;
    return BPF_RB_FORCE_WAKEUP;
}

static __always_inline void fill_record(const struct operation *op, enum ft_dir dir,
                                        u64 connection, u64 position, struct ft_record *record)
{
    record->kind = FT_KIND_DATA;
    record->dir = dir;
    record->reserved = 0;
    record->time_ns = bpf_ktime_get_boot_ns();
    record->connection = connection;
    record->process_start_ns = op->task->group_leader->start_boottime;
    record->position = position;
    record->tgid = op->task->tgid;
    record->tid = op->task->pid;
    record->length = op->length;
    record->captured = 0;
}

static __always_inline void output(struct scratch *scratch, bool with_facts,
                                   struct ft_counters *c)
{
    u32 captured = scratch->record.captured;
    u64 flags = wake_flags(c);
    long r;

    if (captured > FT_CAPTURE_MAX) {
        count(c, FT_NO_RECORD);
        return;
    }
    if (with_facts)
        r = bpf_ringbuf_output(&ring, &scratch->facts,
                               sizeof(struct ft_facts) + sizeof(struct ft_record) + captured,
                               flags);
    else
        r = bpf_ringbuf_output(&ring, &scratch->record, sizeof(struct ft_record) + captured,
                               flags);
    count(c, r ? FT_RING_FULL : FT_RECORDS);
}
