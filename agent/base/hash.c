/* SPDX-License-Identifier: Apache-2.0 */
/* The byte-string hash; its contract stands in hash.h. */
#include "base/hash.h"

uint64_t hash_bytes(struct bytes b)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < b.len; i++)
        h = (h ^ b.ptr[i]) * 0x100000001b3u;
    return hash_mix(h);
}
