/* SPDX-License-Identifier: Apache-2.0 */
/* Streams as span attributes: the older version's meaning, and resets. */
#include "protocols/http2/http2.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static uint8_t memory[4096];
static struct arena arena;
static struct span span;

static struct message request_of(const char *method, const char *path)
{
    struct message message = {.kind = MESSAGE_REQUEST, .stream = 1};

    if (method)
        message_add(&message, HTTP1_FIELD_METHOD, bytes_from_string(method));
    if (path)
        message_add(&message, HTTP1_FIELD_TARGET, bytes_from_string(path));
    message_add(&message, HTTP1_FIELD_SCHEME, BYTES_LITERAL("https"));
    message_add(&message, HTTP1_FIELD_HOST, BYTES_LITERAL("shop:8443"));
    message_add(&message, HTTP1_FIELD_VERSION, BYTES_LITERAL("2"));
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

static void assert_text(const char *key, const char *text)
{
    const struct attribute *found = span_find(&span, bytes_from_string(key));

    assert_non_null(found);
    assert_true(bytes_equal(found->text, bytes_from_string(text)));
}

static bool has(const char *key)
{
    return span_find(&span, bytes_from_string(key)) != NULL;
}

static void a_request_means_what_it_means_in_the_older_version(void **state)
{
    struct message request = request_of("GET", "/orders/4711?q=1");
    struct message response = {.kind = MESSAGE_RESPONSE, .code = 404};

    describe(&request, &response, SPAN_KIND_CLIENT);
    assert_true(bytes_equal(span.name, BYTES_LITERAL("GET /orders/{}")));
    assert_int_equal(span.status, SPAN_STATUS_ERROR);
    assert_text("url.full", "https://shop:8443/orders/4711?q=1");
    assert_text("network.protocol.version", "2");
    assert_text("error.type", "404");
}

static void what_is_not_known_is_left_out(void **state)
{
    struct message request = request_of(NULL, NULL);
    struct message response = {.kind = MESSAGE_RESPONSE};

    describe(&request, &response, SPAN_KIND_CLIENT);
    assert_true(bytes_equal(span.name, BYTES_LITERAL("HTTP")));
    assert_false(has("http.request.method"));
    assert_false(has("http.request.method_original"));
    assert_false(has("http.response.status_code"));
    assert_false(has("url.path"));
    assert_false(has("url.full"));
    assert_int_equal(span.status, SPAN_STATUS_UNSET);
}

static void a_reset_is_named_and_an_error_unless_nobody_waits(void **state)
{
    static const struct {
        bool by_client;
        uint8_t code;
        const char *name;
        bool error;
    } cases[] = {
        {true, 8, "CANCEL", false},        {true, 2, "INTERNAL_ERROR", true},
        {false, 8, "CANCEL", true},        {false, 7, "REFUSED_STREAM", true},
        {false, 0, "NO_ERROR", false},     {false, 13, "HTTP_1_1_REQUIRED", true},
        {false, 99, "99", true},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct message request = request_of("GET", "/"), response = {.kind = MESSAGE_RESPONSE};
        uint8_t code[4] = {0, 0, 0, cases[i].code};

        message_add(cases[i].by_client ? &request : &response, HTTP2_FIELD_RESET,
                    bytes_make(code, 4));
        describe(&request, &response, SPAN_KIND_SERVER);
        assert_text("flowtrace.http2.reset", cases[i].name);
        assert_int_equal(span.status == SPAN_STATUS_ERROR, cases[i].error);
        assert_int_equal(has("error.type"), cases[i].error);
    }
}

static void a_status_that_is_an_error_stays_the_error_type(void **state)
{
    struct message request = request_of("GET", "/");
    struct message response = {.kind = MESSAGE_RESPONSE, .code = 503};

    message_add(&response, HTTP2_FIELD_RESET, BYTES_LITERAL("\0\0\0\2"));
    describe(&request, &response, SPAN_KIND_SERVER);
    assert_text("error.type", "503");
    assert_text("flowtrace.http2.reset", "INTERNAL_ERROR");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_means_what_it_means_in_the_older_version),
        cmocka_unit_test(what_is_not_known_is_left_out),
        cmocka_unit_test(a_reset_is_named_and_an_error_unless_nobody_waits),
        cmocka_unit_test(a_status_that_is_an_error_stays_the_error_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
