/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open streams: ids come in a row, so most have the place that their id names, and the others any
 * free one. Where all are taken the oldest stream gives its own up, and is followed without.
 */
#include "protocols/http2/http2.h"

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

void http2_stream_close(struct http2_state *http2, uint32_t id, struct arena *scratch,
                        struct message *message)
{
    struct http2_stream *stream = http2_stream_find(http2, id);

    if (!stream)
        return;
    if (stream->is_call)
        grpc_body_tell(&stream->bodies[SENDER_CLIENT], &stream->bodies[SENDER_SERVER], scratch,
                       message);
    stream->id = 0;
}

void http2_streams_lose(struct http2_state *http2, enum sender sender)
{
    for (size_t i = 0; i < HTTP2_STREAMS; i++)
        if (sender == SENDER_CLIENT || http2->streams[i].responded)
            http2->streams[i].bodies[sender].kind = GRPC_BODY_LOST;
}
