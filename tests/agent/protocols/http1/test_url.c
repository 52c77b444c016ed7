/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/http1/url.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* NULL: the part must be missing. */
static void assert_part(struct bytes found, const char *expected)
{
    if (!expected) {
        assert_int_equal(found.len, 0);
        return;
    }
    assert_int_equal(found.len, strlen(expected));
    assert_memory_equal(found.ptr, expected, found.len);
}

static void targets_are_taken_apart(void **state)
{
    static const struct {
        const char *method, *target, *header;
        const char *scheme, *host, *authority, *path, *query;
        uint16_t port;
    } cases[] = {
        {"GET", "/a/b?c=d", "shop:8080", "http", "shop", "shop:8080", "/a/b", "c=d", 8080},
        {"GET", "/", "shop", "http", "shop", "shop", "/", NULL, 80},
        {"GET", "/?", "shop", "http", "shop", "shop", "/", "", 80},
        {"GET", "/a?b?c", "[::1]:81", "http", "::1", "[::1]:81", "/a", "b?c", 81},
        {"GET", "/a", "[fe80::1]", "http", "fe80::1", "[fe80::1]", "/a", NULL, 80},
        {"GET", "/a", "", "http", NULL, NULL, "/a", NULL, 80},
        {"GET", "/go?to=http://x/y", "shop", "http", "shop", "shop", "/go", "to=http://x/y", 80},
        {"GET", "//x/y", "shop", "http", "shop", "shop", "//x/y", NULL, 80},
        {"GET", "https://u:p@shop/a?b", "proxy:1", "https", "shop", "shop", "/a", "b", 443},
        {"GET", "http://shop:88", "proxy", "http", "shop", "shop:88", "/", NULL, 88},
        {"GET", "http://shop?q", "proxy", "http", "shop", "shop", "/", "q", 80},
        {"GET", "ws://shop/", "proxy", "ws", "shop", "shop", "/", NULL, 0},
        {"GET", "/a", "shop:", "http", "shop", "shop:", "/a", NULL, 80},
        {"GET", "/a", "shop:x", "http", "shop", "shop:x", "/a", NULL, 0},
        {"GET", "/a", "shop:65536", "http", "shop", "shop:65536", "/a", NULL, 0},
        {"OPTIONS", "*", "shop", "http", "shop", "shop", NULL, NULL, 80},
        {"CONNECT", "shop:443", "proxy", NULL, "shop", "shop:443", NULL, NULL, 443},
        {"CONNECT", "[::1]:443", "proxy", NULL, "::1", "[::1]:443", NULL, NULL, 443},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct http1_url url = url_read(false, bytes_from_string(cases[i].method),
                                        bytes_from_string(cases[i].target),
                                        bytes_from_string(cases[i].header));

        assert_part(url.scheme, cases[i].scheme);
        assert_part(url.host, cases[i].host);
        assert_part(url.authority, cases[i].authority);
        assert_part(url.path, cases[i].path);
        assert_part(url.query, cases[i].query);
        assert_int_equal(url_port(&url), cases[i].port);
    }
}

static void a_question_mark_alone_is_a_query_that_is_empty(void **state)
{
    struct bytes get = BYTES_LITERAL("GET");

    assert_non_null(url_read(false, get, BYTES_LITERAL("/?"), BYTES_NULL).query.ptr);
    assert_null(url_read(false, get, BYTES_LITERAL("/"), BYTES_NULL).query.ptr);
}

static void behind_tls_the_scheme_is_https_unless_the_target_names_one(void **state)
{
    struct bytes get = BYTES_LITERAL("GET"), host = BYTES_LITERAL("shop");
    struct http1_url url = url_read(true, get, BYTES_LITERAL("/a"), host);

    assert_part(url.scheme, "https");
    assert_int_equal(url_port(&url), 443);
    assert_part(url_read(true, get, BYTES_LITERAL("http://shop/"), host).scheme, "http");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_taken_apart),
        cmocka_unit_test(a_question_mark_alone_is_a_query_that_is_empty),
        cmocka_unit_test(behind_tls_the_scheme_is_https_unless_the_target_names_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
