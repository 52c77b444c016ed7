/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Huffman code of HPACK (RFC 7541, section 5.2 and appendix B). It is canonical: codes of one
 * length are consecutive numbers, in the order of their symbols, so that two small tables hold it.
 */
#pragma once

#include "base/bytes.h"

/* No string decodes to more bytes than this: the shortest code has five bits. */
#define HUFFMAN_BOUND(len) ((len) * 8 / 5 + 1)

/*
 * Decodes `in`; the first `size` bytes go to `out`, which may be NULL with a size of 0. ret_len is
 * the length of all. False where `in` is no valid string: a wrong padding, or the code for its end.
 */
bool huffman_decode(struct bytes in, uint8_t *out, size_t size, size_t *ret_len);
