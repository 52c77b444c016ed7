/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/redis/redis.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct redis_state redis;

static int reset(void **state)
{
    redis = (struct redis_state){0};
    return 0;
}

static struct parse_result parse(const char *text, bool cut, struct message *ret_message)
{
    struct parse_input input = {SENDER_CLIENT, cut, bytes_from_string(text)};

    return redis_parse(&redis, &input, ret_message);
}

static bool field_is(const struct message *message, unsigned id, const char *text)
{
    return bytes_equal(message_field(message, id), bytes_from_string(text));
}

static void a_command_is_one_request(void **state)
{
    const char *text = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n*1\r\n";
    struct message message;
    struct parse_result result = parse(text, false, &message);

    assert_int_equal(result.status, PARSE_MESSAGE);
    assert_int_equal(result.used, strlen(text) - 4);
    assert_int_equal(result.skip, 0);
    assert_int_equal(message.kind, MESSAGE_REQUEST);
    assert_int_equal(message.flags, MESSAGE_ENDS);
    assert_int_equal(message.code, 3);
    assert_int_equal(message.n_fields, 1); /* neither key nor value */
    assert_true(field_is(&message, REDIS_FIELD_NAME, "SET"));
}

static void a_long_value_is_neither_waited_for_nor_kept(void **state)
{
    struct message message;
    struct parse_result result =
        parse("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\nabc", false, &message);

    assert_int_equal(result.status, PARSE_MESSAGE);
    assert_int_equal(result.skip, 536870914);
    assert_int_equal(message.flags, MESSAGE_ENDS);
}

static void keywords_and_channels_are_kept(void **state)
{
    struct message message;

    parse("*3\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n$4\r\nsave\r\n", false, &message);
    assert_true(field_is(&message, REDIS_FIELD_KEYWORD, "GET"));
    parse("*3\r\n$7\r\npublish\r\n$4\r\nnews\r\n$2\r\nhi\r\n", false, &message);
    assert_true(field_is(&message, REDIS_FIELD_CHANNEL, "news"));
}

static void an_inline_command_must_be_known(void **state)
{
    struct message message;

    assert_int_equal(parse("SET key value\r\n", false, &message).status, PARSE_MESSAGE);
    assert_int_equal(message.code, 3);
    assert_int_equal(parse("hello world, this is text\r\n", false, &message).status,
                     PARSE_MESSAGE); /* HELLO is one */
    assert_int_equal(parse("GET / HTTP/1.1 of the shop", false, &message).status, PARSE_MORE);
    assert_int_equal(parse("nothing that is known\r\n", false, &message).status, PARSE_BAD);
    assert_int_equal(parse("\x01\x02\r\n", false, &message).status, PARSE_BAD);
}

static void a_cut_command_tells_its_name(void **state)
{
    struct message message;

    assert_int_equal(parse("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$30\r\nx", true, &message).status,
                     PARSE_MESSAGE);
    assert_int_equal(message.flags, MESSAGE_ENDS | MESSAGE_TRUNCATED);
    assert_int_equal(parse("*3\r\n$3\r\nSE", true, &message).status, PARSE_BAD);
}

static void silenced_requests_get_no_answer(void **state)
{
    struct message message;

    parse("*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$4\r\nSKIP\r\n", false, &message);
    assert_true(message.flags & MESSAGE_ONE_WAY);
    parse("*1\r\n$4\r\nPING\r\n", false, &message);
    assert_true(message.flags & MESSAGE_ONE_WAY);
    parse("*1\r\n$4\r\nPING\r\n", false, &message);
    assert_false(message.flags & MESSAGE_ONE_WAY);
}

static void broken_commands_are_bad(void **state)
{
    static const char *const cases[] = {
        "*1\r\n:1\r\n",  "*1\r\n$-1\r\n", "*2\r\n$3\r\nGETxx", "*1\r\n$0\r\n\r\n",
        "*1\r\n*1\r\n",  "*1\r\n$2\r\n\x01\x02\r\n", "$3\r\nGET\r\n",
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct message message;

        assert_int_equal(parse(cases[i], false, &message).status, PARSE_BAD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_command_is_one_request, reset),
        cmocka_unit_test_setup(a_long_value_is_neither_waited_for_nor_kept, reset),
        cmocka_unit_test_setup(keywords_and_channels_are_kept, reset),
        cmocka_unit_test_setup(an_inline_command_must_be_known, reset),
        cmocka_unit_test_setup(a_cut_command_tells_its_name, reset),
        cmocka_unit_test_setup(silenced_requests_get_no_answer, reset),
        cmocka_unit_test_setup(broken_commands_are_bad, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
