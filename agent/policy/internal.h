/* SPDX-License-Identifier: Apache-2.0 */
/* The compiled policy, as the files of this room see it. */
#pragma once

#include "policy/policy.h"

struct port_range {
    uint16_t first, last;
};

struct policy {
    struct string_list executables; /* glob patterns */
    struct string_list cgroups;     /* glob patterns */
    struct string_list query_keys;  /* parts of names */
    struct port_range *ports;
    size_t n_ports;
    uint32_t *netns;
    size_t n_netns;
};
