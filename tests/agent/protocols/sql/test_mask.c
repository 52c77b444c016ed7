/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/sql/mask.h"

#include "base/hash.h"
#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define MASKED_MAX 4096

static uint8_t memory[MASKED_MAX];

static struct bytes mask(struct bytes sql, enum sql_dialect dialect)
{
    return sql_mask(sql, dialect, memory, sizeof(memory));
}

static void expect(const char *sql, enum sql_dialect dialect, const char *masked)
{
    struct bytes found = mask(bytes_from_string(sql), dialect);

    if (!bytes_equal(found, bytes_from_string(masked)))
        fail_msg("%s: expected %s, found %.*s", sql, masked, BYTES_PRINTF(found));
}

static void literals_become_question_marks(void **state)
{
    static const struct {
        const char *sql, *masked;
    } cases[] = {
        {"SELECT * FROM t WHERE a = 'x' AND b = 1.5", "SELECT * FROM t WHERE a = ? AND b = ?"},
        {"select a1 from t2 where x=E'it\\'s'and y=true", "select a1 from t2 where x=?and y=?"},
        {"INSERT INTO t VALUES (-1, '', NULL, $$x$$)", "INSERT INTO t VALUES (-?, ?, NULL, ?)"},
        {"SELECT\n\t1 -- secret\n , /* secret */ 2 ", "SELECT ? , ?"},
        {"WHERE id = $1 AND \"a b\" = 2", "WHERE id = $1 AND \"a b\" = ?"},
        {"SELECT date '2001-01-01', interval '1 day'", "SELECT date ?, interval ?"},
        {"SELECT 'abc", "SELECT ?"},
        {"", ""},
        {"  ", ""},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        expect(cases[i].sql, SQL_POSTGRES, cases[i].masked);
    expect("SELECT \"x\", `y`, 'it\\'s' # 'z", SQL_MYSQL, "SELECT ?, `y`, ?");
}

static void lists_behind_in_are_collapsed(void **state)
{
    static const struct {
        const char *sql, *masked;
    } cases[] = {
        {"a IN (1, 'x', -3) b", "a IN (?) b"},
        {"a in(1)", "a in(?)"},
        {"a IN ($1, $2, $3)", "a IN (?)"},
        {"a IN ($1)", "a IN ($1)"},
        {"a NOT IN ( /* c */ 1 ,2 ) AND", "a NOT IN (?) AND"},
        {"a IN (SELECT 1)", "a IN (SELECT ?)"},
        {"a IN (1, f(2), 3)", "a IN (?, f(?), ?)"},
        {"a IN (1, 2, ", "a IN (?, ?,"},
        {"a IN (1, 2", "a IN (?"},
        {"a IN (1, ')", "a IN (?"},
        {"VALUES (1, 2)", "VALUES (?, ?)"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        expect(cases[i].sql, SQL_POSTGRES, cases[i].masked);
}

static void what_has_no_room_is_left_out(void **state)
{
    assert_true(bytes_equal(sql_mask(BYTES_LITERAL("SELECT 'abc'"), SQL_POSTGRES, memory, 4),
                            BYTES_LITERAL("SELE")));
    assert_int_equal(sql_mask(BYTES_LITERAL("SELECT 1"), SQL_POSTGRES, memory, 0).len, 0);
}

static void a_long_text_is_cut(void **state)
{
    static uint8_t sql[3 * MASKED_MAX];

    memset(sql, 'a', sizeof(sql));
    assert_int_equal(mask(bytes_make(sql, sizeof(sql)), SQL_POSTGRES).len, MASKED_MAX);
}

/* ---- no literal passes ----------------------------------------------------------------------- */

#define SECRET "zq9"

/* Each is one literal or comment with the secret inside; %s is filler that may have quotes. */
static const char *const postgres_forms[] = {
    "'%s" SECRET "%s'", "E'%s" SECRET "%s'", "$$%s" SECRET "%s$$", "$t$%s" SECRET "%s$t$",
    "U&'%s" SECRET "%s'", "B'%s" SECRET "%s'", "/*%s" SECRET "%s*/", "--%s" SECRET "%s\n",
    "N'%s" SECRET "%s'", "1%s" SECRET "%s",
};
static const char *const mysql_forms[] = {
    "'%s" SECRET "%s'", "\"%s" SECRET "%s\"", "x'%s" SECRET "%s'", "/*%s" SECRET "%s*/",
    "-- %s" SECRET "%s\n", "#%s" SECRET "%s\n", "1%s" SECRET "%s",
};

/* Filler by the form's first byte: what may stand in such a literal without ending it. */
static const char *filler_of(const char *form, enum sql_dialect dialect, uint64_t dice)
{
    static const char *const in_string[] = {"", "''", "\"", " -- ", "/*", "$$", " IN (", ";", "\n"};
    static const char *const in_escaped[] = {"", "''", "\\'", "\\\\", "\"", "--", "$a$", "\n",
                                              "*/"};
    static const char *const in_mysql[] = {"", "\\'", "\\\\", "--", "\\\"", "/*", "#", "`", ";"};
    static const char *const in_dollar[] = {"", "'", "\"", "$x$", "--", "/*", "$1", "\\'", "E'"};
    static const char *const in_comment[] = {"", "'", "\"", "$$", "`", "-", "#", " ", "E'"};
    static const char *const in_number[] = {"", "a", "_", "1", "e", ".", "x", "9", "0"};
    const char *const *set = in_string;

    if (form[0] == '1')
        set = in_number;
    else if (form[0] == '/' || form[0] == '-' || form[0] == '#')
        set = in_comment;
    else if (form[0] == '$')
        set = in_dollar;
    else if (dialect == SQL_MYSQL)
        set = in_mysql;
    else if (form[0] == 'E')
        set = in_escaped;
    return set[dice % 9];
}

static const char *const pieces[] = {
    "SELECT ", "FROM t ", "WHERE a = ", " IN (", ", ", ") ", " AND \"c d\" = ", " $1 ", "; ",
    "- ", "a.b ", " LIKE ", "INSERT INTO t VALUES (", " NULL ", "\n", "::text ", " || ", "x",
};

static size_t add(char *sql, size_t len, const char *text)
{
    memcpy(sql + len, text, strlen(text));
    return len + strlen(text);
}

/* A text of pieces and literals. */
static size_t compose(char *sql, enum sql_dialect dialect, uint64_t *seed)
{
    const char *const *forms = dialect == SQL_MYSQL ? mysql_forms : postgres_forms;
    size_t n_forms = dialect == SQL_MYSQL ? ELEMENTSOF(mysql_forms) : ELEMENTSOF(postgres_forms);
    size_t len = 0;

    for (uint64_t n = 1 + hash_mix((*seed)++) % 12; n > 0; n--) {
        const char *form = forms[hash_mix((*seed)++) % n_forms];
        const char *before = filler_of(form, dialect, hash_mix((*seed)++));
        const char *after = filler_of(form, dialect, hash_mix((*seed)++));

        len = add(sql, len, pieces[hash_mix((*seed)++) % ELEMENTSOF(pieces)]);
        if (hash_mix((*seed)++) % 3)
            continue;
        len = add(sql, len, " ");
        len += (size_t)sprintf(sql + len, form, before, after);
        len = add(sql, len, " ");
    }
    return len;
}

static bool has_secret(struct bytes text)
{
    return text.len && memmem(text.ptr, text.len, SECRET, strlen(SECRET));
}

static void no_literal_passes_whole_or_cut_anywhere(void **state)
{
    static char sql[4096];
    uint64_t seed = 1;

    for (unsigned run = 0; run < 6000; run++) {
        enum sql_dialect dialect = run % 2 ? SQL_MYSQL : SQL_POSTGRES;
        size_t len = compose(sql, dialect, &seed);

        for (size_t cut = len; cut > 0; cut -= MIN(cut, 1 + hash_mix(seed++) % 16)) {
            struct bytes masked = mask(bytes_make(sql, cut), dialect);

            assert_true(masked.len <= cut);
            if (has_secret(masked))
                fail_msg("%.*s: %.*s", (int)cut, sql, BYTES_PRINTF(masked));
        }
    }
}

/* Another setting of the server gives another meaning: then nothing passes under either. */
static void a_backslash_before_a_quote_hides_what_follows(void **state)
{
    expect("SELECT 'a\\' || 'b' FROM t", SQL_POSTGRES, "SELECT ?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_become_question_marks),
        cmocka_unit_test(lists_behind_in_are_collapsed),
        cmocka_unit_test(what_has_no_room_is_left_out),
        cmocka_unit_test(a_long_text_is_cut),
        cmocka_unit_test(no_literal_passes_whole_or_cut_anywhere),
        cmocka_unit_test(a_backslash_before_a_quote_hides_what_follows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
