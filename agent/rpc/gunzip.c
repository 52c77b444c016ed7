/* SPDX-License-Identifier: Apache-2.0 */
/* Inflating in steps of a block, with zlib; the contract stands in gunzip.h. */
#include "rpc/gunzip.h"

#include <errno.h>
#include <zlib.h>

#define GZIP_ONLY 16 /* added to the window bits: the header of RFC 1952 and no other */

int gunzip(struct bytes gzip, struct buffer *buffer)
{
    z_stream stream = {.next_in = (uint8_t *)gzip.ptr, .avail_in = (uInt)gzip.len};
    uint8_t block[4096];
    int r;

    if (gzip.len > UINT32_MAX || inflateInit2(&stream, MAX_WBITS + GZIP_ONLY) != Z_OK)
        return -ENOBUFS;
    do {
        stream.next_out = block;
        stream.avail_out = sizeof(block);
        r = inflate(&stream, Z_NO_FLUSH);
        buffer_append(buffer, block, sizeof(block) - stream.avail_out);
    } while (r == Z_OK && !buffer->failed);
    inflateEnd(&stream);
    if (buffer->failed)
        return -ENOBUFS;
    return r == Z_STREAM_END && stream.avail_in == 0 ? 0 : -EBADMSG;
}
