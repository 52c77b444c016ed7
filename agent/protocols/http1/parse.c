/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.x bytes -> messages. A head is parsed when it is complete; of bodies nothing is looked at
 * but the chunks' size lines, except where content.h says so. How a body ends follows RFC 9112,
 * section 6.3, in its order:
 *
 *   1xx, 204, 304, answer to HEAD   no body          (1xx but 101: another response follows)
 *   101, 2xx to CONNECT             no body, and the connection is HTTP/1 no longer
 *   Transfer-Encoding ... chunked   chunks, then trailers, whatever Content-Length says
 *   Transfer-Encoding otherwise     a response lasts until the close, a request is unframed
 *   Content-Length                  that many bytes; values that differ or are no number: unframed
 *   none                            a request has no body, a response lasts until the close
 *
 * Where the head is cut (input->cut) its framing is unknown: the message is TRUNCATED and said to
 * end at the cut, and the caller finds the next one by resync.
 */
#include "protocols/http/grpc.h"
#include "protocols/http1/chunk.h"
#include "protocols/http1/content.h"
#include "protocols/http1/header.h"
#include "protocols/http1/http1.h"
#include "protocols/http1/start_line.h"

#include "base/macro.h"

#define UPGRADED_STREAM 1

/* What is known of a message before it is given out. */
struct draft {
    enum message_kind kind;
    struct request_line request;
    struct status_line status;
    size_t len; /* of the head */
    unsigned flags;
    struct http1_headers headers; /* the last: what is in its contexts their number says */
};

struct framing {
    bool sized; /* by Content-Length */
    unsigned flags;
    uint64_t skip;
    enum http1_phase next;
    enum http1_ambiguity ambiguity;
};

static const struct parse_result bad = {.status = PARSE_BAD};

static struct parse_result more(size_t len)
{
    return (struct parse_result){.status = PARSE_MORE, .need = len + 1};
}

static struct parse_result none(size_t used, uint64_t skip)
{
    return (struct parse_result){.status = PARSE_NONE, .used = used, .skip = skip};
}

static bool bit_of(const uint64_t *bits, unsigned i)
{
    return bits[i / 64] >> i % 64 & 1;
}

/* False where there is no room: how its response is framed will not be known. */
static bool requests_push(struct http1_state *http1, struct bytes method)
{
    unsigned i = (http1->first_open + http1->n_open) % HTTP1_OPEN_MAX;
    uint64_t bit = UINT64_C(1) << i % 64;

    if (http1->n_open == HTTP1_OPEN_MAX)
        return false;
    http1->heads[i / 64] |= bytes_equal(method, BYTES_LITERAL("HEAD")) ? bit : 0;
    http1->connects[i / 64] |= bytes_equal(method, BYTES_LITERAL("CONNECT")) ? bit : 0;
    http1->n_open++;
    return true;
}

void http1_pop_request(struct http1_state *http1)
{
    unsigned i = http1->first_open;

    if (http1->n_open == 0)
        return;
    http1->heads[i / 64] &= ~(UINT64_C(1) << i % 64);
    http1->connects[i / 64] &= ~(UINT64_C(1) << i % 64);
    http1->n_open--;
    http1->first_open = http1->n_open ? (uint16_t)((i + 1) % HTTP1_OPEN_MAX) : 0;
}

/* By Transfer-Encoding, which there is. */
static struct framing frame_coding(const struct http1_headers *headers, struct bytes version,
                                   bool is_request)
{
    struct bytes coding = headers->transfer_encoding;
    struct framing framing = {.flags = MESSAGE_ENDS};

    if (header_ends_chunked(coding))
        framing = (struct framing){.next = HTTP1_CHUNK};
    else if (is_request)
        framing = (struct framing){.next = HTTP1_UNFRAMED, .ambiguity = HTTP1_BAD_CODING};
    else
        framing.skip = SKIP_UNTIL_CLOSE;
    if (headers->length_state != LENGTH_NONE)
        framing.ambiguity = HTTP1_TWO_FRAMINGS;
    else if (header_chunks_early(coding))
        framing.ambiguity = HTTP1_BAD_CODING;
    else if (bytes_equal(version, BYTES_LITERAL("1.0")))
        framing.ambiguity = HTTP1_OLD_CODING;
    return framing;
}

static struct framing frame_body(const struct http1_headers *headers, struct bytes version,
                                 bool is_request)
{
    struct framing framing = {.flags = MESSAGE_ENDS};

    if (headers->transfer_encoding.ptr)
        return frame_coding(headers, version, is_request);
    if (headers->length_state == LENGTH_INVALID)
        return (struct framing){.next = HTTP1_UNFRAMED, .ambiguity = HTTP1_BAD_LENGTH};
    if (headers->length_state == LENGTH_KNOWN) {
        framing.sized = true;
        framing.skip = headers->length;
    } else if (!is_request) {
        framing.skip = SKIP_UNTIL_CLOSE;
    }
    return framing;
}

static struct framing frame_response(const struct http1_state *http1, const struct draft *draft)
{
    struct framing empty = {.flags = MESSAGE_ENDS};
    unsigned code = draft->status.code;
    bool to_connect = bit_of(http1->connects, http1->first_open);
    bool to_head = bit_of(http1->heads, http1->first_open);

    if (code == 101 || (to_connect && code / 100 == 2))
        empty.flags |= MESSAGE_LAST;
    else if (code / 100 == 1)
        empty.flags |= MESSAGE_INTERIM;
    else if (!to_head && code != 204 && code != 304)
        return frame_body(&draft->headers, draft->status.version, false);
    return empty;
}

/* The request itself is answered by the successor, as its first stream (RFC 7540, section 3.2). */
static bool answers_later(struct bytes successor)
{
    return bytes_equal_nocase(successor, BYTES_LITERAL("h2c"));
}

static void add_field(struct message *message, unsigned id, struct bytes value)
{
    if (value.ptr)
        message_add(message, id, value);
}

static void write_message(const struct draft *draft, const struct framing *framing,
                          struct bytes data, struct message *message)
{
    const struct http1_headers *headers = &draft->headers;
    bool is_request = draft->kind == MESSAGE_REQUEST;
    struct bytes version = draft->request.version;

    message->kind = draft->kind;
    message->flags = framing->flags | draft->flags;
    message->stream = 0;
    message->code = draft->status.code;
    message->head = bytes_slice(data, 0, draft->len);
    message->successor = draft->status.code == 101 ? headers->upgrade : BYTES_NULL;
    message->n_fields = 0;
    if (answers_later(message->successor)) {
        message->flags |= MESSAGE_INTERIM;
        message->stream = UPGRADED_STREAM;
    }
    if (is_request) {
        message_add(message, HTTP1_FIELD_METHOD, draft->request.method);
        message_add(message, HTTP1_FIELD_TARGET, draft->request.target);
        if (draft->request.odd == LINE_VERSION)
            version.len = 0;
        add_field(message, HTTP1_FIELD_VERSION, version);
        add_field(message, HTTP1_FIELD_HOST, headers->host);
        add_field(message, HTTP1_FIELD_USER_AGENT, headers->user_agent);
    } else {
        add_field(message, HTTP1_FIELD_VERSION, draft->status.version);
    }
    if (grpc_is_content_type(headers->content_type)) {
        message_add(message, GRPC_FIELD_CONTENT_TYPE, headers->content_type);
        add_field(message, is_request ? GRPC_FIELD_TIMEOUT : GRPC_FIELD_STATUS,
                  is_request ? headers->grpc_timeout : headers->grpc_status);
    }
    if (framing->sized)
        message_add(message, HTTP1_FIELD_BODY_SIZE, headers->content_length);
    for (unsigned i = 0; is_request && i < headers->n_contexts; i++)
        message_add(message, headers->contexts[i].id, headers->contexts[i].value);
}

/* What is wrong with the framing weighs most. */
static enum http1_ambiguity gravest(const struct framing *framing, const struct draft *draft)
{
    if (framing->ambiguity)
        return framing->ambiguity;
    if (draft->request.odd)
        return draft->request.odd == LINE_VERSION ? HTTP1_ODD_VERSION : HTTP1_BLANKS_IN_LINE;
    return draft->headers.ambiguity;
}

static void begin_message(struct http1_state *http1, enum sender sender,
                          const struct framing *framing, const struct draft *draft)
{
    http1->phases[sender] = framing->next;
    http1->chunked[sender] = 0;
    http1->ambiguities[sender] = (uint8_t)gravest(framing, draft);
}

/* Of what comes behind the head the first counts, and only where the head was clear. */
static void note_late(struct http1_state *http1, enum sender sender, enum http1_ambiguity late)
{
    if (http1->ambiguities[sender] == HTTP1_CLEAR)
        http1->ambiguities[sender] = (uint8_t)late;
}

static void add_ambiguity(const struct http1_state *http1, enum sender sender,
                          struct message *message)
{
    if (http1->ambiguities[sender] != HTTP1_CLEAR)
        message_add(message, HTTP1_FIELD_AMBIGUITY, bytes_make(&http1->ambiguities[sender], 1));
}

/* The sum of the chunks, unless nobody can count so far. */
static void add_chunked(struct http1_state *http1, enum sender sender, struct message *message)
{
    uint64_t size = http1->chunked[sender];
    size_t at = HTTP1_DIGITS_MAX;

    if (size > INT64_MAX)
        return;
    do {
        http1->digits[--at] = (uint8_t)('0' + size % 10);
        size /= 10;
    } while (size);
    message_add(message, HTTP1_FIELD_BODY_SIZE,
                bytes_make(http1->digits + at, HTTP1_DIGITS_MAX - at));
}

/* LINE_MORE where the head does not end in `data`: the draft then has what was complete. */
static enum line_match read_head(enum sender sender, struct bytes data, struct draft *ret_draft)
{
    bool is_request = sender == SENDER_CLIENT;
    size_t line_len;
    enum line_match match;
    unsigned line_end;

    memset(ret_draft, 0, offsetof(struct draft, headers.contexts));
    ret_draft->kind = is_request ? MESSAGE_REQUEST : MESSAGE_RESPONSE;
    match = is_request ? request_line_match(data, &ret_draft->request)
                       : status_line_match(data, &ret_draft->status);
    if (match != LINE_FITS)
        return match;
    line_len = is_request ? ret_draft->request.len : ret_draft->status.len;
    line_end = line_len > 1 && data.ptr[line_len - 2] == '\r' ? LINE_END_CRLF : LINE_END_LF;
    match = headers_read(bytes_skip(data, line_len), line_end, &ret_draft->headers)
                ? LINE_FITS
                : LINE_MORE;
    ret_draft->len = line_len + ret_draft->headers.len;
    return match;
}

/* Of a long head whose start line is there, what nobody needs can go. */
static struct parse_result more_of_head(struct bytes data, size_t line_len)
{
    struct parse_result result = more(data.len);
    struct bytes spare;

    if (data.len >= HTTP1_HEAD_MAX)
        return bad;
    if (line_len == 0 || data.len < PARSE_WINDOW)
        return result;
    spare = headers_spare(bytes_skip(data, line_len));
    if (spare.len) {
        result.spare.at = (size_t)(spare.ptr - data.ptr);
        result.spare.len = spare.len;
    }
    return result;
}

/* Says what a cut head has told, if that is enough to name the request or the response. */
static bool tell_cut(struct draft *draft, struct bytes data)
{
    draft->flags |= MESSAGE_TRUNCATED;
    draft->len = data.len;
    return draft->kind == MESSAGE_REQUEST ? draft->request.target.len > 0 : draft->status.code > 0;
}

static struct framing frame(const struct http1_state *http1, const struct draft *draft)
{
    struct framing framing = draft->kind == MESSAGE_REQUEST
                                 ? frame_body(&draft->headers, draft->request.version, true)
                                 : frame_response(http1, draft);

    if (draft->flags & MESSAGE_TRUNCATED)
        return (struct framing){.flags = framing.flags | MESSAGE_ENDS,
                                .ambiguity = framing.ambiguity};
    return framing;
}

/* Where the body is looked at its end is a message's part. */
static void begin_body(struct http1_state *http1, enum sender sender, const struct draft *draft,
                       struct framing *framing)
{
    http1->bodies[sender].kind = GRPC_BODY_OTHER;
    if (!grpc_is_content_type(draft->headers.content_type) || draft->flags & MESSAGE_TRUNCATED)
        return;
    content_begin(http1, sender, draft->headers.content_type);
    if (framing->skip == 0 || framing->skip == SKIP_UNTIL_CLOSE)
        return;
    http1->left[sender] = framing->skip;
    framing->skip = 0;
    framing->flags &= ~(unsigned)MESSAGE_ENDS;
    framing->next = HTTP1_SIZED;
}

static struct parse_result parse_head(struct http1_state *http1, const struct parse_input *input,
                                      struct message *ret_message)
{
    struct bytes data = input->data;
    size_t n_line_ends = http1_count_line_ends(data);
    struct draft draft;
    struct framing framing;
    enum line_match match;

    /* Empty lines before a start line are passed over (RFC 9112, section 2.2). */
    if (n_line_ends)
        return none(n_line_ends, 0);
    match = read_head(input->sender, data, &draft);
    if (match == LINE_NO || (match == LINE_FITS && draft.len > HTTP1_HEAD_MAX) ||
        (draft.request.odd && http1->in_doubt))
        return bad;
    if (match == LINE_MORE && !input->cut)
        return more_of_head(data, draft.len - draft.headers.len);
    if (match == LINE_MORE && !tell_cut(&draft, data))
        return bad;
    http1->in_doubt &= draft.kind == MESSAGE_RESPONSE;
    framing = frame(http1, &draft);
    begin_body(http1, input->sender, &draft, &framing);
    begin_message(http1, input->sender, &framing, &draft);
    write_message(&draft, &framing, data, ret_message);
    add_ambiguity(http1, input->sender, ret_message);
    if (content_is_read(http1, input->sender) && framing.flags & MESSAGE_ENDS && framing.skip == 0)
        content_tell(http1, input->sender, input->scratch, ret_message);
    if (draft.kind == MESSAGE_REQUEST && !requests_push(http1, draft.request.method))
        ret_message->flags |= MESSAGE_LAST;
    if (draft.kind == MESSAGE_RESPONSE && !(framing.flags & MESSAGE_INTERIM))
        http1_pop_request(http1);
    return (struct parse_result){
        .status = PARSE_MESSAGE, .used = draft.len, .skip = framing.skip};
}

/* Nobody can know where the body ends. That is said at once: the answer may end the exchange. */
static struct parse_result break_body(struct http1_state *http1, const struct parse_input *input,
                                      enum http1_ambiguity why, struct message *ret_message)
{
    note_late(http1, input->sender, why);
    http1->phases[input->sender] = HTTP1_UNFRAMED;
    message_start(ret_message, MESSAGE_PART, 0, bytes_slice(input->data, 0, 1));
    add_ambiguity(http1, input->sender, ret_message);
    return (struct parse_result){.status = PARSE_MESSAGE, .used = 1};
}

/*
 * The chunk's data are skipped with the CR LF behind them: they may not have been captured. A cut
 * size line is BAD, for nobody knows where the next one is.
 */
static struct parse_result parse_chunk(struct http1_state *http1, const struct parse_input *input,
                                       struct message *ret_message)
{
    size_t n = bytes_find(input->data, '\n');
    enum http1_ambiguity odd;
    unsigned end_len;
    uint64_t size;

    if (n == SIZE_MAX && input->data.len < HTTP1_CHUNK_LINE_MAX &&
        chunk_line_may_begin(input->data.ptr[0]))
        return input->cut ? bad : more(input->data.len);
    if (n == SIZE_MAX || n >= HTTP1_CHUNK_LINE_MAX ||
        !chunk_line_read(bytes_slice(input->data, 0, n), &size, &odd))
        return break_body(http1, input, HTTP1_BAD_CHUNK, ret_message);
    end_len = size ? chunk_end_len(bytes_skip(input->data, n + 1), size) : 0;
    if (size && end_len == 0)
        return break_body(http1, input, HTTP1_BAD_CHUNK_END, ret_message);
    if (odd || end_len == 1)
        note_late(http1, input->sender, odd ? odd : HTTP1_BAD_CHUNK_END);
    http1->chunked[input->sender] += MIN(size, UINT64_MAX - http1->chunked[input->sender]);
    if (size > 0 && content_is_read(http1, input->sender)) {
        http1->left[input->sender] = size;
        http1->chunk_ends[input->sender] = (uint8_t)end_len;
        http1->phases[input->sender] = HTTP1_CHUNK_BODY;
        return none(n + 1, 0);
    }
    if (size > 0)
        return none(n + 1, size + end_len);
    http1->phases[input->sender] = HTTP1_TRAILER;
    return none(n + 1, 0);
}

/* The body is over whatever the trailers say: cut ones end the message as well. */
static struct parse_result parse_trailer(struct http1_state *http1,
                                         const struct parse_input *input,
                                         struct message *ret_message)
{
    struct http1_headers trailers;
    bool ended = headers_read(input->data, LINE_END_CRLF, &trailers);
    size_t len = ended || !input->cut ? trailers.len : input->data.len;

    if (!ended && !input->cut)
        return input->data.len < HTTP1_HEAD_MAX ? more(input->data.len) : bad;
    if (len > HTTP1_HEAD_MAX)
        return bad;
    http1->phases[input->sender] = HTTP1_START;
    ret_message->kind = MESSAGE_PART;
    ret_message->flags = MESSAGE_ENDS | (ended ? 0 : MESSAGE_TRUNCATED);
    ret_message->stream = 0;
    ret_message->code = 0;
    ret_message->head = bytes_slice(input->data, 0, len);
    ret_message->n_fields = 0;
    add_chunked(http1, input->sender, ret_message);
    content_tell(http1, input->sender, input->scratch, ret_message);
    note_late(http1, input->sender, trailers.ambiguity);
    add_ambiguity(http1, input->sender, ret_message);
    return (struct parse_result){.status = PARSE_MESSAGE, .used = len};
}

struct parse_result http1_parse(void *state, const struct parse_input *input,
                                struct message *ret_message)
{
    struct http1_state *http1 = state;
    enum http1_phase phase = http1->phases[input->sender];

    if (phase == HTTP1_CHUNK_BODY || phase == HTTP1_SIZED)
        return content_parse(http1, input, ret_message);
    if (input->data.len == 0)
        return input->cut ? bad : more(0);
    switch (phase) {
    case HTTP1_CHUNK:
        return parse_chunk(http1, input, ret_message);
    case HTTP1_TRAILER:
        return parse_trailer(http1, input, ret_message);
    case HTTP1_UNFRAMED:
        return bad;
    default:
        break;
    }
    return parse_head(http1, input, ret_message);
}
