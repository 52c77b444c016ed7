/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two 64-bit hashes. Both are part of the wire contract (derived ids): never change their results.
 * hash_mix is the SplitMix64 finalizer (Steele, Lea, Flood 2014); hash_bytes is FNV-1a, finalized.
 */
#pragma once

#include "base/bytes.h"

/* A bijection that spreads every input bit over all output bits. */
static inline uint64_t hash_mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* Order matters: hash_pair(a, b) != hash_pair(b, a). */
static inline uint64_t hash_pair(uint64_t a, uint64_t b)
{
    return hash_mix(hash_mix(a) ^ b);
}

uint64_t hash_bytes(struct bytes b);
