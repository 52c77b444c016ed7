/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The counters of this CPU: no path of the kernel side ends uncounted. */
#pragma once

#include "maps.h"

static __always_inline struct ft_counters *this_cpu_counters(void)
{
    u32 zero = 0;

    return bpf_map_lookup_elem(&counters, &zero);
}

static __always_inline void count(struct ft_counters *c, enum ft_counter id)
{
    c->values[id]++;
}
