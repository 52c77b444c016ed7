/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IP fragments (RFC 791 section 3.2, RFC 8200 section 4.5) until all of a datagram are there. A few
 * datagrams at a time; the oldest gives way. Overlapping fragments do not occur in honest traffic
 * (RFC 5722): their datagram is given up.
 */
#pragma once

#include "base/bytes.h"

struct fragments;

struct fragment {
    uint8_t source[16];
    uint8_t destination[16];
    uint32_t id;
    uint8_t transport;
    bool last;
    size_t offset;      /* in the datagram's payload, bytes */
    struct bytes data;  /* all of it: a fragment that is cut is of no use */
};

/* Returns 0 or -ENOMEM. */
int fragments_new(struct fragments **ret_fragments);
void fragments_free(struct fragments *fragments); /* NULL is fine */

/*
 * True: the datagram is complete, and *ret_datagram is its payload, valid until the next call.
 */
bool fragments_add(struct fragments *fragments, const struct fragment *fragment,
                   struct bytes *ret_datagram);

/* Datagrams that never became complete and had to give way, or contradicted themselves. */
uint64_t fragments_lost(const struct fragments *fragments);
