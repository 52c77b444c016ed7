/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/sql/token.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* One letter per token: S C W Q L P O. */
static void expect_kinds(const char *text, enum sql_dialect dialect, const char *kinds)
{
    static const char letters[] = {[SQL_SPACE] = 'S', [SQL_COMMENT] = 'C', [SQL_WORD] = 'W',
                                   [SQL_QUOTED] = 'Q', [SQL_LITERAL] = 'L', [SQL_PARAMETER] = 'P',
                                   [SQL_OTHER] = 'O'};
    struct sql_reader reader = {.text = bytes_from_string(text), .dialect = dialect};
    char found[200];
    size_t n = 0, len = 0;

    while (true) {
        struct sql_token token = sql_next(&reader);

        if (token.kind == SQL_END)
            break;
        assert_ptr_equal(token.text.ptr, text + len);
        assert_true(token.text.len > 0);
        len += token.text.len;
        found[n++] = letters[token.kind];
    }
    found[n] = '\0';
    assert_int_equal(len, strlen(text));
    assert_string_equal(found, kinds);
}

static void the_lexical_forms_of_postgresql_are_known(void **state)
{
    static const struct {
        const char *text, *kinds;
    } cases[] = {
        {"select a1, b", "WSWOSW"},
        {"'it''s' x", "LSW"},
        {"'no end", "L"},
        {"'back\\slash' x", "LSW"},
        {"'back\\' or 'what'", "L"},
        {"E'it\\'s' x", "LSW"},
        {"e'a''b' x", "LSW"},
        {"U&'d\\0061t' U&\"d\\0061t\"", "LSQ"},
        {"B'101' X'1F' N'n'", "LSLSL"},
        {"bx'a'", "WL"},
        {"1 1.5 .5 1e-9 0x1F 1_000 12abc", "LSLSLSLSLSLSL"},
        {"a-1 a -1", "WOLSWSOL"},
        {"t.c a.1", "WOWSWL"},
        {"$1 $23 a$1", "PSPSW"},
        {"$$ it's $$ x", "LSW"},
        {"$a$ $b$ $$ $a$ x", "LSW"},
        {"$a$ never", "L"},
        {"1$$x$$", "LL"},
        {"$", "O"},
        {"\"a \"\"b\" \"never", "QSL"},
        {"a -- b\nc", "WSCSW"},
        {"/* a /* b */ 'c */ d", "CSW"},
        {"/* never", "C"},
        {"a::int", "WOOW"},
        {"`x`", "OWO"},
        {"x ? y", "WSOSW"},
        {"\xc3\xa4 = 1", "WSOSL"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        expect_kinds(cases[i].text, SQL_POSTGRES, cases[i].kinds);
}

static void the_lexical_forms_of_mysql_are_known(void **state)
{
    static const struct {
        const char *text, *kinds;
    } cases[] = {
        {"'it\\'s' x", "LSW"},       {"\"it\\\"s\" x", "LSW"}, {"`a``b` x", "QSW"},
        {"a # b\nc", "WSCSW"},       {"5--3", "LOOL"},         {"5-- 3", "LC"},
        {"/*!50000 a */", "CSWSOO"}, {"? = ?", "PSOSP"},       {"/* /* */ a", "CSW"},
        {"$$ a $$", "OOSWSOO"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        expect_kinds(cases[i].text, SQL_MYSQL, cases[i].kinds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lexical_forms_of_postgresql_are_known),
        cmocka_unit_test(the_lexical_forms_of_mysql_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
