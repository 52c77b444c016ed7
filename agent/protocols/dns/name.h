/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Domain names in messages (RFC 1035 sections 3.1 and 4.1.4): labels, and pointers to the rest of an
 * earlier name. A pointer is followed only to before where its own part began, so no loop is one.
 *
 *   3 w w w 7 e x a m p l e 0        3 f t p (to offset 16)
 */
#pragma once

#include "base/arena.h"

#define DNS_NAME_BYTES 255  /* of a whole name, without pointers */
#define DNS_NAME_TEXT 1024  /* of it as text, where each byte may need four */
#define DNS_CUT SIZE_MAX

/* The offset behind the name at `at`; 0: it is none; DNS_CUT: the bytes end in it. */
size_t dns_name_end(struct bytes message, size_t at);

/*
 * The name at `at` as text (RFC 1035 section 5.1): "www.example.com", the root as ".", a dot in a
 * label as "\.", what is not printable as "\007". Writes at most DNS_NAME_TEXT bytes to `out`, and
 * returns their end, or NULL: it is none.
 */
uint8_t *dns_name_put(struct bytes message, size_t at, uint8_t *out);

/* The same in the arena; empty where it is none or the arena is full. */
struct bytes dns_name_text(struct bytes message, size_t at, struct arena *arena);
