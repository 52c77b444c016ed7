/* SPDX-License-Identifier: Apache-2.0 */
/* What the backends answer. */
#pragma once

#include "config/settings.h"

/*
 * Sends one test span (service flowtrace-agent, name "flowtrace check") with each of the exporters
 * in the settings and prints, to standard output, what came of it. Returns 0 where all took it, or
 * a negative errno.
 */
int check_exports(const struct settings *settings);
