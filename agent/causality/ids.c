/* SPDX-License-Identifier: Apache-2.0 */
/* Derived ids; the formula stands in ids.h. */
#include "causality/ids.h"

#include "base/hash.h"

enum salt { SALT_CLIENT = 0x636c6e74, SALT_SERVER = 0x73657276, SALT_TRACE_1 = 0x74726331,
            SALT_TRACE_2 = 0x74726332 };

static void store_be64(uint8_t *out, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (56 - 8 * i));
}

/* Never zero: a zero id means "none" to everyone. */
static uint64_t salted(uint64_t key, enum salt salt)
{
    uint64_t h = hash_pair(key, salt);

    return h ? h : 1;
}

uint64_t ids_key(uint64_t position, uint64_t other_start)
{
    return hash_pair(position, (uint32_t)other_start);
}

struct span_id ids_span(uint64_t key, enum span_kind kind)
{
    struct span_id id;

    store_be64(id.bytes, salted(key, kind == SPAN_KIND_SERVER ? SALT_SERVER : SALT_CLIENT));
    return id;
}

struct trace_id ids_trace(uint64_t key)
{
    struct trace_id id;

    store_be64(id.bytes, salted(key, SALT_TRACE_1));
    store_be64(id.bytes + 8, salted(key, SALT_TRACE_2));
    return id;
}
