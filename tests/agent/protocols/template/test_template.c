/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/template/template.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct message parse(enum sender sender, const char *text)
{
    struct parse_input input = {.sender = sender, .data = bytes_from_string(text)};
    struct message message;

    assert_int_equal(template_protocol.parse(NULL, &input, &message).status, PARSE_MESSAGE);
    return message;
}

static void a_refusal_makes_the_span_an_error(void **state)
{
    struct message request = parse(SENDER_CLIENT, "ADD apples\n");
    struct message response = parse(SENDER_SERVER, "ERR full\n");
    struct span span;

    span_reset(&span, NULL);
    template_protocol.describe(&request, &response, &span);
    assert_true(bytes_equal(span.name, BYTES_LITERAL("ADD")));
    assert_int_equal(span.status, SPAN_STATUS_ERROR);
    assert_true(bytes_equal(span_find(&span, BYTES_LITERAL("error.type"))->text,
                            BYTES_LITERAL("full")));
}

static void a_line_of_the_other_side_is_bad(void **state)
{
    struct parse_input input = {.sender = SENDER_CLIENT, .data = BYTES_LITERAL("OK 1\n")};
    struct message message;

    assert_int_equal(template_protocol.parse(NULL, &input, &message).status, PARSE_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_makes_the_span_an_error),
        cmocka_unit_test(a_line_of_the_other_side_is_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
