/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/internal.h"

#include "span/semconv.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SOME_TIME INT64_C(1893456000) /* 2030-01-01 */

struct bench {
    char text[4096];
    struct arena arena;
    struct span span;
    struct exchange exchange;
};

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    bench->arena = arena_over(bench->text, sizeof(bench->text));
    span_reset(&bench->span, &bench->arena);
    bench->exchange.request.flags = MESSAGE_SECURE;
    bench->exchange.remote.port = 443;
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static void assert_text(const struct span *span, struct bytes key, const char *text)
{
    const struct attribute *found = span_find(span, key);

    assert_non_null(found);
    assert_true(bytes_equal(found->text, bytes_from_string(text)));
}

static void version_and_expiry_are_told_as_the_conventions_ask(void **state)
{
    static const struct {
        uint16_t number;
        const char *name, *version;
    } versions[] = {{0x0300, "ssl", "3"}, {0x0301, "tls", "1"}, {0x0302, "tls", "1.1"},
                    {0x0303, "tls", "1.2"}, {0x0304, "tls", "1.3"}};
    struct bench *bench = *state;

    for (size_t i = 0; i < ELEMENTSOF(versions); i++) {
        span_reset(&bench->span, &bench->arena);
        bench->exchange.tls = (struct tls_facts){versions[i].number, SOME_TIME};
        add_tls(&bench->exchange, &bench->span);
        assert_text(&bench->span, SEMCONV_TLS_PROTOCOL_NAME, versions[i].name);
        assert_text(&bench->span, SEMCONV_TLS_PROTOCOL_VERSION, versions[i].version);
        assert_text(&bench->span, SEMCONV_TLS_SERVER_NOT_AFTER, "2030-01-01T00:00:00.000Z");
    }
}

static void what_is_not_known_is_not_told(void **state)
{
    struct bench *bench = *state;

    bench->exchange.tls.version = 0x7f1c; /* a draft's */
    add_tls(&bench->exchange, &bench->span);
    assert_int_equal(bench->span.n_attributes, 0);
}

static void plain_text_has_none(void **state)
{
    struct bench *bench = *state;

    bench->exchange.request.flags = 0;
    bench->exchange.name = BYTES_LITERAL("/run/socket");
    add_tls(&bench->exchange, &bench->span);
    assert_int_equal(bench->span.n_attributes, 0);
}

static void the_name_that_was_asked_for_is_the_servers_where_no_other_is_known(void **state)
{
    struct bench *bench = *state;

    bench->exchange.name = BYTES_LITERAL("shop.example");
    add_tls(&bench->exchange, &bench->span);
    assert_text(&bench->span, SEMCONV_TLS_CLIENT_SERVER_NAME, "shop.example");
    assert_text(&bench->span, SEMCONV_SERVER_ADDRESS, "shop.example");
    assert_int_equal(span_find(&bench->span, SEMCONV_SERVER_PORT)->integer, 443);
    span_reset(&bench->span, &bench->arena);
    span_add_text(&bench->span, SEMCONV_SERVER_ADDRESS, BYTES_LITERAL("other.example"));
    add_tls(&bench->exchange, &bench->span);
    assert_text(&bench->span, SEMCONV_TLS_CLIENT_SERVER_NAME, "shop.example");
    assert_text(&bench->span, SEMCONV_SERVER_ADDRESS, "other.example");
    assert_null(span_find(&bench->span, SEMCONV_SERVER_PORT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(version_and_expiry_are_told_as_the_conventions_ask, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_not_known_is_not_told, setup, teardown),
        cmocka_unit_test_setup_teardown(plain_text_has_none, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_name_that_was_asked_for_is_the_servers_where_no_other_is_known, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
