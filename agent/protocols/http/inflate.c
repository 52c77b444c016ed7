/* SPDX-License-Identifier: Apache-2.0 */
/* zlib with its memory taken from an arena; the idea stands in inflate.h. */
#include "protocols/http/inflate.h"

#include <zlib.h>

#define EITHER_FORM (MAX_WBITS + 32) /* zlib.h: the header tells gzip from zlib */

static voidpf take(voidpf scratch, uInt n, uInt size)
{
    return arena_alloc(scratch, (size_t)n * size);
}

static void give_back(voidpf scratch, voidpf memory)
{
}

bool inflate_piece(struct bytes in, struct arena *scratch, struct bytes *ret_out)
{
    uint8_t *out = arena_alloc(scratch, INFLATE_OUTPUT);
    z_stream stream = {
        .zalloc = take,
        .zfree = give_back,
        .opaque = scratch,
        .next_in = (uint8_t *)in.ptr, /* which zlib only reads */
        .avail_in = (uInt)in.len,
        .next_out = out,
        .avail_out = INFLATE_OUTPUT,
    };

    if (!out || inflateInit2(&stream, EITHER_FORM) != Z_OK)
        return false;
    if (inflate(&stream, Z_FINISH) != Z_STREAM_END || stream.avail_in)
        return false;
    *ret_out = bytes_make(out, INFLATE_OUTPUT - stream.avail_out);
    return true;
}
