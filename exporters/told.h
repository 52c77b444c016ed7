/* SPDX-License-Identifier: Apache-2.0 */
/* A loss that goes on: it is told when it begins, and then once a minute, with what came since. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct told {
    uint64_t at_ns; /* when it was told last; 0: never */
    uint64_t lost;  /* what was lost in all by then */
};

/*
 * Whether it is to be told now (CLOCK_MONOTONIC) that `lost` are lost in all; *ret_news then is how
 * many more that is than was told. Pure.
 */
bool told_due(struct told *told, uint64_t now_ns, uint64_t lost, uint64_t *ret_news);
