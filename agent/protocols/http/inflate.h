/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small pieces that were compressed on their own (RFC 1952, gzip; RFC 1950, zlib), inflated in one
 * call to zlib, so that the output is its window, too:
 *
 *   scratch  [zlib's state ......][output ....]      memory from nowhere else, no more than this
 */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"

#define INFLATE_OUTPUT 4096

/*
 * False where `in` is not exactly one whole piece of either form with the right checksum, would
 * become longer than INFLATE_OUTPUT, or where the scratch has no room. ret_out lies in the scratch.
 */
bool inflate_piece(struct bytes in, struct arena *scratch, struct bytes *ret_out);
