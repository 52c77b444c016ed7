/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What user space wants of a connection. */
#pragma once

#include "maps.h"

/*
 * Bytes wanted of an operation on this connection. 0: no record at all, for the reason that is
 * counted under *ret_why.
 */
static __always_inline u32 head_wanted(struct sock_state *state, u64 id, enum ft_counter *ret_why)
{
    u32 slot = ft_verdict_slot(id);
    struct ft_verdict *verdict = bpf_map_lookup_elem(&verdicts, &slot);
    u64 what;

    if (state->own) {
        *ret_why = FT_OWN;
        return 0;
    }
    if (!verdict || verdict->id != id)
        return capture_head;
    what = verdict->what;
    switch (what >> 32) {
    case FT_VERDICT_IGNORE:
        *ret_why = FT_IGNORED;
        return 0;
    case FT_VERDICT_GIVE_UP:
        *ret_why = FT_GIVEN_UP;
        return 0;
    case FT_VERDICT_HEAD:
        return (u32)what;
    case FT_VERDICT_DESCRIBE:
        verdict->what = 0;
        state->tgid = 0;
        return capture_head;
    default:
        return capture_head;
    }
}
