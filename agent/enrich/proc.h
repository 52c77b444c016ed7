/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of /proc (proc(5)) that process_read needs, and their parts: pure functions. */
#pragma once

#include "base/bytes.h"

/* Field 22 of /proc/PID/stat, in clock ticks since boot. Returns 0 or -EINVAL. */
int proc_parse_start(struct bytes stat, uint64_t *ret_ticks);

/*
 * The path in /proc/PID/cgroup: that of the unified hierarchy ("0::/path"), or where this is the
 * root, the first of the others that is not ("7:cpu,cpuacct:/path"). Empty where there is none.
 */
struct bytes proc_cgroup_path(struct bytes cgroup);

/* The next of NUL-separated strings; `*rest` is what stands behind it. */
struct bytes proc_next_string(struct bytes *rest);

/* The value of NAME in an environment, or empty. */
struct bytes proc_environment(struct bytes environment, struct bytes name);

/* What stands behind the last slash. */
struct bytes proc_file_name(struct bytes path);
