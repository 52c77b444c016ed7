/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A path with few values, for span names: what looks like a value becomes {}.
 *
 *   /shops/17/orders/9f86d081884c/lines     /shops/{}/orders/{}/lines
 *   /v2/users/4711                          /v2/users/{}
 *
 * The rule, per segment: a value contains a digit, and is longer than 5 bytes or consists of digits
 * by more than half. That covers numbers, UUIDs and hex hashes, and spares "v2", "s3", "utf8".
 */
#pragma once

#include "base/bytes.h"

#define ROUTE_MAX 256

/* Writes the route of `path` and returns its length. Ends before the segment that has no room. */
size_t route_write(struct bytes path, uint8_t out[ROUTE_MAX]);
