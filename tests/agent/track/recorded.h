/* SPDX-License-Identifier: Apache-2.0 */
/* What real servers and clients of foreign protocols said: the files that recorded/make writes. */
#pragma once

#include "foreign.h"

/* All of the folder, by name; the caller has them to the end. Fails the test where there are none. */
const struct foreign *recorded_read(const char *folder, size_t *ret_n);
