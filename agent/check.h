/* SPDX-License-Identifier: Apache-2.0 */
/* What this host allows. */
#pragma once

#include "config/settings.h"

/*
 * Prints, to standard output, whether this host can be traced and what is missing. Loads and
 * attaches the hooks for a moment. Returns 0 where `run` would work, or a negative errno.
 */
int check_host(const struct settings *settings);
