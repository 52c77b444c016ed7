/* SPDX-License-Identifier: Apache-2.0 */
#include "span/context.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define VALID "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static int parse(const char *text, struct trace_context *context)
{
    return context_parse_traceparent(bytes_from_string(text), context);
}

static void a_valid_traceparent_gives_its_ids_and_flags(void **state)
{
    struct trace_context context;

    assert_int_equal(parse(VALID, &context), 0);
    assert_int_equal(context.trace_id.bytes[0], 0x0a);
    assert_int_equal(context.trace_id.bytes[15], 0x9c);
    assert_int_equal(context.span_id.bytes[0], 0xb7);
    assert_int_equal(context.flags, 1);
}

static void a_later_version_may_be_longer(void **state)
{
    struct trace_context context;

    assert_int_equal(parse("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what",
                           &context), 0);
    assert_int_equal(parse("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.what",
                           &context), -EINVAL);
}

static void what_breaks_the_specification_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "00",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
    };
    struct trace_context context = {.flags = 42};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(parse(bad[i], &context), -EINVAL);
    assert_int_equal(context.flags, 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_valid_traceparent_gives_its_ids_and_flags),
        cmocka_unit_test(a_later_version_may_be_longer),
        cmocka_unit_test(what_breaks_the_specification_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
