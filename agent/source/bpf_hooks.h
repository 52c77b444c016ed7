/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading and attaching the kernel side: which set of hooks does this kernel have? The sets are
 * tried from the best to the dearest; one body serves all (bpf/operation.bpf.h).
 */
#pragma once

#include "source/hooks.h"

struct flowtrace_bpf;
struct hooks;

/*
 * Loads the programs, attaches a set of hooks (options->hooks: "auto", or the set's name), and
 * marks the sockets that are older. Logs what failed and what to do. Returns 0 or a negative errno.
 */
int hooks_open(const struct source_options *options, struct hooks **ret_hooks);

/* Takes the hooks off; maps and programs stay until hooks_close. */
void hooks_detach(struct hooks *hooks);
void hooks_close(struct hooks *hooks); /* NULL is fine */

struct flowtrace_bpf *hooks_skeleton(const struct hooks *hooks);
const char *hooks_set_name(const struct hooks *hooks);

/* Runs that the kernel skipped because the hook was just running on that CPU. */
uint64_t hooks_recursions(const struct hooks *hooks);

/* All rows; hooks: NULL where nothing could be attached. Returns how many. */
size_t hooks_report(const struct hooks *hooks, struct hook_report *ret_reports);
