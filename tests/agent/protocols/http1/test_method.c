/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/http1/method.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void the_nine_methods_of_the_conventions_are_conventional(void **state)
{
    static const char *const yes[] = {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS",
                                      "PATCH",   "POST",   "PUT", "TRACE"};
    static const char *const no[] = {"", "GE", "GETS", "get", "PROPFIND", "PRI", "GET "};

    for (size_t i = 0; i < ELEMENTSOF(yes); i++)
        assert_true(method_is_conventional(bytes_from_string(yes[i])));
    for (size_t i = 0; i < ELEMENTSOF(no); i++)
        assert_false(method_is_conventional(bytes_from_string(no[i])));
}

static void a_registered_method_may_begin_with_any_of_its_beginnings(void **state)
{
    static const char *const yes[] = {"GET /", "GET ", "GET", "G", "PROPFIND /", "VERSION-CONTROL ",
                                      "UPDATE", "QUERY /"};
    static const char *const no[] = {"", "PRI * HTTP/2.0", "GETS /", "get /", "X", "HTTP/1.1"};

    for (size_t i = 0; i < ELEMENTSOF(yes); i++)
        assert_true(method_may_begin(bytes_from_string(yes[i])));
    for (size_t i = 0; i < ELEMENTSOF(no); i++)
        assert_false(method_may_begin(bytes_from_string(no[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nine_methods_of_the_conventions_are_conventional),
        cmocka_unit_test(a_registered_method_may_begin_with_any_of_its_beginnings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
