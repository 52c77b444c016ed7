/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/http1/header.h"
#include "protocols/http1/http1.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define UNTIL_CLOSE SKIP_UNTIL_CLOSE

static struct parse_result step(struct http1_state *http1, enum sender sender, bool cut,
                                const char *text, struct message *message)
{
    struct parse_input input = {sender, cut, bytes_from_string(text)};

    return http1_parse(http1, &input, message);
}

static struct message parse(struct http1_state *http1, enum sender sender, const char *text)
{
    struct message message;

    assert_int_equal(step(http1, sender, false, text, &message).status, PARSE_MESSAGE);
    return message;
}

static void assert_field(const struct message *message, unsigned id, const char *expected)
{
    struct bytes found = message_field(message, id);

    assert_int_equal(found.len, strlen(expected));
    assert_memory_equal(found.ptr, expected, found.len);
}

static void a_request_carries_the_fields_that_describe_needs(void **state)
{
    struct http1_state http1 = {0};
    struct message message = parse(&http1, SENDER_CLIENT,
        "POST /a?b HTTP/1.1\r\nHost: shop\r\nCookie: secret\r\nAuthorization: secret\r\n"
        "User-Agent: curl\r\ntraceparent: 00-x\r\ntracestate: a=1\r\nContent-Length: 3\r\n\r\n");

    assert_int_equal(message.kind, MESSAGE_REQUEST);
    assert_int_equal(message.n_fields, 8);
    assert_field(&message, HTTP1_FIELD_METHOD, "POST");
    assert_field(&message, HTTP1_FIELD_TARGET, "/a?b");
    assert_field(&message, HTTP1_FIELD_VERSION, "1.1");
    assert_field(&message, HTTP1_FIELD_HOST, "shop");
    assert_field(&message, HTTP1_FIELD_USER_AGENT, "curl");
    assert_field(&message, HTTP1_FIELD_BODY_SIZE, "3");
    assert_field(&message, CONTEXT_TRACEPARENT, "00-x");
    assert_field(&message, CONTEXT_TRACESTATE, "a=1");
}

static void a_switch_of_protocols_names_its_successor(void **state)
{
    struct http1_state http1 = {0};
    struct message message;

    parse(&http1, SENDER_CLIENT, "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
    message = parse(&http1, SENDER_SERVER, "HTTP/1.1 101 Switch\r\nUpgrade: websocket\r\n\r\n");
    assert_true(bytes_equal(message.successor, BYTES_LITERAL("websocket")));
    assert_int_equal(message.flags, MESSAGE_ENDS | MESSAGE_LAST);
    assert_int_equal(message.stream, 0);

    /* Of this one it is known that the request is answered behind the switch, and under which id. */
    parse(&http1, SENDER_CLIENT, "GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n");
    message = parse(&http1, SENDER_SERVER, "HTTP/1.1 101 Switch\r\nUpgrade: h2c\r\n\r\n");
    assert_true(bytes_equal(message.successor, BYTES_LITERAL("h2c")));
    assert_int_equal(message.flags, MESSAGE_ENDS | MESSAGE_LAST | MESSAGE_INTERIM);
    assert_int_equal(message.stream, 1);

    parse(&http1, SENDER_CLIENT, "GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n");
    message = parse(&http1, SENDER_SERVER,
                    "HTTP/1.1 200 No\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(message.successor.len, 0);
    assert_int_equal(message.flags, MESSAGE_ENDS);
}

static void request_bodies_end_as_rfc_9112_says(void **state)
{
    static const struct {
        const char *headers;
        unsigned flags;
        uint64_t skip;
        enum http1_phase next;
    } cases[] = {
        {"", MESSAGE_ENDS, 0, HTTP1_START},
        {"Content-Length: 9\r\n", MESSAGE_ENDS, 9, HTTP1_START},
        {"Content-Length: 9\r\nContent-Length: 9\r\n", MESSAGE_ENDS, 9, HTTP1_START},
        {"Content-Length: 9\r\nContent-Length: 8\r\n", 0, 0, HTTP1_UNFRAMED},
        {"Content-Length: nine\r\n", 0, 0, HTTP1_UNFRAMED},
        {"Transfer-Encoding: chunked\r\n", 0, 0, HTTP1_CHUNK},
        {"Transfer-Encoding: chunked\r\nContent-Length: 9\r\n", 0, 0, HTTP1_CHUNK},
        {"Content-Length: 9\r\nContent-Length: 8\r\nTransfer-Encoding: chunked\r\n", 0, 0,
         HTTP1_CHUNK},
        {"Transfer-Encoding: gzip\r\n", 0, 0, HTTP1_UNFRAMED},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct http1_state http1 = {0};
        struct message message;
        struct parse_result result;
        char text[256] = "POST / HTTP/1.1\r\n";

        strcat(strcat(text, cases[i].headers), "\r\n");
        result = step(&http1, SENDER_CLIENT, false, text, &message);
        assert_int_equal(result.status, PARSE_MESSAGE);
        assert_int_equal(http1.phases[SENDER_CLIENT], cases[i].next);
        assert_int_equal(result.used, strlen(text));
        assert_int_equal(result.skip, cases[i].skip);
        assert_int_equal(message.flags, cases[i].flags);
    }
}

static void what_can_be_read_in_two_ways_is_marked(void **state)
{
    static const struct {
        enum sender sender;
        const char *text;
        enum http1_ambiguity ambiguity;
    } cases[] = {
        {SENDER_CLIENT, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_CLEAR},
        {SENDER_CLIENT, "GET / HTTP/1.1\nHost: a\n\n", HTTP1_CLEAR},
        {SENDER_CLIENT, "GET / HTTP/1.1\r\nHost: a\r\nHost: A\r\n\r\n", HTTP1_CLEAR},
        {SENDER_CLIENT, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", HTTP1_TWO_HOSTS},
        {SENDER_CLIENT, "PUT / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
         HTTP1_CLEAR},
        {SENDER_CLIENT, "PUT / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
         HTTP1_BAD_LENGTH},
        {SENDER_CLIENT, "PUT / HTTP/1.1\r\nContent-Length: +5\r\n\r\n", HTTP1_BAD_LENGTH},
        {SENDER_CLIENT, "PUT / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
         HTTP1_TWO_FRAMINGS},
        {SENDER_CLIENT, "PUT / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n",
         HTTP1_BAD_CODING},
        {SENDER_CLIENT, "PUT / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", HTTP1_CLEAR},
        {SENDER_CLIENT, "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
         HTTP1_BAD_CODING},
        {SENDER_CLIENT,
         "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
         HTTP1_BAD_CODING},
        {SENDER_CLIENT,
         "PUT / HTTP/1.1\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
         HTTP1_CLEAR},
        {SENDER_CLIENT, "PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
         HTTP1_OLD_CODING},
        {SENDER_CLIENT, "GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n", HTTP1_FOLDED_LINE},
        {SENDER_CLIENT, "GET / HTTP/1.1\r\n Transfer-Encoding: chunked\r\n\r\n",
         HTTP1_FOLDED_LINE},
        {SENDER_CLIENT, "GET / HTTP/1.1\r\nX: a\rContent-Length: 5\r\n\r\n", HTTP1_BARE_CR},
        {SENDER_CLIENT, "GET / HTTP/1.1\r\nX: a\r\r\n\r\n", HTTP1_BARE_CR},
        {SENDER_CLIENT, "PUT / HTTP/1.1\r\nContent-Length : 5\r\n\r\n", HTTP1_BLANK_IN_NAME},
        {SENDER_CLIENT, "GET / HTTP/1.1\r\nX-Any : 5\r\n\r\n", HTTP1_BLANK_IN_NAME},
        {SENDER_CLIENT, "GET / HTTP/1.1\r\nX-Any\t: 5\r\n\r\n", HTTP1_BLANK_IN_NAME},
        {SENDER_CLIENT, "GET / HTTP/1.1\r\nnonsense\r\n\r\n", HTTP1_BAD_NAME},
        {SENDER_CLIENT, "GET / HTTP/1.1\r\n: 5\r\n\r\n", HTTP1_BAD_NAME},
        {SENDER_CLIENT, "GET / HTTP/1.1\r\nX Y: 5\r\n\r\n", HTTP1_BAD_NAME},
        {SENDER_CLIENT, "GET / HTTP/1.1\r\nX(: 5\r\n\r\n", HTTP1_BAD_NAME},
        {SENDER_CLIENT, "GET / HTTP/1.1\r\nContent-Length\x01: 5\r\n\r\n", HTTP1_BAD_NAME},
        {SENDER_CLIENT, "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", HTTP1_BARE_LF},
        {SENDER_CLIENT, "GET / HTTP/1.1\nHost: a\r\n\r\n", HTTP1_BARE_LF},
        {SENDER_CLIENT, "GET / HTTP/1.1\r\nHost: a\r\n\n", HTTP1_BARE_LF},
        {SENDER_CLIENT, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_BLANKS_IN_LINE},
        {SENDER_CLIENT, "GET / HTTP/1.10\r\nHost: a\r\n\r\n", HTTP1_ODD_VERSION},
        /* Of several the gravest: the framing, then the start line, then the first header. */
        {SENDER_CLIENT, "GET  / HTTP/1.1\r\nX : a\r\n\r\n", HTTP1_BLANKS_IN_LINE},
        {SENDER_CLIENT, "GET  / HTTP/1.1\r\nContent-Length: x\r\n\r\n", HTTP1_BAD_LENGTH},
        {SENDER_SERVER, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", HTTP1_CLEAR},
        {SENDER_SERVER, "HTTP/1.1 200 OK\r\nContent-Length: 5\n\r\n", HTTP1_BARE_LF},
        {SENDER_SERVER, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", HTTP1_CLEAR},
        {SENDER_SERVER, "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n", HTTP1_BAD_LENGTH},
        {SENDER_SERVER, "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
         HTTP1_OLD_CODING},
        {SENDER_SERVER,
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
         HTTP1_TWO_FRAMINGS},
        /* What has no body has no framing to dispute. */
        {SENDER_SERVER, "HTTP/1.1 304 x\r\nContent-Length: x\r\n\r\n", HTTP1_CLEAR},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct http1_state http1 = {0};
        struct message message = parse(&http1, cases[i].sender, cases[i].text);
        struct bytes found = message_field(&message, HTTP1_FIELD_AMBIGUITY);

        assert_int_equal(found.len ? found.ptr[0] : HTTP1_CLEAR, cases[i].ambiguity);
        assert_int_equal(found.len, cases[i].ambiguity != HTTP1_CLEAR);
    }
}

static void a_nul_in_a_header_is_marked(void **state)
{
    struct http1_state http1 = {0};
    struct message message = {.kind = MESSAGE_REQUEST};
    struct parse_input input = {SENDER_CLIENT, false,
                                BYTES_LITERAL("GET / HTTP/1.1\r\nX: a\0b\r\n\r\n")};

    assert_int_equal(http1_parse(&http1, &input, &message).status, PARSE_MESSAGE);
    assert_int_equal(message_field(&message, HTTP1_FIELD_AMBIGUITY).ptr[0], HTTP1_NUL);
}

static void an_odd_version_is_neither_shown_nor_taken_for_a_cut(void **state)
{
    struct http1_state http1 = {0};
    struct message message = parse(&http1, SENDER_CLIENT, "GET / HTTP/1.x\r\n\r\n");
    struct bytes version = message_field(&message, HTTP1_FIELD_VERSION);

    assert_non_null(version.ptr);
    assert_int_equal(version.len, 0);
    assert_int_equal(message.flags, MESSAGE_ENDS);
}

static void behind_a_body_without_a_known_end_only_resync_goes_on(void **state)
{
    struct http1_state http1 = {0};
    struct parse_input input = {SENDER_CLIENT, false, BYTES_LITERAL("bodyGET /b HTTP/1.1\r\n\r\n")};
    struct message message = parse(&http1, SENDER_CLIENT,
                                   "PUT /a HTTP/1.1\r\nContent-Length: 1, 2\r\n\r\n");

    assert_int_equal(message.flags, 0);
    assert_int_equal(http1_parse(&http1, &input, &message).status, PARSE_BAD);
    assert_int_equal(http1_resync(&http1, &input), strlen("body"));
    message = parse(&http1, SENDER_CLIENT, "GET /b HTTP/1.1\r\n\r\n");
    assert_field(&message, HTTP1_FIELD_TARGET, "/b");
    assert_null(message_field(&message, HTTP1_FIELD_AMBIGUITY).ptr);
}

static void response_bodies_end_as_rfc_9112_says(void **state)
{
    static const struct {
        const char *method, *status, *headers;
        unsigned flags;
        uint64_t skip;
        enum http1_phase next;
    } cases[] = {
        {"GET", "200", "Content-Length: 9\r\n", MESSAGE_ENDS, 9, HTTP1_START},
        {"GET", "200", "", MESSAGE_ENDS, UNTIL_CLOSE, HTTP1_START},
        {"GET", "200", "Transfer-Encoding: chunked\r\n", 0, 0, HTTP1_CHUNK},
        {"GET", "200", "Transfer-Encoding: br\r\n", MESSAGE_ENDS, UNTIL_CLOSE, HTTP1_START},
        {"HEAD", "200", "Content-Length: 9\r\n", MESSAGE_ENDS, 0, HTTP1_START},
        {"HEAD", "200", "Transfer-Encoding: chunked\r\n", MESSAGE_ENDS, 0, HTTP1_START},
        {"HEAD", "200", "", MESSAGE_ENDS, 0, HTTP1_START},
        {"GET", "204", "Content-Length: 9\r\n", MESSAGE_ENDS, 0, HTTP1_START},
        {"GET", "304", "Content-Length: x\r\n", MESSAGE_ENDS, 0, HTTP1_START},
        {"GET", "100", "", MESSAGE_ENDS | MESSAGE_INTERIM, 0, HTTP1_START},
        {"GET", "103", "Content-Length: 9\r\n", MESSAGE_ENDS | MESSAGE_INTERIM, 0, HTTP1_START},
        {"GET", "101", "", MESSAGE_ENDS | MESSAGE_LAST, 0, HTTP1_START},
        {"CONNECT", "200", "Content-Length: 9\r\n", MESSAGE_ENDS | MESSAGE_LAST, 0, HTTP1_START},
        {"CONNECT", "407", "Content-Length: 9\r\n", MESSAGE_ENDS, 9, HTTP1_START},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct http1_state http1 = {0};
        struct message message;
        struct parse_result result;
        char request[64] = "", response[256] = "HTTP/1.1 ";

        strcat(strcat(request, cases[i].method), " shop:1 HTTP/1.1\r\n\r\n");
        strcat(strcat(strcat(response, cases[i].status), " x\r\n"), cases[i].headers);
        strcat(response, "\r\n");
        parse(&http1, SENDER_CLIENT, request);
        result = step(&http1, SENDER_SERVER, false, response, &message);
        assert_int_equal(result.status, PARSE_MESSAGE);
        assert_int_equal(result.used, strlen(response));
        assert_int_equal(result.skip, cases[i].skip);
        assert_int_equal(message.flags, cases[i].flags);
        assert_int_equal(http1.phases[SENDER_SERVER], cases[i].next);
        assert_int_equal(http1.n_open, message.flags & MESSAGE_INTERIM ? 1 : 0);
    }
}

static void a_body_size_is_given_only_where_it_frames_a_body(void **state)
{
    struct http1_state http1 = {.n_open = 1, .heads = {1}};
    struct message message = parse(&http1, SENDER_SERVER,
                                   "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");

    assert_null(message_field(&message, HTTP1_FIELD_BODY_SIZE).ptr);
    message = parse(&http1, SENDER_SERVER,
                    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_null(message_field(&message, HTTP1_FIELD_BODY_SIZE).ptr);
}

static const char *method_of(unsigned i)
{
    return i % 3 == 0 ? "GET / HTTP/1.1\r\n\r\n"
                      : i % 3 == 1 ? "HEAD / HTTP/1.1\r\n\r\n" : "CONNECT a:1 HTTP/1.1\r\n\r\n";
}

static void assert_answers(struct http1_state *http1, unsigned begin, unsigned end)
{
    for (unsigned i = begin; i < end; i++) {
        struct message message;
        struct parse_result result = step(http1, SENDER_SERVER, false,
                                          "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", &message);

        assert_int_equal(result.skip, i % 3 == 0 ? 9 : 0);
        assert_int_equal(message.flags, MESSAGE_ENDS | (i % 3 == 2 ? MESSAGE_LAST : 0));
    }
}

static void each_answer_belongs_to_its_request_however_many_are_open(void **state)
{
    static const struct http1_state new_state;
    struct http1_state http1 = {0};

    for (unsigned i = 0; i < HTTP1_OPEN_MAX; i++)
        parse(&http1, SENDER_CLIENT, method_of(i));
    assert_answers(&http1, 0, 900);
    for (unsigned i = HTTP1_OPEN_MAX; i < HTTP1_OPEN_MAX + 900; i++)
        assert_int_equal(parse(&http1, SENDER_CLIENT, method_of(i)).flags, MESSAGE_ENDS);
    assert_int_equal(http1.n_open, HTTP1_OPEN_MAX);
    assert_answers(&http1, 900, HTTP1_OPEN_MAX + 900);
    parse(&http1, SENDER_SERVER, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
    assert_memory_equal(&http1, &new_state, sizeof(http1));
}

static void nothing_is_said_behind_more_open_requests_than_are_kept(void **state)
{
    struct http1_state http1 = {0};

    for (unsigned i = 0; i < HTTP1_OPEN_MAX; i++)
        assert_int_equal(parse(&http1, SENDER_CLIENT, method_of(i)).flags, MESSAGE_ENDS);
    assert_int_equal(parse(&http1, SENDER_CLIENT, method_of(0)).flags,
                     MESSAGE_ENDS | MESSAGE_LAST);
}

static void chunk_lines_say_how_much_is_skipped_and_what_is_odd_in_them(void **state)
{
    static const struct {
        const char *text;
        enum parse_status status;
        size_t used;
        uint64_t skip;
        enum http1_ambiguity odd;
    } cases[] = {
        {"5\r\nhello", PARSE_NONE, 3, 7, HTTP1_CLEAR},
        {"5\nhello", PARSE_NONE, 2, 7, HTTP1_BARE_LF_CHUNK},
        {"00aF\r\n", PARSE_NONE, 6, 0xaf + 2, HTTP1_CLEAR},
        {"5;a=\"b\"\r\n", PARSE_NONE, 9, 7, HTTP1_CLEAR},
        {"5 ;a=\"b\"\r\n", PARSE_NONE, 10, 7, HTTP1_BLANK_IN_CHUNK},
        {"5 \t \r\n", PARSE_NONE, 6, 7, HTTP1_BLANK_IN_CHUNK},
        {"5\r\r\n", PARSE_NONE, 4, 7, HTTP1_BARE_CR},
        {"5;a\rb\r\n", PARSE_NONE, 7, 7, HTTP1_BARE_CR},
        {"5;a\nb\r\n", PARSE_NONE, 4, 7, HTTP1_BARE_LF_CHUNK},
        {"7fffffffffffffff\r\n", PARSE_NONE, 18, (uint64_t)INT64_MAX + 2, HTTP1_CLEAR},
        {"00000000000000000000005\r\n", PARSE_NONE, 25, 7, HTTP1_CLEAR},
        {"8000000000000000\r\n", PARSE_MESSAGE, 1, 0, HTTP1_BAD_CHUNK},
        {"10000000000000005\r\n", PARSE_MESSAGE, 1, 0, HTTP1_BAD_CHUNK},
        {"\r\n", PARSE_MESSAGE, 1, 0, HTTP1_BAD_CHUNK},
        {";a\r\n", PARSE_MESSAGE, 1, 0, HTTP1_BAD_CHUNK},
        {" 5\r\n", PARSE_MESSAGE, 1, 0, HTTP1_BAD_CHUNK},
        {"5x\r\n", PARSE_MESSAGE, 1, 0, HTTP1_BAD_CHUNK},
        {"0x5\r\n", PARSE_MESSAGE, 1, 0, HTTP1_BAD_CHUNK},
        {"1_0\r\n", PARSE_MESSAGE, 1, 0, HTTP1_BAD_CHUNK},
        {"+5\r\n", PARSE_MESSAGE, 1, 0, HTTP1_BAD_CHUNK},
        {"-5\r\n", PARSE_MESSAGE, 1, 0, HTTP1_BAD_CHUNK},
        {"x", PARSE_MESSAGE, 1, 0, HTTP1_BAD_CHUNK},
        {"5\r\nhello\r", PARSE_NONE, 3, 7, HTTP1_CLEAR},
        {"5\r\nhello\r\n", PARSE_NONE, 3, 7, HTTP1_CLEAR},
        {"5\r\nhello\n0", PARSE_NONE, 3, 6, HTTP1_BAD_CHUNK_END},
        {"5\r\nhello0", PARSE_MESSAGE, 1, 0, HTTP1_BAD_CHUNK_END},
        {"5\r\nhello\r0", PARSE_MESSAGE, 1, 0, HTTP1_BAD_CHUNK_END},
        {"5\r\nhelloXX", PARSE_MESSAGE, 1, 0, HTTP1_BAD_CHUNK_END},
        {"5\r", PARSE_MORE, 0, 0, HTTP1_CLEAR},
        {"5;a", PARSE_MORE, 0, 0, HTTP1_CLEAR},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct http1_state http1 = {.phases = {HTTP1_CHUNK}};
        struct message message = {.n_fields = 0};
        struct parse_result result = step(&http1, SENDER_CLIENT, false, cases[i].text, &message);

        assert_int_equal(result.status, cases[i].status);
        assert_int_equal(result.used, cases[i].used);
        assert_int_equal(result.skip, cases[i].skip);
        assert_int_equal(http1.ambiguities[SENDER_CLIENT], cases[i].odd);
        if (result.status != PARSE_MESSAGE)
            continue;
        assert_int_equal(message.kind, MESSAGE_PART);
        assert_int_equal(message.flags, 0);
        assert_int_equal(message_field(&message, HTTP1_FIELD_AMBIGUITY).ptr[0], cases[i].odd);
        assert_int_equal(http1.phases[SENDER_CLIENT], HTTP1_UNFRAMED);
    }
}

static void what_is_odd_in_trailers_is_marked_and_the_head_counts_first(void **state)
{
    static const struct {
        const char *trailers;
        enum http1_ambiguity before, odd;
    } cases[] = {
        {"A: b\r\n\r\n", HTTP1_CLEAR, HTTP1_CLEAR},
        {"A: b\n\r\n", HTTP1_CLEAR, HTTP1_BARE_LF},
        {"\n", HTTP1_CLEAR, HTTP1_BARE_LF},
        {"nonsense\r\n\r\n", HTTP1_CLEAR, HTTP1_BAD_NAME},
        {"A: b\r\n c\r\n\r\n", HTTP1_CLEAR, HTTP1_FOLDED_LINE},
        {"nonsense\r\n\r\n", HTTP1_TWO_FRAMINGS, HTTP1_TWO_FRAMINGS},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct http1_state http1 = {.phases = {HTTP1_TRAILER},
                                    .ambiguities = {(uint8_t)cases[i].before}};
        struct message message = parse(&http1, SENDER_CLIENT, cases[i].trailers);
        struct bytes found = message_field(&message, HTTP1_FIELD_AMBIGUITY);

        assert_int_equal(message.flags, MESSAGE_ENDS);
        assert_int_equal(found.len ? found.ptr[0] : HTTP1_CLEAR, cases[i].odd);
    }
}

static void the_last_chunk_and_its_trailers_end_the_message(void **state)
{
    struct http1_state http1 = {.phases = {HTTP1_CHUNK}};
    struct message message;

    assert_int_equal(step(&http1, SENDER_CLIENT, false, "0\r\n", &message).status, PARSE_NONE);
    assert_int_equal(step(&http1, SENDER_CLIENT, false, "A: b\r\n", &message).status, PARSE_MORE);
    message = parse(&http1, SENDER_CLIENT, "A: b\r\n\r\nGET ");
    assert_int_equal(message.kind, MESSAGE_PART);
    assert_int_equal(message.flags, MESSAGE_ENDS);
    assert_int_equal(message.head.len, strlen("A: b\r\n\r\n"));
    assert_int_equal(message.n_fields, 1);
    assert_field(&message, HTTP1_FIELD_BODY_SIZE, "0");
    assert_int_equal(http1.phases[SENDER_CLIENT], HTTP1_START);
}

static void the_last_part_of_a_chunked_message_has_the_size_of_its_body(void **state)
{
    struct http1_state http1 = {0};
    struct message message = parse(&http1, SENDER_SERVER,
                                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");

    assert_null(message_field(&message, HTTP1_FIELD_BODY_SIZE).ptr);
    step(&http1, SENDER_SERVER, false, "10;name=value\r\n", &message);
    step(&http1, SENDER_SERVER, false, "fff\n", &message);
    step(&http1, SENDER_SERVER, false, "0\r\n", &message);
    message = parse(&http1, SENDER_SERVER, "\r\n");
    assert_field(&message, HTTP1_FIELD_BODY_SIZE, "4111");
    assert_int_equal(message_field(&message, HTTP1_FIELD_AMBIGUITY).ptr[0], HTTP1_BARE_LF_CHUNK);
}

static void chunks_that_nobody_can_add_up_have_no_size(void **state)
{
    struct http1_state http1 = {.phases = {HTTP1_CHUNK}};
    struct message message;

    for (unsigned i = 0; i < 3; i++)
        step(&http1, SENDER_CLIENT, false, "7fffffffffffffff\r\n", &message);
    step(&http1, SENDER_CLIENT, false, "0\r\n", &message);
    message = parse(&http1, SENDER_CLIENT, "\r\n");
    assert_null(message_field(&message, HTTP1_FIELD_BODY_SIZE).ptr);
}

static void every_context_of_a_request_is_handed_on_and_none_of_a_response(void **state)
{
    struct http1_state http1 = {0};
    struct message message = parse(&http1, SENDER_CLIENT,
        "GET / HTTP/1.1\r\nX-B3-TraceId: 1\r\nTRACESTATE: a=1\r\nX-B3: no\r\nb3: 2\r\n"
        "tracestate:b=2\r\nX-Datadog-Sampling-Priority: 3\r\n\r\n");

    assert_field(&message, CONTEXT_B3_TRACE_ID, "1");
    assert_field(&message, CONTEXT_TRACESTATE, "a=1");
    assert_field(&message, CONTEXT_B3, "2");
    assert_field(&message, CONTEXT_DATADOG_PRIORITY, "3");
    assert_int_equal(message.n_fields, 3 + 5);
    message = parse(&http1, SENDER_SERVER, "HTTP/1.1 204 x\r\ntraceparent: 00-x\r\n\r\n");
    assert_int_equal(message.n_fields, 1);
}

static void more_contexts_than_there_is_room_for_do_no_harm(void **state)
{
    struct http1_state http1 = {0};
    struct message message;
    char text[2048] = "PUT / HTTP/1.0\r\nHost: a\r\nUser-Agent: b\r\nContent-Length: 1\r\n"
                      "Host: c\r\n";

    for (unsigned i = 0; i < HTTP1_CONTEXTS_MAX; i++)
        strcat(text, "tracestate: a=1\r\n");
    strcat(text, "\r\n");
    message = parse(&http1, SENDER_CLIENT, text);
    assert_int_equal(message.n_fields, 7 + HTTP1_CONTEXTS_MAX);
    assert_non_null(message_field(&message, HTTP1_FIELD_AMBIGUITY).ptr);

    strcpy(text + strlen(text) - 2, "tracestate: a=1\r\n\r\n");
    message = parse(&http1, SENDER_CLIENT, text);
    assert_int_equal(message.n_fields, 7 + 1);
    assert_field(&message, CONTEXT_TRACESTATE, "a");
    assert_non_null(message_field(&message, HTTP1_FIELD_AMBIGUITY).ptr);
}

static void a_cut_head_says_what_its_start_line_told(void **state)
{
    static const struct {
        enum sender sender;
        const char *text;
        enum parse_status status;
    } cases[] = {
        {SENDER_CLIENT, "GE", PARSE_BAD},
        {SENDER_CLIENT, "GET ", PARSE_BAD},
        {SENDER_CLIENT, "GET /ord", PARSE_MESSAGE},
        {SENDER_CLIENT, "GET /ord HTTP/1.1\r\nHost: a\r\nX: ", PARSE_MESSAGE},
        {SENDER_SERVER, "HTTP/1.1 20", PARSE_BAD},
        {SENDER_SERVER, "HTTP/1.1 200", PARSE_MESSAGE},
        {SENDER_SERVER, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-", PARSE_MESSAGE},
        {SENDER_SERVER, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", PARSE_MESSAGE},
        {SENDER_CLIENT, "", PARSE_BAD},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct http1_state http1 = {0};
        struct message message;
        struct parse_result result = step(&http1, cases[i].sender, true, cases[i].text, &message);

        assert_int_equal(result.status, cases[i].status);
        if (result.status == PARSE_BAD)
            continue;
        assert_int_equal(message.flags, MESSAGE_ENDS | MESSAGE_TRUNCATED);
        assert_int_equal(result.used, strlen(cases[i].text));
        assert_int_equal(result.skip, 0);
        assert_int_equal(http1.phases[cases[i].sender], HTTP1_START);
    }
}

static void a_cut_request_still_counts_for_the_framing_of_its_response(void **state)
{
    struct http1_state http1 = {0};
    struct message message;

    step(&http1, SENDER_CLIENT, true, "HEAD /long/pa", &message);
    assert_int_equal(step(&http1, SENDER_SERVER, false,
                          "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", &message).skip, 0);
}

static void cut_chunk_lines_are_bad_and_cut_trailers_end_the_message(void **state)
{
    struct http1_state http1 = {.phases = {HTTP1_CHUNK, HTTP1_TRAILER}};
    struct message message;

    assert_int_equal(step(&http1, SENDER_CLIENT, true, "5", &message).status, PARSE_BAD);
    assert_int_equal(step(&http1, SENDER_SERVER, true, "Digest: ", &message).status,
                     PARSE_MESSAGE);
    assert_int_equal(message.flags, MESSAGE_ENDS | MESSAGE_TRUNCATED);
}

static void a_head_beyond_its_limit_is_bad(void **state)
{
    static char text[HTTP1_HEAD_MAX + 64] = "GET / HTTP/1.1\r\nX: ";
    struct http1_state http1 = {0};
    struct message message;
    size_t begin = strlen(text);

    memset(text + begin, 'x', HTTP1_HEAD_MAX - 4 - begin);
    strcpy(text + HTTP1_HEAD_MAX - 4, "\r\n\r\n");
    assert_int_equal(step(&http1, SENDER_CLIENT, false, text, &message).status, PARSE_MESSAGE);
    strcpy(text + HTTP1_HEAD_MAX - 4, "x\r\n\r\n");
    assert_int_equal(step(&http1, SENDER_CLIENT, false, text, &message).status, PARSE_BAD);
    text[HTTP1_HEAD_MAX - 1] = '\0';
    assert_int_equal(step(&http1, SENDER_CLIENT, false, text, &message).status, PARSE_MORE);
    strcpy(text + HTTP1_HEAD_MAX - 4, "xxxx");
    assert_int_equal(step(&http1, SENDER_CLIENT, false, text, &message).status, PARSE_BAD);
}

static void what_is_not_http_is_bad(void **state)
{
    struct http1_state http1 = {0};
    struct message message;

    assert_int_equal(step(&http1, SENDER_CLIENT, false, "HTTP/1.1 200 OK\r\n\r\n", &message).status,
                     PARSE_BAD);
    assert_int_equal(step(&http1, SENDER_SERVER, false, "GET / HTTP/1.1\r\n\r\n", &message).status,
                     PARSE_BAD);
    assert_int_equal(step(&http1, SENDER_CLIENT, false, "PRI * HTTP/2.0\r\n\r\n", &message).status,
                     PARSE_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_carries_the_fields_that_describe_needs),
        cmocka_unit_test(a_switch_of_protocols_names_its_successor),
        cmocka_unit_test(request_bodies_end_as_rfc_9112_says),
        cmocka_unit_test(what_can_be_read_in_two_ways_is_marked),
        cmocka_unit_test(a_nul_in_a_header_is_marked),
        cmocka_unit_test(an_odd_version_is_neither_shown_nor_taken_for_a_cut),
        cmocka_unit_test(behind_a_body_without_a_known_end_only_resync_goes_on),
        cmocka_unit_test(the_last_part_of_a_chunked_message_has_the_size_of_its_body),
        cmocka_unit_test(chunks_that_nobody_can_add_up_have_no_size),
        cmocka_unit_test(every_context_of_a_request_is_handed_on_and_none_of_a_response),
        cmocka_unit_test(more_contexts_than_there_is_room_for_do_no_harm),
        cmocka_unit_test(response_bodies_end_as_rfc_9112_says),
        cmocka_unit_test(a_body_size_is_given_only_where_it_frames_a_body),
        cmocka_unit_test(each_answer_belongs_to_its_request_however_many_are_open),
        cmocka_unit_test(nothing_is_said_behind_more_open_requests_than_are_kept),
        cmocka_unit_test(chunk_lines_say_how_much_is_skipped_and_what_is_odd_in_them),
        cmocka_unit_test(what_is_odd_in_trailers_is_marked_and_the_head_counts_first),
        cmocka_unit_test(the_last_chunk_and_its_trailers_end_the_message),
        cmocka_unit_test(a_cut_head_says_what_its_start_line_told),
        cmocka_unit_test(a_cut_request_still_counts_for_the_framing_of_its_response),
        cmocka_unit_test(cut_chunk_lines_are_bad_and_cut_trailers_end_the_message),
        cmocka_unit_test(a_head_beyond_its_limit_is_bad),
        cmocka_unit_test(what_is_not_http_is_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
