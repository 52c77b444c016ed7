/* SPDX-License-Identifier: Apache-2.0 */
/* The table of counters; see counters.h. */
#include "base/counters.h"

const struct counter_info counter_infos[COUNTER_COUNT] = {
#define X(name, class, help) {#name, COUNTER_##class, help},
    COUNTER_TABLE(X)
#undef X
};

uint64_t counters_sum(const struct counters *counters, enum counter_class class)
{
    uint64_t sum = 0;

    for (int i = 0; i < COUNTER_COUNT; i++)
        if (counter_infos[i].class == class)
            sum += counters_get(counters, (enum counter)i);
    return sum;
}
