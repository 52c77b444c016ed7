/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include "span/semconv.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct session session;
static uint8_t memory[16384];
static struct arena arena;
static struct span span;

static int reset(void **state)
{
    session = (struct session){0};
    return 0;
}

static void describe(enum span_kind kind, struct bytes asked, struct bytes answered)
{
    assert_true(session_ask(&session, asked));
    assert_true(session_answer(&session, answered));
    arena = arena_over(memory, sizeof(memory));
    span_reset(&span, &arena);
    span.kind = kind;
    postgres_describe(&session.request, answered.len ? &session.response : NULL, &span);
}

#define DESCRIBE_SPAN(asked, answered)                                                             \
    describe(SPAN_KIND_CLIENT, BYTES_LITERAL(asked), BYTES_LITERAL(answered))

static void expect(const char *key, const char *text)
{
    const struct attribute *attribute = span_find(&span, bytes_from_string(key));

    if (!text) {
        assert_null(attribute);
        return;
    }
    assert_non_null(attribute);
    assert_true(bytes_equal(attribute->text, bytes_from_string(text)));
}

static void expect_integer(const char *key, int64_t integer)
{
    assert_non_null(span_find(&span, bytes_from_string(key)));
    assert_int_equal(span_find(&span, bytes_from_string(key))->integer, integer);
}

static void expect_name(const char *name)
{
    assert_true(bytes_equal(span.name, bytes_from_string(name)));
}

static void a_query_is_masked_and_summarized(void **state)
{
    DESCRIBE_SPAN(STARTUP, STARTED);
    DESCRIBE_SPAN("Q" LEN("\x24") "SELECT * FROM t WHERE a = 'x y'\0",
                  ROW_DESCRIPTION ROW SELECTED_1 READY);
    expect_name("SELECT t");
    expect("db.system.name", "postgresql");
    expect("db.namespace", "shop");
    expect("db.query.summary", "SELECT t");
    expect("db.operation.name", "SELECT");
    expect("db.collection.name", "t");
    expect("db.query.text", "SELECT * FROM t WHERE a = ?");
    expect("error.type", NULL);
    expect_integer("db.response.returned_rows", 1);
}

static void a_start_up_is_a_connect(void **state)
{
    DESCRIBE_SPAN(STARTUP, ERROR_42P01);
    expect_name("CONNECT");
    expect("db.response.status_code", "42P01");
    expect("error.type", "42P01");
    assert_int_equal(span.status, SPAN_STATUS_ERROR);
}

static void preparing_is_told_from_running(void **state)
{
    DESCRIBE_SPAN(PARSE_S1 SYNC, PARSED READY);
    expect_name("PREPARE INSERT t");
    expect("db.operation.name", "PREPARE INSERT");
    DESCRIBE_SPAN(BIND_S1 EXECUTE SYNC, BOUND INSERTED_1 READY);
    expect_name("INSERT t");
    expect("db.query.text", "INSERT INTO t VALUES ($1, ?)");
    expect("db.operation.batch.size", NULL);
}

static void a_batch_tells_its_size(void **state)
{
    DESCRIBE_SPAN(PARSE_S1 BIND_S1 EXECUTE BIND_S1 EXECUTE SYNC, PARSED READY);
    expect_name("BATCH INSERT t");
    expect("db.operation.name", "BATCH INSERT");
    expect_integer("db.operation.batch.size", 2);
    DESCRIBE_SPAN(BIND_S1 EXECUTE PARSE_UNNAMED BIND_UNNAMED EXECUTE SYNC, READY);
    expect_name("BATCH");
    expect("db.query.text", "INSERT INTO t VALUES ($1, ?); SELECT a FROM t WHERE b");
}

static void an_unknown_statement_is_marked(void **state)
{
    DESCRIBE_SPAN(BIND_S1 EXECUTE SYNC, BOUND INSERTED_1 READY);
    expect_name("postgresql");
    expect("db.query.text", NULL);
    assert_non_null(span_find(&span, BYTES_LITERAL("flowtrace.db.statement.unknown")));
}

static void of_a_text_that_is_cut_nothing_is_inferred(void **state)
{
    char text[4 + 2 * STATEMENT_TEXT_MAX] = "P\0\0\x01\x50s1";
    size_t len = 5 + 3;

    memcpy(text + len, "SELECT a FROM t WHERE b = '", 27);
    memset(text + len + 27, 'x', 0x14c - 3 - 27);
    text[5 + 0x14c - 4] = '\'';
    memset(text + 5 + 0x14c - 3, 0, 3);
    assert_true(session_ask(&session, bytes_make(text, 5 + 0x14c)));
    assert_true(session_ask(&session, BYTES_LITERAL(SYNC)));
    DESCRIBE_SPAN(BIND_S1 EXECUTE SYNC, BOUND SELECTED_1 READY);
    expect("db.query.text", "SELECT a FROM t WHERE b = ?...");
    expect("db.query.summary", "SELECT t");
    expect("db.operation.name", NULL);
    expect("db.collection.name", NULL);
}

static void notifying_is_producing(void **state)
{
    DESCRIBE_SPAN("Q" LEN("\x16") "NOTIFY news, 'hi'\0", READY);
    assert_int_equal(span.kind, SPAN_KIND_PRODUCER);
    expect("messaging.destination.name", "news");
    expect("db.query.text", "NOTIFY news, ?");
    assert_true(session_answer(&session, BYTES_LITERAL(NOTIFICATION)));
    span_reset(&span, &arena);
    span.kind = SPAN_KIND_SERVER;
    postgres_describe(&session.pushed, NULL, &span);
    assert_int_equal(span.kind, SPAN_KIND_CONSUMER);
    expect_name("notification");
    expect("messaging.operation.type", "process");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_query_is_masked_and_summarized, reset),
        cmocka_unit_test_setup(a_start_up_is_a_connect, reset),
        cmocka_unit_test_setup(preparing_is_told_from_running, reset),
        cmocka_unit_test_setup(a_batch_tells_its_size, reset),
        cmocka_unit_test_setup(an_unknown_statement_is_marked, reset),
        cmocka_unit_test_setup(of_a_text_that_is_cut_nothing_is_inferred, reset),
        cmocka_unit_test_setup(notifying_is_producing, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
