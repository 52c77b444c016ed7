/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/http1/http1.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define ARENA_SIZE 2048

/* Parses and describes; the answer may be NULL. The span is valid until the next call. */
static struct span *describe(enum span_kind kind, const char *question, const char *answer)
{
    static uint8_t memory[ARENA_SIZE];
    static struct arena arena;
    static struct span span;
    struct http1_state http1 = {0};
    struct parse_input input = {.sender = SENDER_CLIENT, .data = bytes_from_string(question)};
    struct message request, response;

    arena = arena_over(memory, sizeof(memory));
    span_reset(&span, &arena);
    span.kind = kind;
    if (http1_parse(&http1, &input, &request).status != PARSE_MESSAGE) {
        input.cut = true;
        assert_int_equal(http1_parse(&http1, &input, &request).status, PARSE_MESSAGE);
    }
    if (answer) {
        input = (struct parse_input){.sender = SENDER_SERVER, .data = bytes_from_string(answer)};
        assert_int_equal(http1_parse(&http1, &input, &response).status, PARSE_MESSAGE);
    }
    http1_describe(&request, answer ? &response : NULL, &span);
    return &span;
}

/* One line per attribute, in order, under the name. */
static void assert_span(const struct span *span, const char *expected)
{
    char text[4096];
    size_t len = (size_t)snprintf(text, sizeof(text), "%.*s\n", BYTES_PRINTF(span->name));

    for (unsigned i = 0; i < span->n_attributes && len < sizeof(text); i++) {
        const struct attribute *attribute = &span->attributes[i];

        if (attribute->type == ATTRIBUTE_TEXT)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%.*s=%.*s\n",
                                    BYTES_PRINTF(attribute->key), BYTES_PRINTF(attribute->text));
        else
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%.*s:%lld\n",
                                    BYTES_PRINTF(attribute->key), (long long)attribute->integer);
    }
    assert_string_equal(text, expected);
}

#define GET_17 "GET /shops/17?a=b HTTP/1.1\r\nHost: shop:8080\r\n"

static void a_client_span_has_the_whole_url(void **state)
{
    struct span *span = describe(SPAN_KIND_CLIENT, GET_17 "User-Agent: curl/8\r\n\r\n",
                                 "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n");

    assert_span(span, "GET /shops/{}\n"
                      "http.request.method=GET\n"
                      "url.full=http://shop:8080/shops/17?a=b\n"
                      "url.scheme=http\n"
                      "url.path=/shops/17\n"
                      "url.query=a=b\n"
                      "server.address=shop\n"
                      "server.port:8080\n"
                      "user_agent.original=curl/8\n"
                      "network.protocol.name=http\n"
                      "network.protocol.version=1.1\n"
                      "http.response.status_code:200\n"
                      "http.response.body.size:7\n");
    assert_int_equal(span->status, SPAN_STATUS_UNSET);
}

static void a_server_span_has_the_parts_of_the_url(void **state)
{
    assert_span(describe(SPAN_KIND_SERVER,
                         "PUT http://u:p@shop/files/a HTTP/1.0\r\nContent-Length: 3\r\n\r\n", NULL),
                "PUT /files/a\n"
                "http.request.method=PUT\n"
                "url.scheme=http\n"
                "url.path=/files/a\n"
                "server.address=shop\n"
                "server.port:80\n"
                "http.request.body.size:3\n"
                "network.protocol.name=http\n"
                "network.protocol.version=1.0\n");
}

static void an_unknown_method_is_other_and_kept_as_the_original(void **state)
{
    assert_span(describe(SPAN_KIND_SERVER, "get /a HTTP/1.1\r\n\r\n", NULL),
                "HTTP /a\n"
                "http.request.method=_OTHER\n"
                "http.request.method_original=get\n"
                "url.scheme=http\n"
                "url.path=/a\n"
                "network.protocol.name=http\n"
                "network.protocol.version=1.1\n");
}

static void a_tunnel_is_named_by_its_method(void **state)
{
    assert_span(describe(SPAN_KIND_CLIENT, "CONNECT shop:443 HTTP/1.1\r\nHost: p\r\n\r\n", NULL),
                "CONNECT\n"
                "http.request.method=CONNECT\n"
                "server.address=shop\n"
                "server.port:443\n"
                "network.protocol.name=http\n"
                "network.protocol.version=1.1\n");
}

static void a_cut_target_gives_no_route(void **state)
{
    assert_span(describe(SPAN_KIND_SERVER, "GET /shops/ab", "HTTP/1.1 204 x\r\n\r\n"),
                "GET\n"
                "http.request.method=GET\n"
                "url.scheme=http\n"
                "url.path=/shops/ab\n"
                "network.protocol.name=http\n"
                "network.protocol.version=1.1\n"
                "http.response.status_code:204\n");
    assert_true(bytes_equal(describe(SPAN_KIND_SERVER, "GET /shops?q", NULL)->name,
                            BYTES_LITERAL("GET /shops")));
}

static void a_target_that_is_cut_or_no_path_gives_no_full_url(void **state)
{
    static const char *const questions[] = {
        "GET oops HTTP/1.1\r\nHost: shop\r\n\r\n",
        "GET http://shop/ab",
    };

    for (size_t i = 0; i < ELEMENTSOF(questions); i++)
        assert_null(span_find(describe(SPAN_KIND_CLIENT, questions[i], NULL),
                              BYTES_LITERAL("url.full")));
}

static void secrets_in_headers_are_never_recorded(void **state)
{
    struct span *span = describe(SPAN_KIND_CLIENT,
                                 GET_17 "Authorization: Bearer hush\r\nCookie: hush\r\n\r\n",
                                 "HTTP/1.1 200 OK\r\nSet-Cookie: hush\r\n\r\n");

    for (unsigned i = 0; i < span->n_attributes; i++)
        if (span->attributes[i].type == ATTRIBUTE_TEXT) {
            struct bytes text = span->attributes[i].text;

            assert_null(memmem(text.ptr, text.len, "hush", 4));
        }
}

static void a_folded_user_agent_comes_on_one_line(void **state)
{
    struct span *span = describe(SPAN_KIND_SERVER, GET_17 "User-Agent: a\r\n b\r\n\r\n", NULL);

    assert_true(bytes_equal(span_find(span, BYTES_LITERAL("user_agent.original"))->text,
                            BYTES_LITERAL("a   b")));
}

static void which_codes_are_errors_depends_on_the_side(void **state)
{
    static const struct {
        enum span_kind kind;
        const char *answer;
        const char *error_type;
    } cases[] = {
        {SPAN_KIND_SERVER, "HTTP/1.1 399 x\r\n\r\n", NULL},
        {SPAN_KIND_SERVER, "HTTP/1.1 404 x\r\n\r\n", NULL},
        {SPAN_KIND_SERVER, "HTTP/1.1 500 x\r\n\r\n", "500"},
        {SPAN_KIND_CLIENT, "HTTP/1.1 302 x\r\n\r\n", NULL},
        {SPAN_KIND_CLIENT, "HTTP/1.1 404 x\r\n\r\n", "404"},
        {SPAN_KIND_CLIENT, "HTTP/1.1 503 x\r\n\r\n", "503"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct span *span = describe(cases[i].kind, GET_17 "\r\n", cases[i].answer);
        const struct attribute *type = span_find(span, BYTES_LITERAL("error.type"));

        assert_int_equal(span->status,
                         cases[i].error_type ? SPAN_STATUS_ERROR : SPAN_STATUS_UNSET);
        assert_int_equal(type != NULL, cases[i].error_type != NULL);
        if (type)
            assert_true(bytes_equal(type->text, bytes_from_string(cases[i].error_type)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_span_has_the_whole_url),
        cmocka_unit_test(a_server_span_has_the_parts_of_the_url),
        cmocka_unit_test(an_unknown_method_is_other_and_kept_as_the_original),
        cmocka_unit_test(a_tunnel_is_named_by_its_method),
        cmocka_unit_test(a_cut_target_gives_no_route),
        cmocka_unit_test(a_target_that_is_cut_or_no_path_gives_no_full_url),
        cmocka_unit_test(secrets_in_headers_are_never_recorded),
        cmocka_unit_test(a_folded_user_agent_comes_on_one_line),
        cmocka_unit_test(which_codes_are_errors_depends_on_the_side),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
