/* SPDX-License-Identifier: Apache-2.0 */
#include "config/forms.h"

#include "base/macro.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void ports_are_a_number_or_a_range(void **state)
{
    uint16_t first = 0, last = 0;

    assert_int_equal(form_parse_ports("80", &first, &last), 0);
    assert_int_equal(first, 80);
    assert_int_equal(last, 80);
    assert_int_equal(form_parse_ports("8000-65535", &first, &last), 0);
    assert_int_equal(first, 8000);
    assert_int_equal(last, 65535);
}

static void other_ports_are_refused_and_write_nothing(void **state)
{
    static const char *const bad[] = {"",    "0",     "0-80",  "80-",     "-80",  "81-80", "http",
                                      "1-2-3", "65536", "80-65536", "80 ", "+80", "1,2"};
    uint16_t first = 7, last = 7;

    for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
        assert_int_equal(form_parse_ports(bad[i], &first, &last), -EINVAL);
        assert_false(form_is_ports(bad[i]));
    }
    assert_int_equal(first, 7);
    assert_int_equal(last, 7);
}

static void an_address_is_numeric_with_a_port(void **state)
{
    struct sockaddr_storage address;
    struct sockaddr_in *in = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address;
    socklen_t length;

    assert_int_equal(form_parse_address("127.0.0.1:9465", &address, &length), 0);
    assert_int_equal(length, sizeof(*in));
    assert_int_equal(in->sin_family, AF_INET);
    assert_int_equal(ntohl(in->sin_addr.s_addr), 0x7f000001);
    assert_int_equal(ntohs(in->sin_port), 9465);
    assert_int_equal(form_parse_address("[::1]:0", &address, &length), 0);
    assert_int_equal(length, sizeof(*in6));
    assert_int_equal(in6->sin6_family, AF_INET6);
    assert_int_equal(in6->sin6_addr.s6_addr[15], 1);
    assert_int_equal(in6->sin6_port, 0);
}

static void other_addresses_are_refused(void **state)
{
    static const char *const bad[] = {
        "127.0.0.1", ":80",    "localhost:80", "127.0.0.1:",      "127.0.0.1:65536", "::1:80",
        "[::1]",     "[::1:80", "[]:80",       "[127.0.0.1]:80", "127.0.0.1:http",
        "[1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111]:80"};
    struct sockaddr_storage address;
    socklen_t length;

    for (size_t i = 0; i < ELEMENTSOF(bad); i++)
        assert_int_equal(form_parse_address(bad[i], &address, &length), -EINVAL);
    assert_true(form_is_address_or_empty(""));
    assert_false(form_is_address_or_empty("localhost:80"));
}

static void an_export_is_a_word_with_or_without_a_target(void **state)
{
    assert_true(form_is_export("console"));
    assert_true(form_is_export("file:/tmp/a:b"));
    assert_true(form_is_export("otlp:http://127.0.0.1:4317"));
    assert_false(form_is_export(""));
    assert_false(form_is_export(":x"));
    assert_false(form_is_export("file:"));
    assert_false(form_is_export("File:x"));
}

static void the_small_forms_take_what_they_name(void **state)
{
    assert_true(form_is_netns("4026531840"));
    assert_false(form_is_netns("4294967296"));
    assert_false(form_is_netns("net"));
    assert_true(form_is_log_level("debug"));
    assert_false(form_is_log_level("DEBUG"));
    assert_true(form_is_pair("team=a=b"));
    assert_true(form_is_pair("team="));
    assert_false(form_is_pair("team"));
    assert_false(form_is_pair("=a"));
    assert_true(form_is_not_empty("*"));
    assert_false(form_is_not_empty(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_are_a_number_or_a_range),
        cmocka_unit_test(other_ports_are_refused_and_write_nothing),
        cmocka_unit_test(an_address_is_numeric_with_a_port),
        cmocka_unit_test(other_addresses_are_refused),
        cmocka_unit_test(an_export_is_a_word_with_or_without_a_target),
        cmocka_unit_test(the_small_forms_take_what_they_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
