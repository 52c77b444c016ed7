/* SPDX-License-Identifier: Apache-2.0 */
/* What this host allows. */
#pragma once

#include "config/settings.h"

/*
 * Prints, to standard output, whether this host can be traced: kernel, BTF, capabilities, and each
 * hook with its state, whom it costs something, and what is lost without what is missing. `json`:
 * {"traceable", "rows": [{"section", "name", "state", "detail", "cost", "lost", "verified"}]}, the
 * last being the instructions that the verifier went through. Loads and attaches the hooks for a
 * moment. Returns 0 where `run` would work, or a negative errno.
 */
int check_host(const struct settings *settings, bool json);
