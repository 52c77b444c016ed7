/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of the agent: the rooms wired together.
 *
 *   source (bpf | replay) --event--> [recorder] --> pipeline --batch--> workers (exporters)
 *                 ^------------------verdict----------'
 */
#pragma once

#include "config/settings.h"

/*
 * Runs until SIGTERM or SIGINT, or, with `recording`, until the recording ends; then delivers what
 * it holds and prints the totals to standard error. Logs what fails. Returns 0 or a negative errno.
 */
int agent_run(const struct settings *settings, const char *recording);
