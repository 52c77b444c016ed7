/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/otlp_http/endpoint.h"

#include "base/macro.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void each_kind_of_endpoint_has_its_url(void **state)
{
    static const struct {
        const char *text;
        enum otlp_origin kind;
        bool insecure;
        const char *url;
    } cases[] = {
        {"http://localhost:4318", OTLP_GENERAL, false, "http://localhost:4318/v1/traces"},
        {"http://host:80/otlp", OTLP_GENERAL, false, "http://host:80/otlp/v1/traces"},
        {"http://host:80/otlp/", OTLP_GENERAL, false, "http://host:80/otlp/v1/traces"},
        {"http://host:80/otlp/", OTLP_OF_SIGNAL, false, "http://host:80/otlp/"},
        {"http://host:80", OTLP_OF_SIGNAL, false, "http://host:80/"},
        {"https://host", OTLP_GIVEN, false, "https://host:4318/v1/traces"},
        {"https://host/", OTLP_GIVEN, false, "https://host:4318/v1/traces"},
        {"https://host/v1/traces", OTLP_GIVEN, false, "https://host:4318/v1/traces"},
        {"https://host/api?key=1", OTLP_GIVEN, false, "https://host:4318/api?key=1"},
        {"host:9", OTLP_GIVEN, false, "https://host:9/v1/traces"},
        {"host:9", OTLP_GIVEN, true, "http://host:9/v1/traces"},
        {"HTTP://host:9", OTLP_GIVEN, false, "http://host:9/v1/traces"},
        {"http://[::1]", OTLP_GIVEN, false, "http://[::1]:4318/v1/traces"},
        {"http://[::1]:80/x", OTLP_GIVEN, false, "http://[::1]:80/x"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        const char *problem = NULL;
        char url[URL_MAX];

        assert_int_equal(url_make(cases[i].text, cases[i].kind, cases[i].insecure, url, &problem),
                         0);
        assert_string_equal(url, cases[i].url);
    }
}

static void what_is_no_endpoint_is_refused_with_the_reason(void **state)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"ftp://host", "scheme"},     {"http://", "host"},        {"http:///v1/traces", "host"},
        {"http://user:pw@h", "host"}, {"http://:4318", "host"},   {"http://a b", "host"},
        {"http://h:99999", "port"},   {"http://h:0", "port"},     {"http://h:x/y", "port"},
        {"http://[::1]:", "port"},
    };
    char endless[2 * URL_MAX] = "http://host/", url[URL_MAX] = "untouched";
    const char *problem;

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        assert_int_equal(url_make(cases[i].text, OTLP_GIVEN, false, url, &problem), -EINVAL);
        assert_non_null(strstr(problem, cases[i].words));
    }
    memset(endless + strlen(endless), 'a', URL_MAX);
    assert_int_equal(url_make(endless, OTLP_GIVEN, false, url, &problem), -EINVAL);
    assert_string_equal(url, "untouched");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_endpoint_has_its_url),
        cmocka_unit_test(what_is_no_endpoint_is_refused_with_the_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
