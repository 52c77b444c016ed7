/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What frames a chunk (RFC 9112, section 7.1), and what some servers take for it and others refuse:
 *
 *   5;name=value CR LF  hello  CR LF
 *   '---- line ------'         '-- end
 *
 * A size has any number of zeros before it, no sign, no "0x", and at most 63 bits.
 */
#pragma once

#include "protocols/http1/http1.h"

/* May a chunk's line begin with this byte? */
bool chunk_line_may_begin(uint8_t c);

/*
 * A chunk's line without its LF. False where the size cannot be known; otherwise ret_odd is what
 * others may refuse, or HTTP1_CLEAR. Blanks behind the size, and extensions, are passed over.
 */
bool chunk_line_read(struct bytes line, uint64_t *ret_size, enum http1_ambiguity *ret_odd);

/*
 * How many bytes end the chunk whose data is at the start of `rest`: two, where they are not there
 * also. One: an LF alone, which some take for an end. 0: what is there is no end.
 */
unsigned chunk_end_len(struct bytes rest, uint64_t size);
