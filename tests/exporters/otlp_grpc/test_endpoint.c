/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/otlp_grpc/endpoint.h"

#include "base/macro.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_endpoint(const char *url, const char *expected)
{
    const char *problem = NULL;
    struct endpoint endpoint;

    assert_int_equal(endpoint_parse(url, true, &endpoint, &problem), 0);
    assert_string_equal(endpoint.host_port, expected);
    assert_false(endpoint.tls);
    assert_null(problem);
}

static void assert_refused(const char *url, const char *words)
{
    struct endpoint endpoint = {"untouched", false};
    const char *problem = NULL;

    assert_int_equal(endpoint_parse(url, true, &endpoint, &problem), -EINVAL);
    assert_string_equal(endpoint.host_port, "untouched");
    assert_non_null(strstr(problem, words));
}

static void an_endpoint_is_a_url_or_host_and_port(void **state)
{
    assert_endpoint("http://localhost:4317", "localhost:4317");
    assert_endpoint("http://collector.example.org:14317/", "collector.example.org:14317");
    assert_endpoint("127.0.0.1:5000", "127.0.0.1:5000");
    assert_endpoint("HTTP://host:1", "host:1");
}

static void the_port_is_4317_where_none_is_given(void **state)
{
    assert_endpoint("collector", "collector:4317");
    assert_endpoint("http://collector/", "collector:4317");
    assert_endpoint("http://[::1]", "[::1]:4317");
}

static void an_ipv6_address_stands_in_brackets(void **state)
{
    assert_endpoint("http://[2001:db8::7]:4318", "[2001:db8::7]:4318");
    assert_endpoint("[::1]:4317", "[::1]:4317");
    assert_refused("http://::1:4317", "host");
    assert_refused("http://[::1", "host");
    assert_refused("http://[host]:4317", "host");
}

static void https_is_tls_and_so_is_no_scheme_unless_insecure(void **state)
{
    static const struct {
        const char *url;
        bool insecure, tls;
    } cases[] = {
        {"https://host:4317", true, true},
        {"http://host:4317", false, false},
        {"host:4317", false, true},
        {"host:4317", true, false},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct endpoint endpoint;
        const char *problem;

        assert_int_equal(endpoint_parse(cases[i].url, cases[i].insecure, &endpoint, &problem), 0);
        assert_string_equal(endpoint.host_port, "host:4317");
        assert_int_equal(endpoint.tls, cases[i].tls);
    }
}

static void what_is_no_endpoint_is_refused_with_the_reason(void **state)
{
    char *endless = calloc(1, 2 * ENDPOINT_MAX);

    memset(endless, 'a', 2 * ENDPOINT_MAX - 1);
    assert_refused(endless, "host");
    free(endless);
    assert_refused("http://", "host");
    assert_refused("http://user@host:4317", "host");
    assert_refused("unix:///run/collector", "scheme");
    assert_refused("http://host:4318/v1/traces", "no path");
    assert_refused("http://host:4317?x=y", "no path");
    assert_refused("host:0", "port");
    assert_refused("host:65536", "port");
    assert_refused("host:", "port");
    assert_refused("host:port", "port");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_endpoint_is_a_url_or_host_and_port),
        cmocka_unit_test(the_port_is_4317_where_none_is_given),
        cmocka_unit_test(an_ipv6_address_stands_in_brackets),
        cmocka_unit_test(https_is_tls_and_so_is_no_scheme_unless_insecure),
        cmocka_unit_test(what_is_no_endpoint_is_refused_with_the_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
