/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Header lines: a look at the first letter, and for the few that may be of interest, one look-up by
 * the length of the name, here and in the table of trace contexts.
 */
#include "protocols/http1/header.h"
#include "protocols/http1/start_line.h"

#include "base/macro.h"

enum repeat_rule { REPEAT_FIRST, REPEAT_LAST, REPEAT_EQUAL };

struct header_row {
    struct bytes name; /* lower case */
    size_t offset;     /* of its member in struct http1_headers */
    enum repeat_rule repeat;
};

#define ROW(text, member, rule)                                                                    \
    {{(const uint8_t *)(text), sizeof(text) - 1}, offsetof(struct http1_headers, member), rule}

/* By the length of the name; no more of one length than its row has room for. */
#define SAME_LENGTH 2
static const struct header_row rows[][SAME_LENGTH] = {
    [4] = {ROW("host", host, REPEAT_FIRST)},
    [7] = {ROW("upgrade", upgrade, REPEAT_FIRST)},
    [10] = {ROW("user-agent", user_agent, REPEAT_FIRST)},
    [11] = {ROW("grpc-status", grpc_status, REPEAT_FIRST)},
    [12] = {ROW("content-type", content_type, REPEAT_FIRST),
            ROW("grpc-timeout", grpc_timeout, REPEAT_FIRST)},
    [14] = {ROW("content-length", content_length, REPEAT_EQUAL)},
    [17] = {ROW("transfer-encoding", transfer_encoding, REPEAT_LAST)},
};

#define LETTER(c) (UINT32_C(1) << ((c) & 31))
#define LETTERS (LETTER('c') | LETTER('g') | LETTER('h') | LETTER('t') | LETTER('u'))

/* A header line that is of interest. */
struct line {
    const struct header_row *row; /* or NULL: */
    enum context_name context;    /* a trace context */
    size_t value;                 /* offset of its value in the data */
};

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* Without blanks and line ends at either end: folded values have both. */
static struct bytes trim(struct bytes b)
{
    while (b.len && (is_blank(b.ptr[0]) || b.ptr[0] == '\r' || b.ptr[0] == '\n'))
        b = bytes_skip(b, 1);
    while (b.len && (is_blank(b.ptr[b.len - 1]) || b.ptr[b.len - 1] == '\r' ||
                     b.ptr[b.len - 1] == '\n'))
        b.len--;
    return b;
}

static void mark(struct http1_headers *headers, enum http1_ambiguity ambiguity)
{
    if (headers->ambiguity == HTTP1_CLEAR)
        headers->ambiguity = ambiguity;
}

/* `name` is not empty. */
static const struct header_row *find_row(struct bytes name)
{
    const struct header_row *row = name.len < ELEMENTSOF(rows) ? rows[name.len] : NULL;

    for (size_t i = 0; row && i < SAME_LENGTH && row[i].name.len; i++)
        if (bytes_begin_alike(row[i].name, name) && bytes_equal_nocase(row[i].name, name))
            return &row[i];
    return NULL;
}

/* Offset of a colon that does not follow the name at once; SIZE_MAX where the line is no header. */
static size_t find_late_colon(struct bytes text, size_t name_len, struct http1_headers *headers)
{
    size_t colon = name_len;

    /* Blanks before the colon are wrong, but what they hide would be framing. */
    while (colon < text.len && is_blank(text.ptr[colon]))
        colon++;
    if (name_len > 0 && colon < text.len && text.ptr[colon] == ':') {
        mark(headers, HTTP1_BLANK_IN_NAME);
        return colon;
    }
    mark(headers, HTTP1_BAD_NAME);
    return SIZE_MAX;
}

static bool is_of_interest(struct bytes name, struct line *ret_line)
{
    ret_line->row = find_row(name);
    ret_line->context = ret_line->row ? CONTEXT_NONE : context_name_of(name);
    return ret_line->row || ret_line->context != CONTEXT_NONE;
}

/* Is the line's name of interest? `at` is the line's offset in the data. */
static inline bool read_name(struct bytes text, size_t at, struct http1_headers *headers,
                             struct line *ret_line)
{
    size_t len = http1_token_len(text), colon = len;

    if (len == 0 || len == text.len || text.ptr[len] != ':')
        colon = find_late_colon(text, len, headers);
    ret_line->value = at + colon + 1;
    return colon != SIZE_MAX && (LETTERS | context_name_letters) >> (text.ptr[0] & 31) & 1 &&
           is_of_interest(bytes_make(text.ptr, len), ret_line);
}

/* "5", and also "5, 5", which is what merged duplicates look like (RFC 9112, section 6.3). */
static void add_length(struct http1_headers *headers, struct bytes value)
{
    while (headers->length_state != LENGTH_INVALID) {
        size_t comma = bytes_find(value, ',');
        struct bytes digits = trim(bytes_slice(value, 0, comma));
        uint64_t length;

        if (bytes_parse_u64(digits, &length) < 0 || length > INT64_MAX ||
            (headers->length_state == LENGTH_KNOWN && headers->length != length)) {
            headers->length_state = LENGTH_INVALID;
            headers->content_length = BYTES_NULL;
            return;
        }
        headers->length_state = LENGTH_KNOWN;
        headers->length = length;
        headers->content_length = digits;
        if (comma == SIZE_MAX)
            return;
        value = bytes_skip(value, comma + 1);
    }
}

static bool is_list(enum context_name name)
{
    return name == CONTEXT_TRACESTATE || name == CONTEXT_BAGGAGE;
}

/* Ties: the name that comes first, and so the lists. */
static enum context_name most_repeated(const struct http1_headers *headers)
{
    unsigned n_lines[CONTEXT_NAME_COUNT] = {0};
    enum context_name most = CONTEXT_NONE;

    for (unsigned i = 0; i < headers->n_contexts; i++)
        n_lines[headers->contexts[i].id]++;
    for (unsigned name = 0; name < CONTEXT_NAME_COUNT; name++)
        if (n_lines[name] > n_lines[most])
            most = name;
    return most;
}

static bool is_spoiled(const struct http1_headers *headers, enum context_name name)
{
    return headers->spoiled & UINT32_C(1) << name;
}

/*
 * One line of the name stays, so that its readers count it as invalid: of a list one byte, which is
 * no member, of others nothing.
 */
static void spoil(struct http1_headers *headers, enum context_name name)
{
    unsigned n = 0;

    for (unsigned i = 0; i < headers->n_contexts; i++) {
        struct field field = headers->contexts[i];

        if (field.id == name) {
            if (is_spoiled(headers, name))
                continue;
            headers->spoiled |= UINT32_C(1) << name;
            field.value = bytes_slice(field.value, 0, is_list(name) ? 1 : 0);
        }
        headers->contexts[n++] = field;
    }
    headers->n_contexts = n;
}

/* Would the value tell the carrier nothing that the name's other values have not told? */
static bool is_told(const struct http1_headers *headers, enum context_name name,
                    struct bytes value)
{
    unsigned n = 0;

    for (unsigned i = 0; i < headers->n_contexts && !is_list(name); i++) {
        if (headers->contexts[i].id != name)
            continue;
        if (n++ > 0 || bytes_equal(headers->contexts[i].value, value))
            return true;
    }
    return false;
}

static void add_context(struct http1_headers *headers, enum context_name name,
                        struct bytes value)
{
    if (is_spoiled(headers, name) || is_told(headers, name, value))
        return;
    if (headers->n_contexts == HTTP1_CONTEXTS_MAX)
        spoil(headers, most_repeated(headers));
    if (!is_spoiled(headers, name))
        headers->contexts[headers->n_contexts++] = (struct field){(uint16_t)name, value};
}

static void add_value(struct http1_headers *headers, const struct line *line, struct bytes value)
{
    struct bytes *member;

    value = trim(value);
    if (!line->row) {
        add_context(headers, line->context, value);
        return;
    }
    member = (struct bytes *)((uint8_t *)headers + line->row->offset);
    if (line->row->repeat == REPEAT_EQUAL) {
        add_length(headers, value);
    } else if (line->row->repeat == REPEAT_LAST) {
        if (member->ptr && (header_ends_chunked(*member) || header_chunks_early(*member)))
            mark(headers, HTTP1_BAD_CODING);
        *member = value;
    } else if (!member->ptr) {
        *member = value;
    } else if (member == &headers->host && !bytes_equal_nocase(*member, value)) {
        mark(headers, HTTP1_TWO_HOSTS);
    }
}

/*
 * The `n` bytes without their line end: LF, or CR LF; a CR elsewhere some take for a line end, others
 * do not.
 */
static inline struct bytes strip_end(struct bytes line, size_t n, struct http1_headers *headers)
{
    size_t cr;

    line.len = n;
    cr = bytes_find(line, '\r');
    if (cr == n - 1 && n > 0) {
        headers->line_ends |= LINE_END_CRLF;
        line.len = cr;
        return line;
    }
    line.len -= cr != SIZE_MAX && line.ptr[n - 1] == '\r';
    headers->line_ends |= line.len < n ? LINE_END_CRLF : LINE_END_LF;
    if (cr != SIZE_MAX)
        mark(headers, HTTP1_BARE_CR);
    return line;
}

/* Some end the value there, or replace it, others refuse the message (RFC 9110, section 5.5). */
static bool has_nul(struct bytes text)
{
    return bytes_find(text, 0) != SIZE_MAX;
}

bool headers_read(struct bytes data, unsigned line_ends, struct http1_headers *ret_headers)
{
    struct line line;
    bool pending = false, ended = false; /* pending: the value of `line` may be folded */

    memset(ret_headers, 0, offsetof(struct http1_headers, contexts));
    ret_headers->line_ends = line_ends;
    while (!ended) {
        size_t at = ret_headers->len, n;
        struct bytes text = bytes_skip(data, at);

        n = bytes_find(text, '\n');
        if (n == SIZE_MAX)
            break;
        text = strip_end(text, n, ret_headers);
        if (text.len && is_blank(text.ptr[0])) {
            mark(ret_headers, HTTP1_FOLDED_LINE);
        } else {
            if (pending)
                add_value(ret_headers, &line, bytes_slice(data, line.value, at - line.value));
            ended = text.len == 0;
            pending = !ended && read_name(text, at, ret_headers, &line);
        }
        ret_headers->len += n + 1;
    }
    if (pending)
        add_value(ret_headers, &line,
                  bytes_slice(data, line.value, ret_headers->len - line.value));
    if (ret_headers->line_ends == (LINE_END_CRLF | LINE_END_LF))
        mark(ret_headers, HTTP1_BARE_LF);
    if (has_nul(bytes_slice(data, 0, ret_headers->len)))
        mark(ret_headers, HTTP1_NUL);
    return ended;
}

/* A header line of which nothing is wanted and nothing is odd. */
static bool says_nothing(struct bytes text, struct http1_headers *seen)
{
    struct line found;

    return text.len && !is_blank(text.ptr[0]) && !read_name(text, 0, seen, &found) &&
           seen->ambiguity == HTTP1_CLEAR;
}

/* The line ends in LF. */
static bool is_spare_line(struct bytes line)
{
    struct http1_headers seen = {0};
    struct bytes text = strip_end(line, line.len - 1, &seen);

    return says_nothing(text, &seen) && seen.line_ends == LINE_END_CRLF && !has_nul(text);
}

/* Of a line whose end is still to come: its value, but the last byte, which may be the CR. */
static struct bytes spare_value(struct bytes text)
{
    struct http1_headers seen = {0};
    struct bytes value;
    size_t colon = bytes_find(text, ':');

    if (colon == SIZE_MAX || !says_nothing(text, &seen))
        return BYTES_NULL;
    value = bytes_slice(bytes_skip(text, colon + 1), 0, text.len - colon - 2);
    return bytes_find(value, '\r') == SIZE_MAX && !has_nul(value) ? value : BYTES_NULL;
}

/* A line is spare only if the next one is known not to continue it. */
struct bytes headers_spare(struct bytes data)
{
    struct bytes longest = BYTES_NULL, run = BYTES_NULL, last;
    size_t n;

    while ((n = bytes_find(data, '\n')) != SIZE_MAX) {
        struct bytes line = bytes_slice(data, 0, n + 1), next = bytes_skip(data, n + 1);

        if (is_spare_line(line) && next.len && !is_blank(next.ptr[0]))
            run = bytes_make(run.len ? run.ptr : line.ptr, run.len + line.len);
        else
            run = BYTES_NULL;
        longest = run.len > longest.len ? run : longest;
        data = next;
    }
    last = data.len ? spare_value(data) : BYTES_NULL;
    return last.len > longest.len ? last : longest;
}

static bool is_chunked(struct bytes coding)
{
    return bytes_equal_nocase(trim(coding), BYTES_LITERAL("chunked"));
}

bool header_ends_chunked(struct bytes transfer_encoding)
{
    struct bytes last = transfer_encoding;
    size_t comma;

    while ((comma = bytes_find(last, ',')) != SIZE_MAX)
        last = bytes_skip(last, comma + 1);
    return is_chunked(last);
}

bool header_chunks_early(struct bytes transfer_encoding)
{
    struct bytes rest = transfer_encoding;
    size_t comma;

    while ((comma = bytes_find(rest, ',')) != SIZE_MAX) {
        if (is_chunked(bytes_slice(rest, 0, comma)))
            return true;
        rest = bytes_skip(rest, comma + 1);
    }
    return false;
}
