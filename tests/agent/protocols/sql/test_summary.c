/* SPDX-License-Identifier: Apache-2.0 */
/* The first cases are the examples of the OpenTelemetry semantic conventions. */
#include "protocols/sql/summary.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static uint8_t out[SQL_SUMMARY_MAX];

static const struct {
    const char *sql, *summary, *operation, *collection;
} cases[] = {
    {"SELECT *\nFROM   wuser_table\nWHERE  username = ?", "SELECT wuser_table", "SELECT",
     "wuser_table"},
    {"INSERT INTO shipping_details (order_id, address) SELECT order_id, address FROM orders "
     "WHERE order_id = 1", "INSERT shipping_details SELECT orders", "", ""},
    {"SELECT * FROM songs, artists WHERE songs.artist_id == artists.id", "SELECT songs artists",
     "SELECT", ""},
    {"SELECT order_date FROM (SELECT * FROM orders o JOIN customers c ON o.customer_id = c.id)",
     "SELECT SELECT orders customers", "", ""},
    {"SELECT * FROM \"song list\", artists", "SELECT \"song list\" artists", "SELECT", ""},

    {"select 1", "select", "select", ""},
    {"UPDATE shop.orders o SET total = 5 WHERE id = 7", "UPDATE shop.orders", "UPDATE",
     "shop.orders"},
    {"DELETE FROM ONLY \"a\".\"b\" WHERE true", "DELETE \"a\".\"b\"", "DELETE", "\"a\".\"b\""},
    {"INSERT INTO t (a, b) VALUES (1, 2), (3, 4) ON CONFLICT (a) DO UPDATE SET b = 1 RETURNING a",
     "INSERT t", "INSERT", "t"},
    {"SELECT a FROM t WHERE b IN (SELECT c FROM u) ORDER BY a, b FOR UPDATE",
     "SELECT t SELECT u", "", ""},
    {"SELECT extract(year FROM d), trim(both 'x' FROM e) FROM t", "SELECT t", "SELECT", "t"},
    {"SELECT a IS DISTINCT FROM b FROM t", "SELECT t", "SELECT", "t"},
    {"SELECT * FROM generate_series(1, 3) g, t", "SELECT t", "SELECT", "t"},
    {"SELECT CASE WHEN f(a) THEN g(b) END FROM t", "SELECT t", "SELECT", "t"},
    {"SELECT replace(a, 'x', f(replace(b, c, d))) FROM t", "SELECT t", "SELECT", "t"},
    {"WITH x AS (DELETE FROM t RETURNING *) INSERT INTO log SELECT * FROM x",
     "DELETE t INSERT log SELECT x", "", ""},
    {"WITH x AS (SELECT 1) SELECT * FROM x", "SELECT SELECT x", "", ""},
    {"CREATE TABLE IF NOT EXISTS t (a int, b text)", "CREATE TABLE t", "CREATE TABLE", "t"},
    {"CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)", "CREATE INDEX i", "CREATE INDEX", ""},
    {"ALTER TABLE t ADD a int, ADD b int", "ALTER TABLE t", "ALTER TABLE", "t"},
    {"DROP TABLE a, b", "DROP TABLE a b", "DROP TABLE", ""},
    {"TRUNCATE TABLE a, b", "TRUNCATE a b", "TRUNCATE", ""},
    {"ALTER USER bob PASSWORD 'x'", "ALTER USER", "ALTER USER", ""},
    {"GRANT SELECT, INSERT ON t TO bob", "GRANT", "GRANT", ""},
    {"COPY t (a, b) FROM STDIN", "COPY t", "COPY", "t"},
    {"COPY (SELECT * FROM t) TO STDOUT", "COPY SELECT t", "", "t"},
    {"CALL p(1)", "CALL p", "CALL", ""},
    {"BEGIN; UPDATE t SET a = 1; COMMIT", "BEGIN UPDATE t COMMIT", "", "t"},
    {"EXPLAIN (ANALYZE, BUFFERS) UPDATE t SET a = 1", "EXPLAIN UPDATE t", "", "t"},
    {"EXPLAIN ANALYZE DELETE FROM t", "EXPLAIN DELETE t", "", "t"},
    {"DECLARE c CURSOR FOR SELECT * FROM t", "DECLARE SELECT t", "", "t"},
    {"SET search_path TO 'x'", "SET", "SET", ""},
    {"LISTEN news", "LISTEN", "LISTEN", ""},
    {"/* c */ -- d\n ( SELECT 1 )", "SELECT", "SELECT", ""},
    {"hello world", "", "", ""},
    {"FROM t", "", "", ""},
    {"", "", "", ""},
};

static void summaries_name_operations_and_targets(void **state)
{
    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct sql_summary summary;

        sql_summarize(bytes_from_string(cases[i].sql), SQL_POSTGRES, out, &summary);
        if (!bytes_equal(summary.text, bytes_from_string(cases[i].summary)) ||
            !bytes_equal(summary.operation, bytes_from_string(cases[i].operation)) ||
            !bytes_equal(summary.collection, bytes_from_string(cases[i].collection)))
            fail_msg("%s: \"%.*s\", \"%.*s\", \"%.*s\"", cases[i].sql, BYTES_PRINTF(summary.text),
                     BYTES_PRINTF(summary.operation), BYTES_PRINTF(summary.collection));
    }
}

static void a_summary_ends_with_a_whole_word(void **state)
{
    static char sql[4000];
    size_t len = (size_t)sprintf(sql, "SELECT * FROM t0");
    struct sql_summary summary;

    for (unsigned i = 1; i < 200; i++)
        len += (size_t)sprintf(sql + len, ", table%u", i);
    sql_summarize(bytes_make(sql, len), SQL_POSTGRES, out, &summary);
    assert_true(summary.text.len <= SQL_SUMMARY_MAX && summary.text.len > SQL_SUMMARY_MAX - 9);
    assert_true(bytes_equal(bytes_skip(summary.text, summary.text.len - 8),
                            BYTES_LITERAL(" table31")));
}

static void deep_nesting_is_survived(void **state)
{
    static char sql[20000];
    struct sql_summary summary;

    memset(sql, '(', 10000);
    memset(sql + 10000, ')', 10000);
    sql_summarize(bytes_make(sql, sizeof(sql)), SQL_POSTGRES, out, &summary);
    assert_int_equal(summary.text.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(summaries_name_operations_and_targets),
        cmocka_unit_test(a_summary_ends_with_a_whole_word),
        cmocka_unit_test(deep_nesting_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
