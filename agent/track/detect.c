/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which protocol does a connection speak? Its bytes decide, not its ports: each protocol is asked
 * about the bytes of one direction until one says yes. Bytes that may be the beginning of something
 * are kept in the stream's window. A connection that was joined midway is known when both its sides
 * have said what fits. After DETECT_OPERATIONS that are not, the connection is given
 * up.
 */
#include "track/internal.h"

/* `first`: nothing else was sent on the connection. */
static enum probe_result probe_all(struct bytes data, enum delivery delivery, bool first,
                                   const struct protocol **ret_protocol)
{
    enum probe_result best = PROBE_NO;

    for (size_t i = 0; protocols[i]; i++) {
        enum probe_result result = protocols[i]->probe(data, delivery);

        if (result == PROBE_FIRST)
            result = first ? PROBE_CLIENT : PROBE_NO;
        if (result == PROBE_CLIENT || result == PROBE_SERVER) {
            *ret_protocol = protocols[i];
            return result;
        }
        if (result == PROBE_MORE)
            best = PROBE_MORE;
    }
    return best;
}

/* Appends to what is kept; false where it does not continue it or does not fit. */
static bool keep(struct track *track, struct connection *connection, const struct event *event)
{
    struct stream *stream = &connection->streams[event->dir];

    if (stream->window && (stream->next != event->position ||
                           stream->window->len + event->data.len > WINDOW_SIZE))
        return false;
    if (!stream->window) {
        if (event->data.len <= WINDOW_SIZE)
            stream->window = window_take(track, connection, event->dir);
        if (!stream->window)
            return false;
        stream->head_position = event->position;
        stream->head_time_ns = event->time_ns;
        stream->head_exec = event->exec;
    }
    memcpy(stream->window->bytes + stream->window->len, event->data.ptr, event->data.len);
    stream->window->len += (uint32_t)event->data.len;
    return true;
}

/*
 * A first byte that was seen convinces. On a connection that was joined midway, bytes that look
 * like a message may be in a body: there the other side must have said what fits.
 */
static bool is_convinced(struct connection *connection, const struct protocol *protocol,
                         enum probe_result result, const struct event *event, bool from_start)
{
    struct guess guess = {protocol, event->dir, result == PROBE_CLIENT};
    struct guess last = connection->guess;

    connection->guess = guess;
    return from_start || (last.protocol == protocol && last.dir != guess.dir &&
                          last.client != guess.client);
}

/*
 * Answers of some protocols prove nothing by themselves ("+OK" is anybody's). Where the other side
 * was taken for a client already, its protocol says whether these bytes begin like an answer to it.
 */
static bool answers_guess(struct track *track, struct connection *connection,
                          const struct event *event)
{
    const struct guess *guess = &connection->guess;
    struct parse_input input = {
        .sender = SENDER_SERVER, .data = event->data, .scratch = &track->scratch};
    bool fits;

    if (!guess->protocol || !guess->client || guess->dir == event->dir || event->data.len == 0)
        return false;
    connection_set_protocol(track, connection, guess->protocol);
    arena_reset(&track->scratch);
    fits = guess->protocol->resync(connection->parser_state, &input) == 0;
    connection_set_protocol(track, connection, NULL);
    return fits;
}

/* Only what was seen from its first byte on is known to begin with a message. */
static void adopt(struct track *track, struct connection *connection,
                  const struct protocol *protocol, enum probe_result result,
                  const struct event *event, bool from_start)
{
    struct stream *stream = &connection->streams[event->dir];

    connection_set_protocol(track, connection, protocol);
    connection->client_dir = result == PROBE_CLIENT ? event->dir : !event->dir;
    stream->started = true;
    stream->lost = stream->quiet = !from_start;
    if (connection_delivery(connection) == DELIVERY_STREAM)
        connection->suspect |= stream->lost || connection->streams[!event->dir].lost;
    if (stream->lost)
        stream_drop_window(track, stream);
    stream_drop_window(track, &connection->streams[!event->dir]);
    connection_set_state(track, connection, CONNECTION_KNOWN);
}

bool detect(struct track *track, struct connection *connection, const struct event *event)
{
    struct stream *stream = &connection->streams[event->dir];
    uint32_t kept = stream->window ? stream->window->len : 0;
    bool whole = event->data.len == event->length, from_start;
    bool first = connection->from_start && !connection->streams[!event->dir].started;
    enum delivery delivery = connection_delivery(connection);
    enum probe_result result = PROBE_NO;
    const struct protocol *protocol = NULL;

    if (stream->started && (int64_t)(event->position + event->length - stream->next) <= 0) {
        track_count_operation(track, COUNTER_operations_duplicate);
        return false;
    }
    /* Where the beginning was seen, it decides: what comes later is no first message. */
    if (kept == 0 && connection->from_start && stream->started)
        result = PROBE_NO;
    else if (kept == 0)
        result = probe_all(event->data, delivery, first, &protocol);
    else if (keep(track, connection, event))
        result = probe_all(bytes_make(stream->window->bytes, stream->window->len), delivery, first,
                           &protocol);
    from_start = delivery == DELIVERY_DATAGRAM ||
                 (connection->from_start &&
                  connection_begins_at(connection, event->dir,
                                       stream->window ? stream->head_position : event->position));
    if (!protocol && !from_start && answers_guess(track, connection, event)) {
        protocol = connection->guess.protocol;
        result = PROBE_SERVER;
    }
    if (protocol && is_convinced(connection, protocol, result, event, from_start)) {
        /* The event is fed again, now to the parser: give its bytes back. */
        if (stream->window)
            stream->window->len = kept;
        else if (!stream->started) /* otherwise a gap in front of it stays one */
            stream->next = event->position;
        adopt(track, connection, protocol, result, event, from_start);
        return true;
    }
    if (result == PROBE_MORE && whole && connection->from_start &&
        (kept > 0 || keep(track, connection, event))) {
        /* A beginning that fits: the window bounds how long it may go on. */
    } else {
        /* A beginning that nobody knows: what comes behind it will not be seen. */
        if (!protocol && connection->from_start)
            connection_note_hidden(track, connection, event);
        stream_drop_window(track, stream);
        connection->detect_operations += !protocol;
        if (event->dir == DIR_IN && protocol && result == PROBE_CLIENT)
            track->options.sink.blind(track->options.sink.arg, event, false);
    }
    stream->started = true;
    stream->lost = stream->quiet = true;
    stream->next = event->position + event->length;
    track_count_operation(track, COUNTER_operations_unknown_protocol);
    if (connection->detect_operations >= DETECT_OPERATIONS)
        connection_give_up(track, connection, CONNECTION_UNDETECTED, event);
    return false;
}
