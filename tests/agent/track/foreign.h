/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conversations of what no protocol of this build is, written by hand from specifications: both
 * sides, so that a connection may be joined midway. A chunk is text, with so many random bytes behind
 * it. recorded.h has others, which real programs had.
 */
#pragma once

#include "base/bytes.h"
#include "protocols/protocol.h"

struct foreign_chunk {
    enum sender sender;
    struct bytes bytes;
    unsigned n_random;
};

/* Where a protocol of the build has this name, it may be taken for that. */
struct foreign {
    const char *name;
    const struct foreign_chunk *chunks;
    size_t n_chunks;
};

extern const struct foreign foreigners[];
extern const size_t n_foreigners;
