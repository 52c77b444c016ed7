/* SPDX-License-Identifier: Apache-2.0 */
/* gRPC calls as span attributes. */
#include "protocols/http2/http2.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static uint8_t memory[4096];
static struct arena arena;
static struct span span;

static struct message request_of(const char *path)
{
    struct message message = {.kind = MESSAGE_REQUEST, .stream = 1};

    message_add(&message, HTTP1_FIELD_METHOD, BYTES_LITERAL("POST"));
    if (path)
        message_add(&message, HTTP1_FIELD_TARGET, bytes_from_string(path));
    message_add(&message, HTTP1_FIELD_HOST, BYTES_LITERAL("shop:50051"));
    message_add(&message, GRPC_FIELD_CONTENT_TYPE, BYTES_LITERAL("application/grpc"));
    return message;
}

static void describe(const struct message *request, const struct message *response,
                     enum span_kind kind)
{
    arena = arena_over(memory, sizeof(memory));
    span_reset(&span, &arena);
    span.kind = kind;
    http2_describe(request, response, &span);
}

static const struct attribute *find(const char *key)
{
    return span_find(&span, bytes_from_string(key));
}

static void assert_text(const char *key, const char *text)
{
    assert_non_null(find(key));
    assert_true(bytes_equal(find(key)->text, bytes_from_string(text)));
}

static void a_call_has_a_service_a_method_and_a_status(void **state)
{
    struct message request = request_of("/shop.v1.Orders/Get");
    struct message response = {.kind = MESSAGE_RESPONSE, .code = 200};

    message_add(&request, GRPC_FIELD_TIMEOUT, BYTES_LITERAL("250m"));
    message_add(&response, GRPC_FIELD_STATUS, BYTES_LITERAL("0"));
    message_add(&response, GRPC_FIELD_REQUESTS, BYTES_LITERAL("\0\0\0\1"));
    message_add(&response, GRPC_FIELD_RESPONSES, BYTES_LITERAL("\0\0\1\0"));
    describe(&request, &response, SPAN_KIND_CLIENT);
    assert_true(bytes_equal(span.name, BYTES_LITERAL("shop.v1.Orders/Get")));
    assert_text("rpc.system", "grpc");
    assert_text("rpc.service", "shop.v1.Orders");
    assert_text("rpc.method", "Get");
    assert_text("server.address", "shop");
    assert_int_equal(find("server.port")->integer, 50051);
    assert_int_equal(find("rpc.grpc.status_code")->integer, 0);
    assert_text("flowtrace.rpc.timeout", "250m");
    assert_int_equal(find("flowtrace.rpc.request.messages")->integer, 1);
    assert_int_equal(find("flowtrace.rpc.response.messages")->integer, 256);
    assert_int_equal(span.status, SPAN_STATUS_UNSET);
    assert_null(find("error.type"));
    assert_null(find("http.response.status_code"));
}

/* The conventions' table: whose fault each code is. */
static void the_statuses_are_errors_by_the_conventions(void **state)
{
    static const bool server_errors[] = {
        [2] = true, [4] = true, [12] = true, [13] = true, [14] = true, [15] = true, [16] = false};

    for (unsigned code = 0; code < ELEMENTSOF(server_errors); code++)
        for (enum span_kind kind = SPAN_KIND_SERVER; kind <= SPAN_KIND_CLIENT; kind++) {
            struct message request = request_of("/a.B/C");
            struct message response = {.kind = MESSAGE_RESPONSE, .code = 200};
            char digits[8];
            bool error = kind == SPAN_KIND_SERVER ? server_errors[code] : code != 0;

            snprintf(digits, sizeof(digits), "%u", code);
            message_add(&response, GRPC_FIELD_STATUS, bytes_from_string(digits));
            describe(&request, &response, kind);
            assert_int_equal(find("rpc.grpc.status_code")->integer, code);
            assert_int_equal(span.status == SPAN_STATUS_ERROR, error);
            assert_int_equal(find("error.type") != NULL, error);
        }
}

static void an_answer_without_a_status_of_grpc_is_told_by_its_own(void **state)
{
    struct message request = request_of("/a.B/C");
    struct message response = {.kind = MESSAGE_RESPONSE, .code = 502};

    describe(&request, &response, SPAN_KIND_CLIENT);
    assert_int_equal(find("http.response.status_code")->integer, 502);
    assert_text("error.type", "502");
    assert_null(find("rpc.grpc.status_code"));
}

static void what_is_no_call_is_told_as_plain_http(void **state)
{
    struct message get = {.kind = MESSAGE_REQUEST}, json = {.kind = MESSAGE_REQUEST};
    struct message call = {.kind = MESSAGE_RESPONSE, .code = 200};

    message_add(&call, GRPC_FIELD_CONTENT_TYPE, BYTES_LITERAL("application/grpc"));
    message_add(&call, GRPC_FIELD_STATUS, BYTES_LITERAL("0"));
    message_add(&get, HTTP1_FIELD_METHOD, BYTES_LITERAL("GET"));
    message_add(&get, GRPC_FIELD_CONTENT_TYPE, BYTES_LITERAL("application/grpc"));
    message_add(&json, HTTP1_FIELD_METHOD, BYTES_LITERAL("POST"));
    assert_false(grpc_is_call(&get, &call));
    assert_false(grpc_is_call(&json, NULL));
    assert_false(grpc_is_call(&json, &call));
    json.flags = MESSAGE_TRUNCATED;
    assert_true(grpc_is_call(&json, &call));
    assert_false(grpc_is_call(&json, NULL));
}

static void odd_paths_name_what_they_can(void **state)
{
    static const struct {
        const char *path, *name, *service, *method;
    } cases[] = {
        {NULL, "grpc", NULL, NULL},          {"", "grpc", NULL, NULL},
        {"/", "grpc", NULL, NULL},           {"*", "grpc", NULL, NULL},
        {"/Get", "Get", NULL, "Get"},        {"/shop.Orders/", "shop.Orders/", "shop.Orders", NULL},
        {"/a/b/C", "a/b/C", "a/b", "C"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct message request = request_of(cases[i].path);

        describe(&request, NULL, SPAN_KIND_SERVER);
        assert_true(bytes_equal(span.name, bytes_from_string(cases[i].name)));
        assert_int_equal(find("rpc.service") != NULL, cases[i].service != NULL);
        assert_int_equal(find("rpc.method") != NULL, cases[i].method != NULL);
        if (cases[i].service)
            assert_text("rpc.service", cases[i].service);
        if (cases[i].method)
            assert_text("rpc.method", cases[i].method);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_has_a_service_a_method_and_a_status),
        cmocka_unit_test(the_statuses_are_errors_by_the_conventions),
        cmocka_unit_test(an_answer_without_a_status_of_grpc_is_told_by_its_own),
        cmocka_unit_test(what_is_no_call_is_told_as_plain_http),
        cmocka_unit_test(odd_paths_name_what_they_can),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
