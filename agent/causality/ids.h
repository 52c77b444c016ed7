/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Derived ids: what both ends of a TCP connection see alike, hashed. Part of the wire contract: two
 * agents of different versions must agree, so results never change.
 *
 *   key      = H(position of the request's first byte, start of the other direction)
 *   CLIENT   = H(key, "clnt")    SERVER = H(key, "serv")    trace = H(key, "trc1") H(key, "trc2")
 *
 * Positions survive address translation, which rewrites addresses and ports but not sequence
 * numbers. The low 32 bits of `other_start` are used: the accepting end's own, which the opener
 * reads as the start of what it receives.
 */
#pragma once

#include "span/span.h"

uint64_t ids_key(uint64_t position, uint64_t other_start);
struct span_id ids_span(uint64_t key, enum span_kind kind);
struct trace_id ids_trace(uint64_t key);
