/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What user space wants of a connection. */
#pragma once

#include "maps.h"

/*
 * Bytes wanted of an operation on the connection of this id. 0: no record at all, for the reason
 * that is counted under *ret_why. Clears *told where user space wants the facts again.
 */
static __always_inline u32 verdict_of(u64 id, u32 *told, enum ft_counter *ret_why)
{
    u32 slot = ft_verdict_slot(id);
    struct ft_verdict *verdict = bpf_map_lookup_elem(&verdicts, &slot);
    u64 what;

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
    case FT_VERDICT_CIPHER_TEXT:
        *ret_why = FT_CIPHER_TEXT;
        return 0;
    case FT_VERDICT_HEAD:
        return (u32)what;
    case FT_VERDICT_DESCRIBE:
        verdict->what = 0;
        *told = 0;
        return capture_head;
    default:
        return capture_head;
    }
}

static __always_inline u32 head_wanted(struct sock_state *state, u64 id, enum ft_counter *ret_why)
{
    if (state->own) {
        *ret_why = FT_OWN;
        return 0;
    }
    return verdict_of(id, &state->tgid, ret_why);
}
