/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/redis/redis.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define BYTES(text) {(const uint8_t *)("" text), sizeof(text) - 1}

static void a_request_in_RESP_is_proof(void **state)
{
    static const struct bytes cases[] = {
        BYTES("*1\r\n$4\r\nPING\r\n"), BYTES("*3\r\n$3\r\nset\r\n$1\r\nk\r\n$99999\r\nvvv"),
        BYTES("*2\r\n$8\r\nJSON.GET\r\n"), BYTES("*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"),
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        assert_int_equal(redis_probe(cases[i], DELIVERY_STREAM), PROBE_CLIENT);
}

/* Among them what other protocols begin with, and answers whose first value is a command's name. */
static void nothing_else_is(void **state)
{
    static const struct bytes cases[] = {
        BYTES("PING\r\n"), BYTES("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), BYTES("+OK POP3 ready\r\n"),
        BYTES("* OK IMAP4rev1 ready\r\n"), BYTES("*3\r\n$7\r\nmessage\r\n"),
        BYTES("*1\r\n$3\r\nfoo\r\n"), BYTES("*2\r\n:1\r\n:2\r\n"), BYTES("$3\r\nGET\r\n"),
        BYTES("\x16\x03\x01\x02\x00\x01"), BYTES("SSH-2.0-OpenSSH_9.2p1\r\n"), BYTES("* * * *\n"),
        BYTES("*0\r\n"), BYTES("*3\n$3\nSET\n"), BYTES("*1\r\n$3000\r\n"), BYTES("\0\0\0\x08"),
        BYTES("<34>1 2003-10-11T22:14:15.003Z host su\n"), BYTES("$GPGGA,123519,4807.038\r\n"),
        BYTES("*99999999\r\n$3\r\nGET\r\n"),
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        assert_int_equal(redis_probe(cases[i], DELIVERY_STREAM), PROBE_NO);
}

static void what_may_be_an_answer_is_one_only_at_first(void **state)
{
    assert_int_equal(redis_probe(BYTES_LITERAL("*2\r\n$4\r\ntype\r\n$3\r\nfoo\r\n"), DELIVERY_STREAM), PROBE_FIRST);
    assert_int_equal(redis_probe(BYTES_LITERAL("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"), DELIVERY_STREAM),
                     PROBE_FIRST);
}

static size_t resync(enum sender sender, const char *text)
{
    struct redis_state redis = {0};
    struct parse_input input = {sender, false, bytes_from_string(text)};

    return redis_resync(&redis, &input);
}

static void a_request_is_found_behind_a_payload(void **state)
{
    assert_int_equal(resync(SENDER_CLIENT, "*payload\r\n*1\r\n$4\r\nPING\r\n"), 10);
    assert_int_equal(resync(SENDER_CLIENT, "xx*1\r\n$4\r\nPI"), 2);
    assert_int_equal(resync(SENDER_CLIENT, "nothing at all"), 14);
}

static void an_answer_begins_on_a_line_of_its_own(void **state)
{
    assert_int_equal(resync(SENDER_SERVER, "x+OK\r\n:1\r\n"), 6);
    assert_int_equal(resync(SENDER_SERVER, "- a list\r\n- of things\r\n"), 23);
    assert_int_equal(resync(SENDER_SERVER, "$5\r\nhello\r\n"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_in_RESP_is_proof),
        cmocka_unit_test(nothing_else_is),
        cmocka_unit_test(what_may_be_an_answer_is_one_only_at_first),
        cmocka_unit_test(a_request_is_found_behind_a_payload),
        cmocka_unit_test(an_answer_begins_on_a_line_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
