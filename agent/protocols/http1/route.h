/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A path with few values, for span names: what looks like a value becomes {}.
 *
 *   /shops/17/orders/9f86d081884c/lines     /shops/{}/orders/{}/lines
 *   /v2/users/4711                          /v2/users/{}
 *
 * The rule: what stands behind a ';' in a segment is left out, and the rest is a value if it
 *
 *   - has a digit, and more than 5 bytes or more digits than half of them: numbers, UUIDs, most
 *     hashes, dates, but not "v2", "s3", "utf8"
 *   - has at least 16 bytes, all of them hex digits: a hash without a digit
 *   - has a byte that words do not have: '%', '@', '=', '+', ',' or one beyond ASCII
 *   - has more than 40 bytes
 */
#pragma once

#include "base/bytes.h"

#define ROUTE_MAX 256

/* Writes the route of `path` and returns its length. Ends before the segment that has no room. */
size_t route_write(struct bytes path, uint8_t out[ROUTE_MAX]);
