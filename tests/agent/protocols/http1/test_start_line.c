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
        "PRI * HTTP/2.0\r\n",   "PRI  * HTTP/2.0\r\n",   "GET /\r\n",
        "G(T / HTTP/1.1\r\n",   "G3T  / HTTP/1.1\r\n",   "HTTP/1.1 200 OK\r\n",
        "GET /  \r\n",          "GET  HTTP/1.1\r\n",     "GET / XHTTP/1.1\r\n",
        "GET / http:a\r\n",     "gET  / HTTP/1.1\r\n",   "\r\n",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG", "half of a body GET / HTTP/1.1\r\n",
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

static void what_some_serve_and_others_refuse_is_a_request_and_odd(void **state)
{
    static const struct {
        const char *line;
        const char *target, *version;
        enum line_oddity odd;
    } cases[] = {
        {"GET / HTTP/1.9\r\n", "/", "1.9", LINE_CLEAN},
        {"GET  / HTTP/1.1\r\n", "/", "1.1", LINE_BLANKS},
        {"GET /  HTTP/1.1\r\n", "/", "1.1", LINE_BLANKS},
        {"GET / HTTP/1.1 \r\n", "/", "1.1", LINE_BLANKS},
        {"GET / HTTP/1.1\t\n", "/", "1.1", LINE_BLANKS},
        {" GET / HTTP/1.1\r\n", "/", "1.1", LINE_BLANKS},
        {"GET\t/\vHTTP/1.0\r\n", "/", "1.0", LINE_BLANKS},
        {"GET /a b HTTP/1.1\r\n", "/a b", "1.1", LINE_BLANKS},
        {"GET /a HTTP/1.1 HTTP/1.0\r\n", "/a HTTP/1.1", "1.0", LINE_BLANKS},
        {"GET /\x01 HTTP/1.1\r\n", "/\x01", "1.1", LINE_BLANKS},
        {"GET / HTTP/1.1\rHost: x\r\n", "/", "1.1", LINE_BLANKS},
        {"GET / HTTP/1.10\r\n", "/", "1.10", LINE_VERSION},
        {"GET / HTTP/1.x\r\n", "/", "1.x", LINE_VERSION},
        {"GET  / HTTP/1.\r\n", "/", "1.", LINE_VERSION},
        {"GET / HTTP/01.1\r\n", "/", "01.1", LINE_VERSION},
        {"GET / HTTP/2.0\r\n", "/", "2.0", LINE_VERSION},
        {"GET / HTTP/11\r\n", "/", "11", LINE_VERSION},
        {"GET / http/1.1\r\n", "/", "1.1", LINE_VERSION},
        {"GET / HTTPS/1.1\r\n", "/", "/1.1", LINE_VERSION},
        {"GET / HTTP\r\n", "/", "", LINE_VERSION},
    };
    struct request_line line;

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct bytes text = bytes_from_string(cases[i].line);

        assert_int_equal(request_line_match(text, &line), LINE_FITS);
        assert_text(line.method, "GET");
        assert_text(line.target, cases[i].target);
        assert_text(line.version, cases[i].version);
        assert_int_equal(line.odd, cases[i].odd);
        assert_int_equal(line.len, text.len);
        for (size_t len = 5; len < text.len; len++)
            assert_int_equal(request_line_match(bytes_slice(text, 0, len), &line), LINE_MORE);
    }
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
        cmocka_unit_test(what_some_serve_and_others_refuse_is_a_request_and_odd),
        cmocka_unit_test(the_beginning_of_a_line_tells_what_it_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
