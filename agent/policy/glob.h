/* SPDX-License-Identifier: Apache-2.0 */
/* Glob patterns on byte strings: `*` (also across `/`), `?`, `[...]`, as fnmatch(3) has them. */
#pragma once

#include "base/bytes.h"

/* Text that is longer than a path may be, or that holds a NUL, matches nothing. */
bool glob_matches(const char *pattern, struct bytes text);
