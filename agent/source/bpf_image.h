/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel side noted of the programs that processes run (bpf/process.bpf.h). */
#pragma once

#include "source/lookup.h"

struct flowtrace_bpf;

/* For lookup_start: `arg` is the skeleton, loaded. */
bool bpf_image_find(void *arg, const struct lookup_question *question,
                    struct lookup_image *ret_image);
