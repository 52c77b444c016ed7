/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/redis/redis.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define GET "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"

static struct redis_state redis;

static int reset(void **state)
{
    redis = (struct redis_state){0};
    return 0;
}

static struct parse_result parse(enum sender sender, const char *text, struct message *ret_message)
{
    struct parse_input input = {sender, false, bytes_from_string(text)};

    return redis_parse(&redis, &input, ret_message);
}

static struct message reply(const char *text)
{
    struct message message;

    assert_int_equal(parse(SENDER_SERVER, text, &message).status, PARSE_MESSAGE);
    return message;
}

static struct message request(const char *text)
{
    struct message message;

    assert_int_equal(parse(SENDER_CLIENT, text, &message).status, PARSE_MESSAGE);
    return message;
}

static bool field_is(const struct message *message, unsigned id, const char *text)
{
    return bytes_equal(message_field(message, id), bytes_from_string(text));
}

static void of_an_error_only_the_first_word_is_kept(void **state)
{
    struct message message = reply("-WRONGTYPE Operation against the key secret\r\n");

    assert_int_equal(message.n_fields, 1);
    assert_true(field_is(&message, REDIS_FIELD_ERROR, "WRONGTYPE"));
    message = reply("!9\r\nOOM limit\r\n");
    assert_true(field_is(&message, REDIS_FIELD_ERROR, "OOM"));
}

static void a_redirection_names_slot_and_node(void **state)
{
    struct message message = reply("-MOVED 3999 10.0.0.1:6381\r\n");

    assert_true(field_is(&message, REDIS_FIELD_SLOT, "3999"));
    assert_true(field_is(&message, REDIS_FIELD_ADDRESS, "10.0.0.1:6381"));
}

static void a_payload_is_skipped(void **state)
{
    struct message message;
    struct parse_result result = parse(SENDER_SERVER, "$3\r\nfoo\r\n", &message);

    assert_int_equal(result.used, 4);
    assert_int_equal(result.skip, 5);
    assert_int_equal(message.flags, MESSAGE_ENDS);
}

static void nesting_needs_no_stack(void **state)
{
    struct message message = reply("*1\r\n");
    char deep[4 * 1000 + 1];

    for (size_t i = 0; i < 1000; i++)
        memcpy(deep + 4 * i, "*1\r\n", 5);
    assert_int_equal(message.flags, 0);
    assert_int_equal(parse(SENDER_SERVER, deep, &message).status, PARSE_NONE);
    message = reply(":1\r\n");
    assert_int_equal(message.kind, MESSAGE_PART);
    assert_int_equal(message.flags, MESSAGE_ENDS);
}

static void more_values_than_can_be_counted_are_bad(void **state)
{
    struct message message;

    reply("%1073741824\r\n");
    assert_int_equal(parse(SENDER_SERVER, "%1073741824\r\n%1073741824\r\n", &message).status,
                     PARSE_BAD);
}

static void the_database_is_known_behind_an_answered_select(void **state)
{
    struct message message;

    request("*2\r\n$6\r\nSELECT\r\n$2\r\n12\r\n");
    message = request(GET);
    assert_null(message_field(&message, REDIS_FIELD_DATABASE).ptr);
    reply("+OK\r\n");
    message = request(GET);
    assert_true(field_is(&message, REDIS_FIELD_DATABASE, "12"));
}

static void a_select_that_failed_or_waits_tells_nothing_new(void **state)
{
    struct message message;

    request("*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n");
    reply("+OK\r\n");
    request("*2\r\n$6\r\nSELECT\r\n$3\r\n900\r\n");
    reply("-ERR DB index is out of range\r\n");
    message = request(GET);
    assert_true(field_is(&message, REDIS_FIELD_DATABASE, "3"));
    reply("$-1\r\n");
    request("*2\r\n$6\r\nSELECT\r\n$1\r\n4\r\n");
    reply("+QUEUED\r\n");
    message = request(GET);
    assert_null(message_field(&message, REDIS_FIELD_DATABASE).ptr);
}

static void an_array_is_a_message_only_to_a_subscriber(void **state)
{
    const char *text = "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n";
    struct message message;

    request(GET);
    message = reply(text);
    assert_int_equal(message.kind, MESSAGE_RESPONSE);
    reset(NULL);
    request("*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nc\r\n");
    reply("*3\r\n$9\r\nsubscribe\r\n");
    assert_int_equal(parse(SENDER_SERVER, "$1\r\nc\r\n", &message).status, PARSE_NONE);
    reply(":1\r\n");
    message = reply(text);
    assert_int_equal(message.kind, MESSAGE_REQUEST);
    assert_true(message.flags & MESSAGE_ONE_WAY);
    assert_true(field_is(&message, REDIS_FIELD_CHANNEL, "c"));
}

static void a_stream_ends_what_can_be_read(void **state)
{
    struct message message;

    request(GET);
    request("*1\r\n$7\r\nMONITOR\r\n");
    message = reply("$-1\r\n");
    assert_false(message.flags & MESSAGE_LAST);
    message = reply("+OK\r\n");
    assert_true(message.flags & MESSAGE_LAST);
}

static void a_refused_stream_does_not(void **state)
{
    struct message message;

    request("*1\r\n$7\r\nMONITOR\r\n");
    message = reply("-NOPERM no\r\n");
    assert_false(message.flags & MESSAGE_LAST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(of_an_error_only_the_first_word_is_kept, reset),
        cmocka_unit_test_setup(a_redirection_names_slot_and_node, reset),
        cmocka_unit_test_setup(a_payload_is_skipped, reset),
        cmocka_unit_test_setup(nesting_needs_no_stack, reset),
        cmocka_unit_test_setup(more_values_than_can_be_counted_are_bad, reset),
        cmocka_unit_test_setup(the_database_is_known_behind_an_answered_select, reset),
        cmocka_unit_test_setup(a_select_that_failed_or_waits_tells_nothing_new, reset),
        cmocka_unit_test_setup(an_array_is_a_message_only_to_a_subscriber, reset),
        cmocka_unit_test_setup(a_stream_ends_what_can_be_read, reset),
        cmocka_unit_test_setup(a_refused_stream_does_not, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
