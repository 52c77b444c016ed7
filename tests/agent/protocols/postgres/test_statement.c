/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/postgres/statement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct statements statements;

static int reset(void **state)
{
    statements = (struct statements){0};
    return 0;
}

static uint64_t name_of(unsigned n)
{
    char name[16];

    return statement_name(bytes_make(name, (size_t)snprintf(name, sizeof(name), "s%u", n)));
}

static void a_name_stands_for_its_last_text(void **state)
{
    statements_add(&statements, name_of(1), BYTES_LITERAL("SELECT 1"), false);
    statements_add(&statements, name_of(1), BYTES_LITERAL("SELECT 22"), false);
    assert_int_equal(statements_find(&statements, name_of(1))->len, 9);
    assert_null(statements_find(&statements, name_of(2)));
    assert_null(statements_find(&statements, 0));
    statements_remove(&statements, name_of(1));
    assert_null(statements_find(&statements, name_of(1)));
}

static void the_oldest_is_forgotten(void **state)
{
    for (unsigned i = 0; i <= STATEMENTS_MAX; i++)
        statements_add(&statements, name_of(i), BYTES_LITERAL("SELECT 1"), false);
    assert_null(statements_find(&statements, name_of(0)));
    for (unsigned i = 1; i <= STATEMENTS_MAX; i++)
        assert_non_null(statements_find(&statements, name_of(i)));
}

static void a_long_text_is_kept_in_part_and_says_so(void **state)
{
    char text[2 * STATEMENT_TEXT_MAX] = {0};

    statements_add(&statements, name_of(1), bytes_make(text, STATEMENT_TEXT_MAX), false);
    assert_false(statements_find(&statements, name_of(1))->cut);
    statements_add(&statements, name_of(1), bytes_make(text, sizeof(text)), false);
    assert_true(statements_find(&statements, name_of(1))->cut);
    assert_int_equal(statements_find(&statements, name_of(1))->len, STATEMENT_TEXT_MAX);
}

static void a_portal_leads_to_its_statement(void **state)
{
    portals_add(&statements, name_of(7), name_of(1));
    assert_int_equal(portals_find(&statements, name_of(7)), name_of(1));
    for (unsigned i = 8; i < 8 + PORTALS_MAX; i++)
        portals_add(&statements, name_of(i), name_of(1));
    assert_int_equal(portals_find(&statements, name_of(7)), 0);
}

/* Ten thousand connections must not need a hundred megabytes. */
static void a_connection_needs_little_memory(void **state)
{
    assert_true(sizeof(struct statements) <= 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_name_stands_for_its_last_text, reset),
        cmocka_unit_test_setup(the_oldest_is_forgotten, reset),
        cmocka_unit_test_setup(a_long_text_is_kept_in_part_and_says_so, reset),
        cmocka_unit_test_setup(a_portal_leads_to_its_statement, reset),
        cmocka_unit_test(a_connection_needs_little_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
