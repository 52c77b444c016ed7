/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

struct fixture {
    struct policy *policy;
    struct arena arena;
    struct span span;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct settings *settings;

    assert_non_null(fixture);
    assert_int_equal(settings_load(NULL, NULL, 0, NULL, &settings), 0);
    assert_int_equal(policy_new(settings, &fixture->policy), 0);
    settings_free(settings);
    assert_int_equal(arena_init(&fixture->arena, 4096), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    policy_free(fixture->policy);
    arena_done(&fixture->arena);
    free(fixture);
    return 0;
}

static struct bytes redacted(struct fixture *fixture, const char *key, struct bytes text)
{
    arena_reset(&fixture->arena);
    span_reset(&fixture->span, &fixture->arena);
    span_add_text(&fixture->span, bytes_from_string(key), text);
    policy_redact(fixture->policy, &fixture->span);
    return fixture->span.attributes[0].text;
}

static void assert_redacted(struct fixture *fixture, const char *key, const char *text,
                            const char *expected)
{
    struct bytes result = redacted(fixture, key, bytes_from_string(text));

    if (!bytes_equal(result, bytes_from_string(expected)))
        fail_msg("%s became %.*s", text, BYTES_PRINTF(result));
}

static void secret_values_of_a_query_are_masked(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"page=2", "page=2"},
        {"token=abc", "token=REDACTED"},
        {"page=2&token=abc&x=y", "page=2&token=REDACTED&x=y"},
        {"a=1;PassWord=p;b=2", "a=1;PassWord=REDACTED;b=2"},
        {"X-Amz-Signature=00ff&page=1", "X-Amz-Signature=REDACTED&page=1"},
        {"user[api_key]=k", "user[api_key]=REDACTED"},
        {"to%6Ben=abc", "to%6Ben=REDACTED"},
        {"to%6=abc", "to%6=abc"},
        {"token=a=b", "token=REDACTED"},
        {"token=&page=1", "token=REDACTED&page=1"},
        {"token", "token"},
        {"&&=&", "&&=&"},
        {"page=token", "page=token"},
        {"to=http://u:p@x/y&page=1", "to=REDACTED&page=1"},
        {"to=http%3A%2F%2Fu%3Ap%40x", "to=REDACTED"},
        {"//u:p@x", "REDACTED"},
        {"to=http://x/a@b", "to=http://x/a@b"},
        {"mail=a@b", "mail=a@b"},
        {"token=a?key=b#jwt=c", "token=REDACTED?key=REDACTED#jwt=REDACTED"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        assert_redacted(*state, "url.query", cases[i][0], cases[i][1]);
}

static void user_information_and_secrets_of_a_url_are_masked(void **state)
{
    static const char *const cases[][2] = {
        {"http://h/p", "http://h/p"},
        {"http://u:p@h/p", "http://REDACTED@h/p"},
        {"http://u@h", "http://REDACTED@h"},
        {"http://u:p@q@h:80/a@b", "http://REDACTED@h:80/a@b"},
        {"http://h/a@b?c=d@e", "http://h/a@b?c=d@e"},
        {"http://h/?token=x#access_token=y", "http://h/?token=REDACTED#access_token=REDACTED"},
        {"http://h/#key=y", "http://h/#key=REDACTED"},
        {"//u:p@h/", "//REDACTED@h/"},
        {"/path?code=1&page=2", "/path?code=REDACTED&page=2"},
        {"http://h?next=http://u:p@h", "http://h?next=REDACTED"},
        {"/proxy/http://u:p@h/x//v@w", "/proxy/http://REDACTED@h/x//REDACTED@w"},
        {"/a@b//c/d@e", "/a@b//c/d@e"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        assert_redacted(*state, "url.full", cases[i][0], cases[i][1]);
}

static void other_attributes_stay_as_they_are(void **state)
{
    assert_redacted(*state, "url.path", "/token=abc", "/token=abc");
    assert_redacted(*state, "url.query.x", "token=abc", "token=abc");
}

static void text_without_secrets_is_not_copied(void **state)
{
    struct bytes text = BYTES_LITERAL("page=2&size=10");

    assert_ptr_equal(redacted(*state, "url.query", text).ptr, text.ptr);
}

static void a_name_too_long_to_look_at_counts_as_secret(void **state)
{
    char text[400], expected[400];

    memset(text, 'a', sizeof(text));
    memset(expected, 'a', sizeof(expected));
    snprintf(text + 257, sizeof(text) - 257, "=value");
    snprintf(expected + 257, sizeof(expected) - 257, "=REDACTED");
    assert_redacted(*state, "url.query", text, expected);
    snprintf(text + 256, sizeof(text) - 256, "=value");
    assert_redacted(*state, "url.query", text, text);
}

static void bytes_of_all_values_pass_through(void **state)
{
    struct bytes result = redacted(*state, "url.query",
                                   BYTES_LITERAL("a\0&t\0=1&key=\0\377&b=\200"));

    assert_true(bytes_equal(result, BYTES_LITERAL("a\0&t\0=1&key=REDACTED&b=\200")));
}

static void without_room_the_whole_attribute_is_masked(void **state)
{
    struct fixture *fixture = *state;
    uint8_t little[8];
    struct arena full = arena_over(little, sizeof(little));

    span_reset(&fixture->span, &full);
    span_add_text(&fixture->span, BYTES_LITERAL("url.query"), BYTES_LITERAL("page=2&token=abc"));
    policy_redact(fixture->policy, &fixture->span);
    assert_true(bytes_equal(fixture->span.attributes[0].text, BYTES_LITERAL("REDACTED")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secret_values_of_a_query_are_masked),
        cmocka_unit_test(user_information_and_secrets_of_a_url_are_masked),
        cmocka_unit_test(other_attributes_stay_as_they_are),
        cmocka_unit_test(text_without_secrets_is_not_copied),
        cmocka_unit_test(a_name_too_long_to_look_at_counts_as_secret),
        cmocka_unit_test(bytes_of_all_values_pass_through),
        cmocka_unit_test(without_room_the_whole_attribute_is_masked),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
