/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open streams: ids come in a row, so most have the place that their id names, and the others any
 * free one. Where all are taken the oldest stream gives its own up, and is followed without.
 */
#include "protocols/http2/http2.h"

#include "base/macro.h"

#define PREFIX_LEN 5 /* compressed: 1 byte, length: 4 */
#define COUNT_LEN 4

static struct http2_stream *place_of(struct http2_state *http2, uint32_t id)
{
    return &http2->streams[(id >> 1) % HTTP2_STREAMS];
}

struct http2_stream *http2_stream_find(struct http2_state *http2, uint32_t id)
{
    struct http2_stream *stream = place_of(http2, id);

    if (stream->id == id)
        return stream;
    for (size_t i = 0; i < HTTP2_STREAMS; i++)
        if (http2->streams[i].id == id)
            return &http2->streams[i];
    return NULL;
}

struct http2_stream *http2_stream_open(struct http2_state *http2, uint32_t id)
{
    struct http2_stream *stream = place_of(http2, id);

    /* A free place has the lowest id of all. */
    for (size_t i = 0; i < HTTP2_STREAMS && stream->id; i++)
        if (http2->streams[i].id < stream->id)
            stream = &http2->streams[i];
    *stream = (struct http2_stream){.id = id};
    return stream;
}

static void write_be32(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < COUNT_LEN; i++)
        out[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void add_counts(const struct http2_stream *stream, struct arena *scratch,
                       struct message *message)
{
    uint8_t *counts = arena_alloc(scratch, 2 * COUNT_LEN);

    if (!counts)
        return;
    write_be32(counts, stream->progress[SENDER_CLIENT].n_messages);
    write_be32(counts + COUNT_LEN, stream->progress[SENDER_SERVER].n_messages);
    message_add(message, HTTP2_FIELD_GRPC_COUNTS, bytes_make(counts, 2 * COUNT_LEN));
}

void http2_stream_close(struct http2_state *http2, uint32_t id, struct arena *scratch,
                        struct message *message)
{
    struct http2_stream *stream = http2_stream_find(http2, id);

    if (!stream)
        return;
    if (stream->counted)
        add_counts(stream, scratch, message);
    stream->id = 0;
}

void http2_streams_uncount(struct http2_state *http2, enum sender sender)
{
    for (size_t i = 0; i < HTTP2_STREAMS; i++)
        if (sender == SENDER_CLIENT || http2->streams[i].responded)
            http2->streams[i].counted = false;
}

size_t http2_progress_need(const struct http2_progress *progress, uint32_t left)
{
    if (progress->prefix == 0 && progress->left > 0)
        return 0;
    return MIN((size_t)(PREFIX_LEN - progress->prefix), (size_t)left);
}

void http2_progress_read(struct http2_progress *progress, struct bytes prefix)
{
    for (size_t i = 0; i < prefix.len; i++) {
        if (progress->prefix > 0)
            progress->left = progress->left << 8 | prefix.ptr[i];
        if (++progress->prefix < PREFIX_LEN)
            continue;
        progress->prefix = 0;
        progress->n_messages++;
    }
}

uint32_t http2_progress_pass(struct http2_progress *progress, uint32_t left)
{
    uint32_t n = progress->prefix > 0 ? 0 : MIN(progress->left, left);

    progress->left -= n;
    return n;
}
