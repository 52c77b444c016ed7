/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/http1/route.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void values_become_braces_and_words_stay(void **state)
{
    static const struct {
        const char *path, *route;
    } cases[] = {
        {"", ""},
        {"/", "/"},
        {"/orders", "/orders"},
        {"/orders/", "/orders/"},
        {"/a//b", "/a//b"},
        {"/orders/7", "/orders/{}"},
        {"/orders/4711/lines/2", "/orders/{}/lines/{}"},
        {"/users/123e4567-e89b-12d3-a456-426614174000", "/users/{}"},
        {"/blobs/9f86d081884c7d65", "/blobs/{}"},
        {"/blobs/deadbeef", "/blobs/deadbeef"},
        {"/blobs/deadbee1", "/blobs/{}"},
        {"/v1/users", "/v1/users"},
        {"/s3/utf8/b2b", "/s3/utf8/b2b"},
        {"/h264/12a", "/{}/{}"},
        {"/ab12", "/ab12"},
        {"/a123", "/{}"},
        {"/orders/ORD-2024-17", "/orders/{}"},
        {"/3/4", "/{}/{}"},
        {"17/x", "{}/x"},
        {"/blobs/DEADbeefcafebabe", "/blobs/{}"},
        {"/blobs/deadbeefcafebabes", "/blobs/deadbeefcafebabes"},
        {"/cart;jsessionid=6F2A/items;v=1", "/cart/items"},
        {"/users/alice@example.org", "/users/{}"},
        {"/search/caf\xc3\xa9/x", "/search/{}/x"},
        {"/tags/a%20b", "/tags/{}"},
        {"/points/a,b", "/points/{}"},
        {"/posts/how-to-write-a-parser-that-never-reads-past-its-end", "/posts/{}"},
        {"/posts/how-to-write-a-parser", "/posts/how-to-write-a-parser"},
        {"/projects:batch", "/projects:batch"},
        {"/.well-known/openid-configuration", "/.well-known/openid-configuration"},
        {"/2024-05-01/report.pdf", "/{}/report.pdf"},
        {"/~alice/a_b", "/~alice/a_b"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        uint8_t out[ROUTE_MAX];
        size_t len = route_write(bytes_from_string(cases[i].path), out);

        assert_int_equal(len, strlen(cases[i].route));
        assert_memory_equal(out, cases[i].route, len);
    }
}

static void a_long_path_ends_before_the_segment_without_room(void **state)
{
    uint8_t out[ROUTE_MAX], path[1000];

    /* Six segments of forty letters, each with its slash, are 246 bytes. */
    memset(path, 'x', sizeof(path));
    for (size_t i = 0; i < sizeof(path); i += 41)
        path[i] = '/';
    assert_int_equal(route_write(bytes_make(path, sizeof(path)), out), 246);
    memset(path, '/', sizeof(path));
    assert_int_equal(route_write(bytes_make(path, sizeof(path)), out), ROUTE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_become_braces_and_words_stay),
        cmocka_unit_test(a_long_path_ends_before_the_segment_without_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
