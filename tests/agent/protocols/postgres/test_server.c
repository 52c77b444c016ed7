/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct session session;

static int reset(void **state)
{
    session = (struct session){0};
    return 0;
}

#define ASK(text) assert_true(session_ask(&session, BYTES_LITERAL(text)))
#define ANSWER(text) assert_true(session_answer(&session, BYTES_LITERAL(text)))

static bool field_is(const struct message *message, unsigned id, const char *text)
{
    return bytes_equal(message_field(message, id), bytes_from_string(text));
}

static void an_answer_ends_with_ready_and_tells_tag_and_rows(void **state)
{
    ASK(QUERY_1);
    ANSWER(ROW_DESCRIPTION ROW ROW ROW SELECTED_1);
    assert_false(session.flags & MESSAGE_ENDS);
    ANSWER(READY);
    assert_true(session.flags & MESSAGE_ENDS);
    assert_int_equal(session.response.code, 3);
    assert_true(field_is(&session.response, POSTGRES_FIELD_TAG, "SELECT 1"));
}

static void an_error_tells_its_code_and_no_text(void **state)
{
    ASK(QUERY_1);
    ANSWER(ERROR_42P01 READY);
    assert_true(field_is(&session.response, POSTGRES_FIELD_CODE, "42P01"));
    assert_int_equal(session.response.n_fields, 1);
}

static void an_error_ends_a_start_up(void **state)
{
    ASK(STARTUP);
    ANSWER(ERROR_42P01);
    assert_true(session.flags & MESSAGE_ENDS);
}

static void a_notification_is_a_request_of_the_servers(void **state)
{
    ANSWER(NOTIFICATION);
    assert_int_equal(session.flags, MESSAGE_ENDS | MESSAGE_ONE_WAY);
    assert_true(field_is(&session.pushed, POSTGRES_FIELD_CHANNEL, "news"));
}

static void a_yes_to_encryption_ends_what_can_be_read(void **state)
{
    ASK(LEN("\x08") "\x04\xd2\x16\x2f");
    ANSWER("S");
    assert_true(session.flags & MESSAGE_LAST);
}

static void a_no_does_not(void **state)
{
    ASK(LEN("\x08") "\x04\xd2\x16\x2f");
    ANSWER("N");
    assert_int_equal(session.n_messages, 0);
    ASK(STARTUP);
    ANSWER(STARTED);
    assert_int_equal(session.n_messages, 3);
}

static void notices_and_parameters_are_passed_over(void **state)
{
    ANSWER("N" LEN("\x0b") "C00000\0" PARAMETER KEY);
    assert_int_equal(session.n_messages, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_answer_ends_with_ready_and_tells_tag_and_rows, reset),
        cmocka_unit_test_setup(an_error_tells_its_code_and_no_text, reset),
        cmocka_unit_test_setup(an_error_ends_a_start_up, reset),
        cmocka_unit_test_setup(a_notification_is_a_request_of_the_servers, reset),
        cmocka_unit_test_setup(a_yes_to_encryption_ends_what_can_be_read, reset),
        cmocka_unit_test_setup(a_no_does_not, reset),
        cmocka_unit_test_setup(notices_and_parameters_are_passed_over, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
