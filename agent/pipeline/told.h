/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What addresses are called in a capture: the names that somebody asked for, by the addresses that
 * were the answer. Bounded, least recently used out first; of two names the later one.
 */
#pragma once

#include "base/bytes.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/table.h"
#include "span/span.h"

#define TOLD_MAX 4096
#define TOLD_NAME_MAX 255 /* a longer one is no host's */

struct told {
    struct table table;
    struct pool pool;
    struct list lru;
};

int told_init(struct told *told);
void told_done(struct told *told);

/* Learns from a span that tells a name and its addresses. */
void told_learn(struct told *told, const struct span *span);

/* The name of the address (IPv4 as ::ffff:a.b.c.d), valid until the next told_learn; or empty. */
struct bytes told_name(struct told *told, const uint8_t address[16]);
