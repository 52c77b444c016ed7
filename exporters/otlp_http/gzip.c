/* SPDX-License-Identifier: Apache-2.0 */
/* Compression by zlib; the contract stands in gzip.h. */
#include "exporters/otlp_http/gzip.h"

#include <errno.h>
#include <zlib.h>

#define GZIP_ONLY 16 /* added to the window bits: the header of RFC 1952 */
/* Spans of a batch repeat each other so much that more effort finds little more. */
#define LEVEL Z_BEST_SPEED
#define MEMORY_LEVEL 8

struct gzip {
    z_stream stream;
};

int gzip_new(struct gzip **ret_gzip)
{
    struct gzip *gzip = calloc(1, sizeof(*gzip));

    if (!gzip)
        return -ENOMEM;
    if (deflateInit2(&gzip->stream, LEVEL, Z_DEFLATED, MAX_WBITS + GZIP_ONLY, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        free(gzip);
        return -ENOMEM;
    }
    *ret_gzip = gzip;
    return 0;
}

void gzip_free(struct gzip *gzip)
{
    if (gzip)
        deflateEnd(&gzip->stream);
    free(gzip);
}

int gzip_append(struct gzip *gzip, struct bytes data, struct buffer *buffer)
{
    z_stream *stream = &gzip->stream;
    size_t bound, before = buffer->len;
    uint8_t *place;

    deflateReset(stream);
    bound = deflateBound(stream, data.len);
    place = buffer_extend(buffer, bound);
    if (!place || data.len > UINT32_MAX || bound > UINT32_MAX)
        return -ENOBUFS;
    stream->next_in = (uint8_t *)data.ptr;
    stream->avail_in = (uInt)data.len;
    stream->next_out = place;
    stream->avail_out = (uInt)bound;
    if (deflate(stream, Z_FINISH) != Z_STREAM_END)
        return -ENOBUFS;
    buffer->len = before + bound - stream->avail_out;
    return 0;
}
