/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One direction of a connection as a sequence of absolute positions:
 *
 *     next                   position            position + length
 *      |------- gap ------------|==== data ====|---- tail ----|
 *                                 captured        not captured
 *
 * A gap or a tail that falls into a skipped body costs nothing. Any other one loses the message
 * boundary: the stream is `lost` until the parser finds the next message start.
 *
 * It is not looked for at once. What comes behind the hole may be a body, and whatever looks like a
 * message in it is none; and a request behind a lost one would be given the lost one's response. So
 * the stream is `quiet` until the next turn: the client's, until the server has spoken and nothing
 * is open; the server's, until a request has come. Then its first bytes are a message, or it stays
 * quiet. A connection that is joined midway begins in that state.
 */
#include "track/internal.h"

#include "base/macro.h"

void stream_drop_window(struct track *track, struct stream *stream)
{
    window_give(track, stream->window);
    stream->window = NULL;
}

/* What one call of stream_feed works on. */
struct feed {
    struct track *track;
    struct connection *connection;
    struct stream *stream;
    const struct event *event;
    enum direction dir;
};

static struct parse_input make_input(const struct feed *feed, struct bytes data, bool cut)
{
    const struct connection *connection = feed->connection;
    const struct endpoint *ends[] = {&connection->remote, &connection->local};
    bool has_ends = connection->transport == TRANSPORT_UDP;

    arena_reset(&feed->track->scratch);
    return (struct parse_input){
        .sender = feed->dir == connection->client_dir ? SENDER_CLIENT : SENDER_SERVER,
        .cut = cut,
        .data = data,
        .scratch = &feed->track->scratch,
        .delivery = connection_delivery(connection),
        .source = has_ends ? ends[feed->dir] : NULL,
        .destination = has_ends ? ends[!feed->dir] : NULL,
    };
}

static bool is_known(const struct feed *feed)
{
    return feed->connection->state == CONNECTION_KNOWN;
}

/* n bytes of a body went by, seen or not. */
static void pass(const struct feed *feed, uint64_t n)
{
    struct stream *stream = feed->stream;

    if (stream->skip == SKIP_UNTIL_CLOSE)
        return;
    stream->skip -= n;
    if (stream->skip == 0 && stream->ends) {
        stream->ends = false;
        exchange_message_end(feed->track, feed->connection, feed->dir, feed->event);
    }
}

/*
 * The exchanges that lost messages leave uncertain. Without pipelining the next request opens a new
 * round, so those that are open now end here, incomplete; but the request that itself has the hole,
 * `own`, still waits for its response. Where requests are pipelined nobody can tell how many
 * messages are missing, now and for ever: also when nothing is open, since a client that keeps two
 * under way looks, shifted by one, like one that waits for each answer. Where messages have stream
 * ids, pairing stays sure: only the ends of those that are open may be among the missing.
 */
static void settle_exchanges(const struct feed *feed, const struct exchange *own, bool gap)
{
    struct connection *connection = feed->connection;
    bool any_open = connection->first_open || connection->n_stale;

    if (connection->multiplexed) {
        exchange_doubt(feed->track, connection);
        return;
    }
    if (connection->pipelined && gap)
        any_open = true;
    else if (own && connection->n_open == 1)
        return;
    if (any_open && (connection->pipelined || connection->n_stale)) {
        connection_set_state(feed->track, connection, CONNECTION_DESYNCHRONIZED);
        return;
    }
    while (connection->first_open)
        exchange_finish(feed->track, connection->first_open, EXCHANGE_INCOMPLETE,
                        feed->event->time_ns, feed->event->exec.tid);
}

/*
 * May a hole hide more than the rest of one message, a request's `own`, or the only response that
 * can be under way, whose request is open? What is in one operation with a request's head is taken
 * for that request's. Where nothing is open, the request's record is late, and others may be first.
 * Where it is not known what is under way, anything may be hidden.
 */
static bool hides_messages(const struct feed *feed, const struct exchange *own, bool gap)
{
    const struct connection *connection = feed->connection;

    if (gap || connection->suspect)
        return true;
    if (feed->dir == connection->client_dir)
        return !own || connection->n_open > 1; /* which end here, and may be answered still */
    return connection->early || connection->n_open != 1;
}

/* What is open, and where messages may be hidden whatever comes, is uncertain. */
static void distrust(const struct feed *feed, const struct exchange *own, bool gap)
{
    bool hides = hides_messages(feed, own, gap);

    settle_exchanges(feed, own, gap);
    if (is_known(feed) && hides)
        trust_lose(feed->track, feed->connection);
}

void stream_forget(struct track *track, struct connection *connection, enum direction dir)
{
    struct stream *stream = &connection->streams[dir];
    struct parse_input nothing = {
        .sender = dir == connection->client_dir ? SENDER_CLIENT : SENDER_SERVER};

    stream_drop_window(track, stream);
    connection->protocol->resync(connection->parser_state, &nothing);
    stream->lost = true;
    stream->skip = 0;
    stream->ends = false;
    stream->current = NULL;
    stream->quiet = !connection->multiplexed;
    stream->turned = false;
}

/* Messages may be missing from here on. */
static void lose(const struct feed *feed, bool gap)
{
    if (feed->stream->lost && feed->stream->quiet)
        return;
    if (connection_delivery(feed->connection) == DELIVERY_DATAGRAM) {
        feed->stream->lost = feed->stream->quiet = true; /* the rest of this one */
        return;
    }
    counters_add(feed->track->counters, COUNTER_streams_gaps, !feed->stream->lost);
    distrust(feed, feed->dir == feed->connection->client_dir ? feed->stream->current : NULL, gap);
    if (is_known(feed))
        stream_forget(feed->track, feed->connection, feed->dir);
}

/*
 * What a quiet stream passes over may have been a request, and not the one that is answered next;
 * of the server, once that has happened, an answer to it.
 */
static void note_blind(const struct feed *feed)
{
    bool asks = feed->dir == feed->connection->client_dir;

    if (asks || feed->connection->suspect || feed->connection->n_open == 0)
        trust_lose(feed->track, feed->connection);
    if (asks && feed->dir == DIR_IN)
        feed->track->options.sink.blind(feed->track->options.sink.arg, feed->event, false);
}

/* Offset of the next plausible message start; all of the data where there is none. */
static size_t find_start(const struct feed *feed, struct bytes data)
{
    struct parse_input input = make_input(feed, data, false);
    size_t offset =
        feed->connection->protocol->resync(feed->connection->parser_state, &input);

    offset = MIN(offset, data.len);
    if (feed->stream->turned && offset > 0) {
        lose(feed, true);
        return data.len;
    }
    feed->stream->turned = false;
    if (offset < data.len) {
        feed->stream->lost = false;
        feed->stream->resumed = true;
        counters_add(feed->track->counters, COUNTER_streams_resyncs, 1);
    } else {
        track_count_operation(feed->track, COUNTER_operations_unparsed);
    }
    return offset;
}

static void mark_head(const struct feed *feed, uint64_t position)
{
    feed->stream->head_position = position;
    feed->stream->head_time_ns = feed->event->time_ns;
    feed->stream->head_exec = feed->event->exec;
}

static const struct protocol *find_successor(struct bytes token)
{
    for (size_t i = 0; protocols[i] && token.len; i++)
        if (protocols[i]->traits.token &&
            bytes_equal_nocase(token, bytes_from_string(protocols[i]->traits.token)))
            return protocols[i];
    return NULL;
}

/* The connection speaks something else from here on: what it names, or nothing that is known. */
static void hand_over(const struct feed *feed, const struct message *message)
{
    struct connection *connection = feed->connection;
    const struct protocol *successor = find_successor(message->successor);

    if (!successor) {
        connection_set_state(feed->track, connection, CONNECTION_OPAQUE);
        return;
    }
    if (message->flags & MESSAGE_INTERIM && connection->first_open)
        connection->first_open->request.stream = message->stream;
    connection->multiplexed |= message->stream != 0;
    connection_set_protocol(feed->track, connection, successor);
    connection_set_state(feed->track, connection, CONNECTION_KNOWN);
}

static void take_message(const struct feed *feed, const struct message *message,
                         struct bytes content, uint64_t skip)
{
    struct stream *stream = feed->stream;

    counters_add(feed->track->counters, COUNTER_messages, 1);
    stream->skip = skip;
    stream->ends = message->flags & MESSAGE_ENDS;
    exchange_message(feed->track, feed->connection, feed->dir, message, content, feed->event);
    stream->resumed = false;
    if (stream->ends && skip == 0) {
        stream->ends = false;
        exchange_message_end(feed->track, feed->connection, feed->dir, feed->event);
    }
    if (message->flags & MESSAGE_LAST)
        hand_over(feed, message);
}

/* What is there of the bytes that the parser passes over. */
static struct bytes body_of(struct bytes view, const struct parse_result *result)
{
    return bytes_slice(view, result->used, (size_t)MIN(result->skip, (uint64_t)view.len));
}

/* One parser call at the view's start. Returns the bytes done with; 0: it wants more. */
static size_t step(const struct feed *feed, struct bytes view, bool cut)
{
    struct parse_input input = make_input(feed, view, cut);
    struct message message = {.kind = MESSAGE_REQUEST};
    struct parse_result result =
        feed->connection->protocol->parse(feed->connection->parser_state, &input, &message);

    if (result.status == PARSE_MORE && !cut) {
        feed->track->spare = bytes_slice(bytes_skip(view, result.spare.at), 0, result.spare.len);
        return 0;
    }
    if (result.status == PARSE_MORE || result.status == PARSE_BAD || result.used > view.len ||
        (result.status == PARSE_NONE && result.used == 0 && result.skip == 0)) {
        track_count_operation(feed->track, COUNTER_operations_unparsed);
        lose(feed, true);
        return 1;
    }
    if (result.status == PARSE_MESSAGE)
        take_message(feed, &message, body_of(view, &result), result.skip);
    else
        feed->stream->skip = result.skip;
    return result.used;
}

/*
 * Parses what it can. `base` is the position of the view's first byte; `marked`: the message that
 * begins there was seen before, and its head is marked. Returns the bytes done with.
 */
static size_t parse_view(const struct feed *feed, struct bytes view, uint64_t base, bool marked,
                         bool cut)
{
    size_t at = 0;

    while (at < view.len && is_known(feed)) {
        if (feed->stream->skip) {
            size_t n = (size_t)MIN(feed->stream->skip, (uint64_t)(view.len - at));

            exchange_content(feed->track, feed->connection, feed->dir, bytes_slice(view, at, n));
            at += n;
            pass(feed, n);
            continue;
        }
        if (feed->stream->lost && feed->stream->quiet) {
            note_blind(feed);
            return view.len;
        }
        if (feed->stream->lost) {
            at += find_start(feed, bytes_skip(view, at));
            if (feed->stream->lost)
                break;
        }
        if (at > 0 || !marked)
            mark_head(feed, base + at);
        size_t n = step(feed, bytes_skip(view, at), cut);
        if (n == 0 && feed->stream->skip == 0)
            break;
        at += n;
    }
    return is_known(feed) ? at : view.len;
}

/* What is left unparsed waits in the window. False: it has no room. */
static bool keep_rest(const struct feed *feed, struct bytes rest)
{
    struct window *window = feed->stream->window;

    if (rest.len == 0) {
        stream_drop_window(feed->track, feed->stream);
        return true;
    }
    if (!window && rest.len <= WINDOW_SIZE)
        window = feed->stream->window = window_take(feed->track, feed->connection, feed->dir);
    if (!window || rest.len > WINDOW_SIZE) {
        counters_add(feed->track->counters, COUNTER_windows_full, 1);
        return false;
    }
    memmove(window->bytes, rest.ptr, rest.len);
    window->len = (uint32_t)rest.len;
    return true;
}

/*
 * The bytes behind `rest` are lost to us: what can be said of the message that it begins? Where it
 * says something, the hole is its own; otherwise, and in a `gap`, messages may be missing.
 */
static void cut_here(const struct feed *feed, struct bytes rest, bool gap)
{
    bool told = rest.len && parse_view(feed, rest, feed->stream->head_position, true, true) > 0 &&
                !feed->stream->lost;

    stream_drop_window(feed->track, feed->stream);
    if (!is_known(feed) || feed->stream->skip)
        return;
    if (!told) {
        lose(feed, gap);
        return;
    }
    /* What was in the same operation as a request's cut head was no other request of this round. */
    if (gap || feed->dir != feed->connection->client_dir)
        distrust(feed, feed->dir == feed->connection->client_dir ? feed->connection->last_open
                                                                 : NULL, gap);
    if (is_known(feed))
        stream_forget(feed->track, feed->connection, feed->dir);
}

/* The window leaves the stream while its bytes are parsed: it must stay as it is until then. */
static struct window *detach_window(struct stream *stream)
{
    struct window *window = stream->window;

    stream->window = NULL;
    list_remove(&window->lru);
    return window;
}

/* A full window makes room for more of the message by what its parser can do without. */
static bool forget_spare(const struct feed *feed, struct window *window)
{
    struct bytes spare = feed->track->spare;
    uint8_t *begin = window->bytes + (spare.ptr - window->bytes);

    if (spare.len == 0)
        return false;
    window->len -= (uint32_t)spare.len;
    memmove(begin, begin + spare.len, window->len - (size_t)(begin - window->bytes));
    return true;
}

/* Appends as much as fits and parses. Returns how much of `data` it took. */
static size_t feed_window(const struct feed *feed, struct bytes data, uint64_t base)
{
    struct window *window = detach_window(feed->stream);
    size_t n = MIN(data.len, WINDOW_SIZE - (size_t)window->len), used;
    struct bytes view, rest;

    memcpy(window->bytes + window->len, data.ptr, n);
    window->len += (uint32_t)n;
    view = bytes_make(window->bytes, window->len);
    feed->track->spare = BYTES_NULL;
    used = parse_view(feed, view, base + n - view.len, true, false);
    rest = bytes_skip(view, used);
    if (is_known(feed) && used == 0 && view.len == WINDOW_SIZE && forget_spare(feed, window)) {
        rest = bytes_make(window->bytes, window->len);
    } else if (is_known(feed) && used == 0 && view.len == WINDOW_SIZE) {
        counters_add(feed->track->counters, COUNTER_windows_full, 1);
        cut_here(feed, view, false);
        rest = BYTES_NULL;
    }
    if (is_known(feed) && rest.len) {
        memmove(window->bytes, rest.ptr, rest.len);
        window->len = (uint32_t)rest.len;
        feed->stream->window = window;
        list_append(&feed->track->waiting, &window->lru);
    } else {
        window_give(feed->track, window);
    }
    return n;
}

/* Bytes that continue the stream at `base`. */
static void feed_data(const struct feed *feed, struct bytes data, uint64_t base)
{
    struct stream *stream = feed->stream;

    while (stream->window && data.len && is_known(feed)) {
        size_t n = feed_window(feed, data, base);

        base += n;
        data = bytes_skip(data, n);
    }
    if (data.len && is_known(feed)) {
        size_t used = parse_view(feed, data, base, false, false);
        struct bytes rest = bytes_skip(data, used);

        if (is_known(feed) && !keep_rest(feed, rest))
            cut_here(feed, rest, false);
    }
}

/* The parser may know its way over what is lost: it skips the rest of what it is in. */
static void cross(const struct feed *feed)
{
    struct parse_input input = make_input(feed, BYTES_NULL, true);
    struct message message = {.kind = MESSAGE_REQUEST};
    struct parse_result result =
        feed->connection->protocol->parse(feed->connection->parser_state, &input, &message);

    if (result.used > 0 || result.skip == 0)
        return;
    if (result.status == PARSE_MESSAGE)
        take_message(feed, &message, BYTES_NULL, result.skip);
    else if (result.status == PARSE_NONE)
        feed->stream->skip = result.skip;
}

/*
 * Bytes that went by unseen: behind the captured ones, or in front of them in records that are
 * lost, a `gap`.
 */
static void feed_hole(const struct feed *feed, uint64_t n, bool gap)
{
    struct stream *stream = feed->stream;
    bool quiet = stream->lost && stream->quiet;

    if (n == 0 || !is_known(feed))
        return;
    if (quiet)
        note_blind(feed);
    if (stream->skip == 0 && stream->window) {
        struct window *window = detach_window(stream);

        cut_here(feed, bytes_make(window->bytes, window->len), gap);
        window_give(feed->track, window);
    } else if (stream->skip == 0 && !stream->lost) {
        cross(feed);
    }
    if (is_known(feed) && stream->skip >= n) {
        pass(feed, n);
    } else if (is_known(feed) && !(feed->stream->lost && feed->stream->quiet)) {
        track_count_operation(feed->track, COUNTER_operations_gap);
        lose(feed, gap);
    } else if (is_known(feed) && gap) {
        trust_lose(feed->track, feed->connection);
    }
}

/*
 * Is it this direction's turn, so that its next message begins here? Not behind a hole: the message
 * that took this turn may be in it.
 */
static void note_turn(const struct feed *feed)
{
    const struct connection *connection = feed->connection;

    if (feed->stream->quiet && feed->event->position == feed->stream->next &&
        feed->dir == connection->client_dir && connection->last_dir != feed->dir && connection->n_open == 0) {
        feed->stream->quiet = false;
        feed->stream->turned = true;
    }
}

/* A connection that was seen from its beginning has both its streams' starts to begin at. */
static void start(const struct feed *feed)
{
    const struct connection *connection = feed->connection;
    struct stream *stream = feed->stream;

    if (stream->started)
        return;
    stream->started = true;
    stream->lost = stream->quiet = !connection->from_start;
    stream->next = feed->event->position;
    if (connection->from_start && !connection_begins_at(connection, feed->dir, stream->next))
        stream->next = connection->starts[feed->dir];
}

static void feed_bytes(const struct feed *feed)
{
    struct stream *stream = feed->stream;
    const struct event *event = feed->event;
    uint64_t end = event->position + event->length, tail = event->length - event->data.len;
    struct bytes data = event->data;
    int64_t ahead;

    if (stream->started)
        note_turn(feed);
    start(feed);
    ahead = (int64_t)(event->position - stream->next);
    stream->last_ns = event->time_ns;
    if ((int64_t)(end - stream->next) <= 0) {
        track_count_operation(feed->track, COUNTER_operations_duplicate);
        return;
    }
    if (ahead < 0) {
        uint64_t seen_before = (uint64_t)-ahead;

        tail -= seen_before > data.len ? seen_before - data.len : 0;
        data = bytes_skip(data, (size_t)seen_before);
    } else {
        feed_hole(feed, (uint64_t)ahead, true);
    }
    stream->next = end;
    feed_data(feed, data, end - tail - data.len);
    feed_hole(feed, tail, false);
    track_count_operation(feed->track, COUNTER_operations_parsed);
}

/*
 * A datagram is what it is: nothing of the last one goes on in it, nothing of it in the next one, and
 * what is not understood of it leaves the others as they are.
 */
static void feed_datagram(const struct feed *feed)
{
    struct stream *stream = feed->stream;
    struct bytes data = feed->event->data;

    stream->started = true;
    stream->lost = stream->quiet = stream->ends = false;
    stream->skip = 0;
    stream->current = NULL;
    stream->next = feed->event->position;
    stream->last_ns = feed->event->time_ns;
    parse_view(feed, data, feed->event->position, false, true);
    if (is_known(feed) && stream->skip)
        pass(feed, stream->skip); /* a body ends with its datagram */
    track_count_operation(feed->track, COUNTER_operations_parsed);
}

void stream_feed(struct track *track, struct connection *connection, const struct event *event)
{
    struct stream *stream = &connection->streams[event->dir];
    struct feed feed = {track, connection, stream, event, event->dir};

    if (connection_delivery(connection) == DELIVERY_DATAGRAM)
        feed_datagram(&feed);
    else
        feed_bytes(&feed);
}
