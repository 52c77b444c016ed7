/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/redis/redis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static uint8_t memory[4096];
static struct arena arena;
static struct span span;

/* The span of a request and, unless NULL, its answer. */
static void describe(enum span_kind kind, const char *request_text, const char *response_text)
{
    struct redis_state redis = {0};
    struct parse_input input = {SENDER_CLIENT, false, bytes_from_string(request_text)};
    struct message request, response;

    if (request_text[0] == '>')
        input.sender = SENDER_SERVER;
    assert_int_equal(redis_parse(&redis, &input, &request).status, PARSE_MESSAGE);
    if (response_text) {
        input = (struct parse_input){SENDER_SERVER, false, bytes_from_string(response_text)};
        assert_int_equal(redis_parse(&redis, &input, &response).status, PARSE_MESSAGE);
    }
    arena = arena_over(memory, sizeof(memory));
    span_reset(&span, &arena);
    span.kind = kind;
    redis_describe(&request, response_text ? &response : NULL, &span);
}

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

static bool name_is(const char *name)
{
    return bytes_equal(span.name, bytes_from_string(name));
}

static void keys_and_values_are_masked(void **state)
{
    describe(SPAN_KIND_CLIENT, "*3\r\n$3\r\nset\r\n$6\r\nsecret\r\n$5\r\nvalue\r\n", "+OK\r\n");
    assert_true(name_is("set"));
    expect("db.system.name", "redis");
    expect("db.operation.name", "set");
    expect("db.query.text", "set ? ?");
    expect("db.namespace", NULL);
    expect("error.type", NULL);
    assert_int_equal(span.status, SPAN_STATUS_UNSET);
    describe(SPAN_KIND_CLIENT,
             "*4\r\n$6\r\nCONFIG\r\n$3\r\nSET\r\n$11\r\nrequirepass\r\n$1\r\nx\r\n", NULL);
    expect("db.query.text", "CONFIG SET ? ?");
}

static void the_database_is_told_where_it_is_known(void **state)
{
    struct message request = {.kind = MESSAGE_REQUEST, .code = 2};

    message_add(&request, REDIS_FIELD_NAME, BYTES_LITERAL("GET"));
    message_add(&request, REDIS_FIELD_DATABASE, BYTES_LITERAL("15"));
    arena = arena_over(memory, sizeof(memory));
    span_reset(&span, &arena);
    redis_describe(&request, NULL, &span);
    assert_true(name_is("GET 15"));
    expect("db.namespace", "15");
}

static void a_long_command_is_shortened(void **state)
{
    char text[2000];
    size_t len = (size_t)snprintf(text, sizeof(text), "*40\r\n$4\r\nMGET\r\n");

    for (unsigned i = 0; i < 39; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "$1\r\nk\r\n");
    describe(SPAN_KIND_CLIENT, text, NULL);
    expect("db.query.text", "MGET ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ...");
}

static void an_unknown_command_does_not_name_the_span(void **state)
{
    describe(SPAN_KIND_CLIENT, "*1\r\n$7\r\nFOO-123\r\n", "-ERR unknown command 'FOO-123'\r\n");
    assert_true(name_is("redis"));
    expect("db.operation.name", "FOO-123");
    expect("db.response.status_code", "ERR");
    expect("error.type", "ERR");
    assert_int_equal(span.status, SPAN_STATUS_ERROR);
}

static void a_redirection_is_no_error(void **state)
{
    describe(SPAN_KIND_CLIENT, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", "-MOVED 3999 10.0.0.1:6381\r\n");
    assert_int_equal(span.status, SPAN_STATUS_UNSET);
    expect("error.type", NULL);
    expect("db.response.status_code", "MOVED");
    expect("flowtrace.redis.redirect.address", "10.0.0.1:6381");
    assert_int_equal(
        span_find(&span, BYTES_LITERAL("flowtrace.redis.redirect.slot"))->integer, 3999);
}

static void publishing_is_producing(void **state)
{
    const char *text = "*3\r\n$7\r\nPUBLISH\r\n$4\r\nnews\r\n$2\r\nhi\r\n";

    describe(SPAN_KIND_CLIENT, text, ":1\r\n");
    assert_int_equal(span.kind, SPAN_KIND_PRODUCER);
    expect("messaging.destination.name", "news");
    describe(SPAN_KIND_SERVER, text, ":1\r\n");
    assert_int_equal(span.kind, SPAN_KIND_SERVER);
}

static void a_delivered_message_is_consumed(void **state)
{
    const char *text = ">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n";

    describe(SPAN_KIND_SERVER, text, NULL);
    assert_int_equal(span.kind, SPAN_KIND_CONSUMER);
    assert_true(name_is("message"));
    expect("messaging.operation.type", "process");
    expect("messaging.destination.name", "news");
    describe(SPAN_KIND_CLIENT, text, NULL);
    assert_int_equal(span.kind, SPAN_KIND_PRODUCER);
    expect("messaging.operation.type", "send");
}

static void a_transaction_tells_its_size(void **state)
{
    describe(SPAN_KIND_CLIENT, "*1\r\n$4\r\nEXEC\r\n", "*3\r\n:1\r\n:2\r\n:3\r\n");
    assert_int_equal(span_find(&span, BYTES_LITERAL("db.operation.batch.size"))->integer, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_and_values_are_masked),
        cmocka_unit_test(the_database_is_told_where_it_is_known),
        cmocka_unit_test(a_long_command_is_shortened),
        cmocka_unit_test(an_unknown_command_does_not_name_the_span),
        cmocka_unit_test(a_redirection_is_no_error),
        cmocka_unit_test(publishing_is_producing),
        cmocka_unit_test(a_delivered_message_is_consumed),
        cmocka_unit_test(a_transaction_tells_its_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
