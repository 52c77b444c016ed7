/* SPDX-License-Identifier: Apache-2.0 */
/* HPACK's static table (RFC 7541, appendix A). */
#pragma once

#include "base/bytes.h"

#define STATIC_TABLE_LEN 61

struct static_row {
    uint8_t name;     /* names.h */
    uint8_t name_len; /* in bytes */
    struct bytes value;
};

/* Row i has the index i + 1. */
extern const struct static_row static_table[STATIC_TABLE_LEN];
