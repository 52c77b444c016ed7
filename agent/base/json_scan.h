/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look at JSON before it is parsed: libraries allocate for each value, so that a few megabytes of
 * "0,0,0" become a hundred. What passes is bounded in depth and values; whether it is JSON, the
 * library says.
 */
#pragma once

#include "base/bytes.h"

/* At most `depth` lists and objects within each other, at most `values` values and members. */
bool json_is_bounded(struct bytes json, unsigned depth, size_t values);
