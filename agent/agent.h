/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of the agent: the rooms wired together.
 *
 *   source (bpf | pcap | replay) --event--> [recorder] --> pipeline --batch--> workers (exporters)
 *                        ^-----------verdict----------'
 */
#pragma once

#include "config/settings.h"

struct source_ops;

/*
 * Traces this host until SIGTERM or SIGINT; then delivers what it holds and prints the totals to
 * standard error. Logs what fails. Returns 0 or a negative errno.
 */
int agent_run(const struct settings *settings);

/* The same with what `source` reads from `file`, until its end. */
int agent_play(const struct settings *settings, const struct source_ops *source, const char *file);
