/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/postgres/postgres.h"

#include "wire.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define BYTES(text) {(const uint8_t *)("" text), sizeof(text) - 1}

static void start_ups_and_statements_are_proof(void **state)
{
    static const struct bytes cases[] = {
        BYTES(STARTUP), BYTES(LEN("\x08") "\x04\xd2\x16\x2f"), BYTES(QUERY_1),
        BYTES(PARSE_S1), BYTES(PARSE_UNNAMED BIND_UNNAMED), BYTES(BIND_S1 EXECUTE SYNC),
        BYTES("Q\0\1\0\0/* long */ insert into t"),
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        assert_int_equal(postgres_probe(cases[i], DELIVERY_STREAM), PROBE_CLIENT);
}

/* Among them what others begin with: a Kafka Metadata v0 request has the start-up's version. */
static void nothing_else_is(void **state)
{
    static const struct bytes cases[] = {
        BYTES("\0\0\0\x19" "\0\x03\0\0" "\0\0\0\x01" "\0\x07" "console" "\0\0\0\0"),
        BYTES("Query this and that\r\n"), BYTES("Q" LEN("\x0d") "hello wo\0"),
        BYTES("Q" LEN("\x0d") "SEL\x01T 1\0"), BYTES("B" LEN("\x0c") "abcdefgh" SYNC),
        BYTES("\x16\x03\x01\x02\0\x01"), BYTES("SSH-2.0-OpenSSH_9.2p1\r\n"), BYTES(READY),
        BYTES(AUTH_OK), BYTES("GET / HTTP/1.1\r\n\r\n"), BYTES("*1\r\n$4\r\nPING\r\n"),
        BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), BYTES(SYNC), BYTES(EXECUTE),
        BYTES("\0\0\0\x04"), BYTES("\0\0\0\x10" "\0\x03\0\0" "USER\0x\0\0"), BYTES("Dec 12 a: b\n"),
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        assert_int_equal(postgres_probe(cases[i], DELIVERY_STREAM), PROBE_NO);
}

static size_t resync(enum sender sender, struct bytes data)
{
    struct postgres_state postgres = {0};
    struct parse_input input = {sender, false, data};

    return postgres_resync(&postgres, &input);
}

static void a_request_is_found_behind_the_rest_of_another(void **state)
{
    assert_int_equal(resync(SENDER_CLIENT, BYTES_LITERAL("'x', 'y')\0" QUERY_1)), 10);
    assert_int_equal(resync(SENDER_CLIENT, BYTES_LITERAL("nothing\n")), 8);
}

static void an_answer_is_found_by_its_messages(void **state)
{
    assert_int_equal(resync(SENDER_SERVER, BYTES_LITERAL(ROW_DESCRIPTION)), 0);
    assert_int_equal(resync(SENDER_SERVER, BYTES_LITERAL("text of a row" READY)), 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start_ups_and_statements_are_proof),
        cmocka_unit_test(nothing_else_is),
        cmocka_unit_test(a_request_is_found_behind_the_rest_of_another),
        cmocka_unit_test(an_answer_is_found_by_its_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
