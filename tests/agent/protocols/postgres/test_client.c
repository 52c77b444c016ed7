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

static bool field_is(unsigned id, const char *text)
{
    return bytes_equal(message_field(&session.request, id), bytes_from_string(text));
}

static unsigned n_texts(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < session.request.n_fields; i++)
        n += session.request.fields[i].id == POSTGRES_FIELD_TEXT;
    return n;
}

#define ASK(text) assert_true(session_ask(&session, BYTES_LITERAL(text)))

static void a_start_up_names_the_database_of_what_follows(void **state)
{
    ASK(STARTUP);
    assert_non_null(message_field(&session.request, POSTGRES_FIELD_STARTUP).ptr);
    assert_true(field_is(POSTGRES_FIELD_DATABASE, "shop"));
    ASK(QUERY_1);
    assert_true(field_is(POSTGRES_FIELD_DATABASE, "shop"));
    assert_true(field_is(POSTGRES_FIELD_TEXT, "SELECT 1"));
    assert_int_equal(session.request.code, 1);
}

static void without_a_database_the_users_name_is_one(void **state)
{
    ASK(LEN("\x12") "\0\x03\0\0" "user\0bob\0" "\0");
    assert_true(field_is(POSTGRES_FIELD_DATABASE, "bob"));
}

static void a_password_is_no_message(void **state)
{
    ASK(STARTUP);
    ASK("p" LEN("\x0b") "secret\0");
    assert_int_equal(session.n_messages, 1);
}

static void a_group_is_one_request_until_its_sync(void **state)
{
    ASK(PARSE_S1 BIND_S1 EXECUTE BIND_S1 EXECUTE);
    assert_false(session.flags & MESSAGE_ENDS);
    ASK(SYNC);
    assert_true(session.flags & MESSAGE_ENDS);
    assert_int_equal(session.request.code, 2);
    assert_int_equal(n_texts(), 1);
}

static void a_prepared_statement_is_remembered(void **state)
{
    ASK(PARSE_S1 SYNC);
    assert_int_equal(session.request.code, 0);
    ASK(BIND_S1 EXECUTE SYNC);
    assert_int_equal(session.request.code, 1);
    assert_true(field_is(POSTGRES_FIELD_TEXT, "INSERT INTO t VALUES ($1, 'x')"));
}

static void a_closed_or_unseen_statement_is_unknown(void **state)
{
    ASK(PARSE_S1 SYNC);
    ASK("C" LEN("\x08") "Ss1\0" SYNC);
    ASK(BIND_S1 EXECUTE SYNC);
    assert_non_null(message_field(&session.request, POSTGRES_FIELD_UNKNOWN).ptr);
    assert_int_equal(n_texts(), 0);
    assert_int_equal(session.request.code, 1);
}

static void behind_a_gap_no_statement_is_known(void **state)
{
    struct parse_input nothing = {SENDER_CLIENT, false, BYTES_NULL};

    ASK(PARSE_S1 SYNC);
    postgres_resync(&session.postgres, &nothing);
    ASK(BIND_S1 EXECUTE SYNC);
    assert_non_null(message_field(&session.request, POSTGRES_FIELD_UNKNOWN).ptr);
}

static void different_statements_are_told_up_to_a_number(void **state)
{
    ASK(PARSE_S1 BIND_S1 EXECUTE);
    for (unsigned i = 0; i < 5; i++) {
        ASK(PARSE_UNNAMED BIND_UNNAMED EXECUTE);
        ASK(BIND_S1 EXECUTE);
    }
    ASK(SYNC);
    assert_int_equal(session.request.code, 11);
    assert_int_equal(n_texts(), POSTGRES_TEXTS);
    assert_non_null(message_field(&session.request, POSTGRES_FIELD_MORE).ptr);
}

static void broken_messages_are_bad(void **state)
{
    assert_false(session_ask(&session, BYTES_LITERAL("Q" LEN("\x0d") "SELECT 1x")));
    assert_false(session_ask(&session, BYTES_LITERAL("P" LEN("\x08") "abcd")));
    assert_false(session_ask(&session, BYTES_LITERAL("Y" LEN("\x04"))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_start_up_names_the_database_of_what_follows, reset),
        cmocka_unit_test_setup(without_a_database_the_users_name_is_one, reset),
        cmocka_unit_test_setup(a_password_is_no_message, reset),
        cmocka_unit_test_setup(a_group_is_one_request_until_its_sync, reset),
        cmocka_unit_test_setup(a_prepared_statement_is_remembered, reset),
        cmocka_unit_test_setup(a_closed_or_unseen_statement_is_unknown, reset),
        cmocka_unit_test_setup(behind_a_gap_no_statement_is_known, reset),
        cmocka_unit_test_setup(different_statements_are_told_up_to_a_number, reset),
        cmocka_unit_test_setup(broken_messages_are_bad, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
