/* SPDX-License-Identifier: Apache-2.0 */
/* When a loss is told; the contract stands in told.h. */
#include "exporters/told.h"

#include "base/clock.h"

#define TELL_NS (60 * NS_PER_S)

bool told_due(struct told *told, uint64_t now_ns, uint64_t lost, uint64_t *ret_news)
{
    if (told->at_ns && now_ns - told->at_ns < TELL_NS)
        return false;
    *ret_news = lost - told->lost;
    *told = (struct told){now_ns, lost};
    return true;
}
