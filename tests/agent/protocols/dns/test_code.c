/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/dns/code.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static bool is(struct bytes name, const char *text)
{
    return bytes_equal(name, bytes_from_string(text));
}

static void numbers_have_the_names_of_the_registry(void **state)
{
    assert_true(is(dns_type_name(1), "A"));
    assert_true(is(dns_type_name(65), "HTTPS"));
    assert_true(is(dns_type_name(257), "CAA"));
    assert_true(is(dns_class_name(3), "CH"));
    assert_true(is(dns_opcode_name(5), "UPDATE"));
    assert_true(is(dns_rcode_name(3), "NXDOMAIN"));
    assert_true(is(dns_rcode_name(16), "BADVERS"));
}

static void unknown_numbers_have_none(void **state)
{
    assert_int_equal(dns_type_name(65280).len, 0);
    assert_int_equal(dns_class_name(2).len, 0);
    assert_int_equal(dns_opcode_name(15).len, 0);
    assert_int_equal(dns_rcode_name(15).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_the_names_of_the_registry),
        cmocka_unit_test(unknown_numbers_have_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
