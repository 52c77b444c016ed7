/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/http1/http1.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void probe_tells_the_two_sides_apart(void **state)
{
    static const struct {
        const char *text;
        enum probe_result result;
    } cases[] = {
        {"", PROBE_MORE},
        {"G", PROBE_MORE},
        {"GET /index", PROBE_MORE},
        {"GET / HTTP/1.1\r", PROBE_MORE},
        {"GET / HTTP/1.1\r\n", PROBE_CLIENT},
        {"FROBNICATE /x HTTP/1.1\r\n", PROBE_CLIENT},
        {"H", PROBE_MORE},
        {"HTTP/1.1 20", PROBE_MORE},
        {"HTTP/1.1 200", PROBE_SERVER},
        {"HTTP/1.1 200 OK\r\n", PROBE_SERVER},
        {"HEAD / HTTP/1.0\r\n", PROBE_CLIENT},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", PROBE_NO},
        {"PRI * HTTP/2", PROBE_NO},
        {"PRI * HTTP/", PROBE_MORE},
        {"OPTIONS rtsp://a/b RTSP/1.0\r\n", PROBE_NO},
        {"INVITE sip:a@b SIP/2.0\r\n", PROBE_NO},
        {"get key\r\n", PROBE_NO},
        {"*1\r\n$4\r\nPING\r\n", PROBE_NO},
        {"SSH-2.0-OpenSSH\r\n", PROBE_NO},
        {"\x16\x03\x01", PROBE_NO},
        {"\r\n\nGET / HTTP/1.1\r\n", PROBE_CLIENT},
        {"\r\n", PROBE_MORE},
        {"\r\nSSH-2.0-OpenSSH\r\n", PROBE_NO},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        assert_int_equal(http1_probe(bytes_from_string(cases[i].text), DELIVERY_STREAM), cases[i].result);
}

static void a_long_path_needs_no_end_behind_a_conventional_method_only(void **state)
{
    uint8_t text[200] = "GET /";

    memset(text + 5, 'a', sizeof(text) - 5);
    assert_int_equal(http1_probe(bytes_make(text, sizeof(text)), DELIVERY_STREAM), PROBE_CLIENT);
    text[1] = 'O';
    assert_int_equal(http1_probe(bytes_make(text, sizeof(text)), DELIVERY_STREAM), PROBE_MORE);
}

static void probe_gives_up_on_an_endless_line(void **state)
{
    static uint8_t text[HTTP1_HEAD_MAX] = "GOT /";

    memset(text + 5, 'a', sizeof(text) - 5);
    assert_int_equal(http1_probe(bytes_make(text, sizeof(text)), DELIVERY_STREAM), PROBE_NO);
}

static size_t resync(struct http1_state *http1, enum sender sender, const char *text)
{
    struct parse_input input = {.sender = sender, .data = bytes_from_string(text)};

    return http1_resync(http1, &input);
}

static void resync_finds_the_next_start_line_of_the_sender(void **state)
{
    static const struct {
        enum sender sender;
        const char *text;
        size_t offset;
    } cases[] = {
        {SENDER_CLIENT, "GET / HTTP/1.1\r\n", 0},
        {SENDER_CLIENT, "body\"}GET / HTTP/1.1\r\n", 6},
        {SENDER_CLIENT, "a=1&b=2POST / HTTP/1.1\r\n", 7},
        {SENDER_CLIENT, "GET rid of it\nPUT /x HTTP/1.1\r\n", 14},
        {SENDER_CLIENT, "xxx\nGE", 4},
        {SENDER_CLIENT, "xxx\nGET /half", 4},
        {SENDER_CLIENT, "HTTP/1.1 200 OK\r\n\r\n", 19},
        {SENDER_CLIENT, "nothing here", 12},
        {SENDER_CLIENT, "", 0},
        {SENDER_SERVER, "HTTP/1.1 200 OK\r\n", 0},
        {SENDER_SERVER, "</html>HTTP/1.1 302 Found\r\n", 7},
        {SENDER_SERVER, "GET / HTTP/1.1\r\nHTTP/1.1 200 OK", 16},
        {SENDER_SERVER, "xxHTTP/1", 2},
        {SENDER_SERVER, "GET / HTTP/1.1\r\n", 16},
    };
    struct http1_state http1 = {0};

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        assert_int_equal(resync(&http1, cases[i].sender, cases[i].text), cases[i].offset);
}

static void resync_forgets_the_unfinished_message_of_one_side(void **state)
{
    struct http1_state http1 = {.phases = {HTTP1_CHUNK, HTTP1_TRAILER}};

    resync(&http1, SENDER_SERVER, "");
    assert_int_equal(http1.phases[SENDER_SERVER], HTTP1_START);
    assert_int_equal(http1.phases[SENDER_CLIENT], HTTP1_CHUNK);
}

static void of_the_open_requests_the_newest_survives_lost_responses(void **state)
{
    struct http1_state http1 = {.n_open = 3, .heads = {4}, .connects = {3}};

    resync(&http1, SENDER_CLIENT, "");
    assert_int_equal(http1.n_open, 3);
    resync(&http1, SENDER_SERVER, "");
    assert_int_equal(http1.n_open, 1);
    assert_int_equal(http1.first_open, 2);
    assert_int_equal(http1.heads[0], 4);
    assert_int_equal(http1.connects[0], 0);
}

static void behind_lost_bytes_only_a_clean_request_line_is_believed(void **state)
{
    struct http1_state http1 = {0};
    struct parse_input input = {SENDER_CLIENT, false, BYTES_LITERAL("a body with GET /9"), NULL};
    struct message message;

    assert_int_equal(http1_resync(&http1, &input), strlen("a body with "));
    input.data = BYTES_LITERAL("GET /9POST /7 HTTP/1.1\r\n\r\n");
    assert_int_equal(http1_parse(&http1, &input, &message).status, PARSE_BAD);
    assert_int_equal(http1_resync(&http1, &input), strlen("GET /9"));
    input.data = bytes_skip(input.data, strlen("GET /9"));
    assert_int_equal(http1_parse(&http1, &input, &message).status, PARSE_MESSAGE);
    input.data = BYTES_LITERAL("GET  /8 HTTP/1.1\r\n\r\n");
    assert_int_equal(http1_parse(&http1, &input, &message).status, PARSE_MESSAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(behind_lost_bytes_only_a_clean_request_line_is_believed),
        cmocka_unit_test(probe_tells_the_two_sides_apart),
        cmocka_unit_test(a_long_path_needs_no_end_behind_a_conventional_method_only),
        cmocka_unit_test(probe_gives_up_on_an_endless_line),
        cmocka_unit_test(resync_finds_the_next_start_line_of_the_sender),
        cmocka_unit_test(resync_forgets_the_unfinished_message_of_one_side),
        cmocka_unit_test(of_the_open_requests_the_newest_survives_lost_responses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
