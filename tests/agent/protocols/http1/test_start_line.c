/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/http1/start_line.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_text(struct bytes found, const char *expected)
{
    assert_int_equal(found.len, strlen(expected));
    assert_memory_equal(found.ptr, expected, found.len);
}

static void a_request_line_gives_its_parts(void **state)
{
    struct request_line line;

    assert_int_equal(request_line_match(BYTES_LITERAL("GET /a?b HTTP/1.1\r\nHost: x"), &line),
                     LINE_FITS);
    assert_text(line.method, "GET");
    assert_text(line.target, "/a?b");
    assert_text(line.version, "1.1");
    assert_int_equal(line.len, strlen("GET /a?b HTTP/1.1\r\n"));
}

static void a_status_line_gives_version_and_code(void **state)
{
    struct status_line line;

    assert_int_equal(status_line_match(BYTES_LITERAL("HTTP/1.0 404 Not Found\r\n"), &line),
                     LINE_FITS);
    assert_text(line.version, "1.0");
    assert_int_equal(line.code, 404);
    assert_int_equal(line.len, strlen("HTTP/1.0 404 Not Found\r\n"));
}

static void valid_lines_fit_and_their_beginnings_want_more(void **state)
{
    static const char *const requests[] = {
        "GET / HTTP/1.1\r\n",        "GET / HTTP/1.0\n",          "OPTIONS * HTTP/1.1\r\n",
        "CONNECT a:1 HTTP/1.1\r\n",  "GET http://a/b HTTP/1.1\n", "M-SEARCH * HTTP/1.1\r\n",
        "x!#$%&'*+-.^_`|~ / HTTP/1.9\r\n", "GET /\xc3\xa4 HTTP/1.1\r\n",
    };
    static const char *const responses[] = {
        "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 \r\n", "HTTP/1.1 200\r\n", "HTTP/1.0 999 ?\n",
    };
    struct request_line request;
    struct status_line status;

    for (size_t i = 0; i < ELEMENTSOF(requests); i++) {
        struct bytes text = bytes_from_string(requests[i]);

        assert_int_equal(request_line_match(text, &request), LINE_FITS);
        for (size_t len = 0; len < text.len; len++)
            assert_int_equal(request_line_match(bytes_slice(text, 0, len), &request), LINE_MORE);
    }
    for (size_t i = 0; i < ELEMENTSOF(responses); i++) {
        struct bytes text = bytes_from_string(responses[i]);

        assert_int_equal(status_line_match(text, &status), LINE_FITS);
        for (size_t len = 0; len < text.len; len++)
            assert_int_equal(status_line_match(bytes_slice(text, 0, len), &status), LINE_MORE);
    }
}

static void other_lines_do_not_fit(void **state)
{
    static const char *const requests[] = {
        " GET / HTTP/1.1\r\n",  "GET  / HTTP/1.1\r\n",   "GET /  HTTP/1.1\r\n",
        "GET / HTTP/1.1 \r\n",  "GET /a b HTTP/1.1\r\n", "GET / http/1.1\r\n",
        "GET / HTTP/2.0\r\n",   "PRI * HTTP/2.0\r\n",    "GET / HTTP/1.x\r\n",
        "GET /\r\n",            "G(T / HTTP/1.1\r\n",    "GET /\x01 HTTP/1.1\r\n",
        "GET / HTTP/1.1\rx",    "HTTP/1.1 200 OK\r\n",   "GET / HTTP/1.11\r\n",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG",
    };
    static const char *const responses[] = {
        "HTTP/2 200\r\n",      "HTTP/1.1  200\r\n", "HTTP/1.1 20 OK\r\n",  "HTTP/1.1 2000\r\n",
        "HTTP/1.1 099 OK\r\n", "HTTP/1.1\r\n",      "http/1.1 200 OK\r\n", "ICY 200 OK\r\n",
    };
    struct request_line request;
    struct status_line status;

    for (size_t i = 0; i < ELEMENTSOF(requests); i++)
        assert_int_equal(request_line_match(bytes_from_string(requests[i]), &request), LINE_NO);
    for (size_t i = 0; i < ELEMENTSOF(responses); i++)
        assert_int_equal(status_line_match(bytes_from_string(responses[i]), &status), LINE_NO);
}

static void the_beginning_of_a_line_tells_what_it_has(void **state)
{
    struct request_line request;
    struct status_line status;

    assert_int_equal(request_line_match(BYTES_LITERAL("GET /par"), &request), LINE_MORE);
    assert_text(request.method, "GET");
    assert_text(request.target, "/par");
    assert_null(request.version.ptr);
    assert_int_equal(status_line_match(BYTES_LITERAL("HTTP/1.1 50"), &status), LINE_MORE);
    assert_int_equal(status.code, 0);
    assert_int_equal(status_line_match(BYTES_LITERAL("HTTP/1.1 503"), &status), LINE_MORE);
    assert_int_equal(status.code, 503);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_line_gives_its_parts),
        cmocka_unit_test(a_status_line_gives_version_and_code),
        cmocka_unit_test(valid_lines_fit_and_their_beginnings_want_more),
        cmocka_unit_test(other_lines_do_not_fit),
        cmocka_unit_test(the_beginning_of_a_line_tells_what_it_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
