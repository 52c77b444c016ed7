/* SPDX-License-Identifier: Apache-2.0 */
/* Records of the kernel side's ring (bpf/record.h) as events: pure, and checked like all input. */
#pragma once

#include "bpf/record.h"
#include "span/event.h"

/*
 * One record, whole. The event points into `raw` and ret_facts. `boot_to_unix_ns` is what to add to
 * boot time. Returns 0 or -EBADMSG.
 */
int ring_record_decode(struct bytes raw, uint64_t boot_to_unix_ns, enum ft_kind *ret_kind,
                       struct event *ret_event, struct connection_facts *ret_facts);
