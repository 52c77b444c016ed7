/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/otlp_grpc/endpoint.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_endpoint(const char *url, const char *expected)
{
    char endpoint[ENDPOINT_MAX];
    const char *problem = NULL;

    assert_int_equal(endpoint_parse(url, endpoint, &problem), 0);
    assert_string_equal(endpoint, expected);
    assert_null(problem);
}

static void assert_refused(const char *url, int error, const char *words)
{
    char endpoint[ENDPOINT_MAX] = "untouched";
    const char *problem = NULL;

    assert_int_equal(endpoint_parse(url, endpoint, &problem), error);
    assert_string_equal(endpoint, "untouched");
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
    assert_refused("http://::1:4317", -EINVAL, "host");
    assert_refused("http://[::1", -EINVAL, "host");
    assert_refused("http://[host]:4317", -EINVAL, "host");
}

static void https_says_that_tls_is_not_supported_yet(void **state)
{
    assert_refused("https://localhost:4317", -EPROTONOSUPPORT, "TLS is not supported yet");
}

static void what_is_no_endpoint_is_refused_with_the_reason(void **state)
{
    char *endless = calloc(1, 2 * ENDPOINT_MAX);

    memset(endless, 'a', 2 * ENDPOINT_MAX - 1);
    assert_refused(endless, -EINVAL, "host");
    free(endless);
    assert_refused("http://", -EINVAL, "host");
    assert_refused("http://user@host:4317", -EINVAL, "host");
    assert_refused("unix:///run/collector", -EINVAL, "scheme");
    assert_refused("http://host:4318/v1/traces", -EINVAL, "no path");
    assert_refused("http://host:4317?x=y", -EINVAL, "no path");
    assert_refused("host:0", -EINVAL, "port");
    assert_refused("host:65536", -EINVAL, "port");
    assert_refused("host:", -EINVAL, "port");
    assert_refused("host:port", -EINVAL, "port");
}

static void without_a_target_the_environment_decides(void **state)
{
    unsetenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    unsetenv("OTEL_EXPORTER_OTLP_ENDPOINT");
    assert_string_equal(endpoint_choose(""), "http://localhost:4317");
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:1", 1);
    assert_string_equal(endpoint_choose(""), "http://all:1");
    setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:2", 1);
    assert_string_equal(endpoint_choose(""), "http://traces:2");
    setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "", 1);
    assert_string_equal(endpoint_choose(""), "http://all:1");
    assert_string_equal(endpoint_choose("given:3"), "given:3");
    unsetenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    unsetenv("OTEL_EXPORTER_OTLP_ENDPOINT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_endpoint_is_a_url_or_host_and_port),
        cmocka_unit_test(the_port_is_4317_where_none_is_given),
        cmocka_unit_test(an_ipv6_address_stands_in_brackets),
        cmocka_unit_test(https_says_that_tls_is_not_supported_yet),
        cmocka_unit_test(what_is_no_endpoint_is_refused_with_the_reason),
        cmocka_unit_test(without_a_target_the_environment_decides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
