/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 as protobuf demands it of text (Unicode 15, table 3-7: no overlong forms, no surrogates,
 * nothing above U+10FFFF), and the repair of what is not: each maximal part of an ill-formed
 * sequence becomes one U+FFFD (Unicode 15, section 3.9; the WHATWG decoder does the same).
 */
#pragma once

#include "base/bytes.h"

bool utf8_valid(struct bytes text);

/* The size that the repaired text has: text.len where there is nothing to repair, at most three
 * times that. */
size_t utf8_repaired_size(struct bytes text);

/* How many bytes at the start of `text` are its first n characters, as they are when repaired. */
size_t utf8_cut(struct bytes text, size_t n);

/* Writes the repaired text, utf8_repaired_size() bytes, to `out`. */
void utf8_repair(struct bytes text, uint8_t *out);
