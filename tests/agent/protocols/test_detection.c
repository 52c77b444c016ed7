/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Detection on a mixed corpus: the beginnings of conversations of every protocol of the list, and
 * of none. Whoever says yes first wins, as in track/; the matrix of verdicts is printed.
 *
 *                         http  redis  postgresql  none
 *   http                    10      .           .     .
 *   random bytes             .      .           .  1000
 */
#include "harness.h"

#include "base/hash.h"
#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define PROTOCOLS_MAX 32
#define RANDOM_TEXTS 20000

extern const struct fixture *const fixtures[];

#define BYTES(text) {(const uint8_t *)("" text), sizeof(text) - 1}

/* First bytes of one direction of other protocols, from specifications and captures. */
static const struct foreign {
    const char *name;
    struct bytes bytes;
    bool is_answer; /* of a connection that was joined midway: it comes first on no other */
} foreigners[] = {
    {"TLS", BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x1f\x8a\x77\x12\x9c\x03\x11\x20")},
    {"TLS", BYTES("\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03\x90\x21\x7b\x61\x80\x05\x44\x10")},
    {"TLS", BYTES("\x17\x03\x03\x04\x19\x5d\x8e\x22\xf0\x1c\x44\x9a\x07\x31\xe5\x18\x99\x20\x4f")},
    {"SSH", BYTES("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n")},
    {"SSH", BYTES("\x00\x00\x05\xdc\x0a\x14\x93\x1b\xee\x8c\x60\x3f\x21\x5a\x0d\x44\x77\x1e\x90")},
    {"SMTP", BYTES("220 mail.example.com ESMTP Postfix\r\n")},
    {"SMTP", BYTES("EHLO client.example.com\r\n")},
    {"POP3", BYTES("+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n")},
    {"POP3", BYTES("+OK\r\n")},
    {"POP3", BYTES("-ERR no such message\r\n")},
    {"IMAP", BYTES("* OK [CAPABILITY IMAP4rev1 SASL-IR] Dovecot ready.\r\n")},
    {"IMAP", BYTES("a1 LOGIN bob secret\r\n* 3 EXISTS\r\n")},
    {"FTP", BYTES("220 ProFTPD Server ready.\r\nUSER anonymous\r\n")},
    {"MySQL", BYTES("\x4a\x00\x00\x00\x0a" "8.0.36\x00\x0b\x00\x00\x00\x5c\x2f\x6b\x4d\x33\x1d")},
    {"MySQL", BYTES("\x0f\x00\x00\x00\x03SELECT 1 FROM t")},
    {"MongoDB", BYTES("\x3a\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xd4\x07\x00\x00\x00\x00")},
    {"Kafka", BYTES("\x00\x00\x00\x19\x00\x03\x00\x00\x00\x00\x00\x01\x00\x07" "console\x00")},
    {"Kafka", BYTES("\x00\x00\x00\x23\x00\x12\x00\x03\x00\x00\x00\x01\x00\x0d" "consumer-1-23")},
    {"AMQP", BYTES("AMQP\x00\x00\x09\x01")},
    {"MQTT", BYTES("\x10\x17\x00\x04MQTT\x04\x02\x00\x3c\x00\x0b" "mosq-client")},
    {"NATS", BYTES("INFO {\"server_id\":\"NC\",\"version\":\"2.9.10\"}\r\n")},
    {"NATS", BYTES("CONNECT {\"verbose\":false}\r\nPING\r\n")},
    {"memcached", BYTES("get key\r\n")},
    {"memcached", BYTES("VALUE key 0 5\r\nhello\r\nEND\r\n")},
    {"memcached", BYTES("\x80\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00")},
    {"DNS", BYTES("\x00\x1d\xaa\xaa\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07" "example")},
    {"LDAP", BYTES("\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00")},
    {"Redis answers", BYTES("*2\r\n$4\r\ntype\r\n$3\r\nfoo\r\n"), true},
    {"Redis answers", BYTES("*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n"), true},
    {"Redis answers", BYTES("$5\r\nhello\r\n"), true},
    {"text logs", BYTES("2024-01-01T12:00:00Z INFO GET /index.html 200 in 3 ms\n")},
    {"text logs", BYTES("<34>1 2003-10-11T22:14:15.003Z host.example.com su - ID47 - failed\n")},
    {"text logs", BYTES("Dec 12 10:00:01 host CRON[123]: (root) CMD (run-parts /etc/cron.h)\n")},
    {"text logs", BYTES("* * * * * root test -x /usr/sbin/anacron\n$PATH\n")},
    {"text logs", BYTES("Query: SELECT 1 took 5 ms\nParse error\nBind failed\n")},
    {"text logs", BYTES("{\"level\":\"info\",\"msg\":\"SELECT * FROM t\"}\n")},
    {"text logs", BYTES("SELECT * FROM orders;\nGET key\nSET key value\n")},
};

struct matrix {
    unsigned verdicts[PROTOCOLS_MAX + 1]; /* the last one: nobody's */
    unsigned undecided;
};

static size_t n_protocols(void)
{
    size_t n = 0;

    while (protocols[n])
        n++;
    return n;
}

/* As track/ asks: each protocol in its order. `first`: nothing else came on the connection. */
static void judge(struct bytes bytes, enum delivery delivery, bool first, struct matrix *matrix)
{
    size_t n = n_protocols();
    bool more = false;

    for (size_t i = 0; i < n; i++) {
        enum probe_result result = protocols[i]->probe(bytes, delivery);

        if (result == PROBE_FIRST)
            result = first ? PROBE_CLIENT : PROBE_NO;
        if (result == PROBE_CLIENT || result == PROBE_SERVER) {
            matrix->verdicts[i]++;
            return;
        }
        more |= result == PROBE_MORE;
    }
    matrix->verdicts[PROTOCOLS_MAX]++;
    matrix->undecided += more;
}

static void print_row(const char *name, const struct matrix *matrix)
{
    print_message("  %-16s", name);
    for (size_t i = 0; i < n_protocols(); i++)
        print_message(" %11u", matrix->verdicts[i]);
    print_message(" %11u %11u\n", matrix->verdicts[PROTOCOLS_MAX], matrix->undecided);
}

static void print_header(void)
{
    print_message("  %-16s", "");
    for (size_t i = 0; i < n_protocols(); i++)
        print_message(" %11s", protocols[i]->name);
    print_message(" %11s %11s\n", "none", "(undecided)");
}

/* Nobody's, or that of a protocol of this very name. */
static void expect_nobody_else(const char *name, const struct matrix *matrix)
{
    print_row(name, matrix);
    for (size_t i = 0; i < n_protocols(); i++)
        assert_true(matrix->verdicts[i] == 0 ||
                    bytes_equal_nocase(bytes_from_string(protocols[i]->name),
                                       bytes_from_string(name)));
}

/* What the client begins with is known; an answer is taken for no other protocol. */
static void every_protocol_is_taken_for_itself(void **state)
{
    print_header();
    for (size_t i = 0; protocols[i]; i++)
        for (size_t f = 0; fixtures[f]; f++) {
            struct matrix asked = {0}, answered = {0};

            if (fixtures[f]->protocol != protocols[i])
                continue;
            for (size_t c = 0; c < fixtures[f]->n_conversations; c++) {
                const struct conversation *conversation = &fixtures[f]->conversations[c];

                enum delivery delivery =
                    conversation->datagrams ? DELIVERY_DATAGRAM : DELIVERY_STREAM;

                judge(conversation->chunks[0].bytes, delivery, true, &asked);
                for (unsigned k = 0; k < conversation->n_chunks; k++)
                    if (conversation->chunks[k].sender == SENDER_SERVER)
                        judge(conversation->chunks[k].bytes, delivery, false, &answered);
            }
            print_row(protocols[i]->name, &asked);
            print_row("  answers", &answered);
            assert_int_equal(asked.verdicts[i], fixtures[f]->n_conversations);
            for (size_t j = 0; j < n_protocols(); j++)
                assert_true(j == i || answered.verdicts[j] == 0);
        }
}

static void nothing_else_is_taken_for_a_protocol_at_any_length(void **state)
{
    for (size_t i = 0; i < ELEMENTSOF(foreigners); i++) {
        struct matrix matrix = {0};

        for (size_t len = 0; len <= foreigners[i].bytes.len; len++)
            for (int delivery = DELIVERY_STREAM; delivery <= DELIVERY_DATAGRAM; delivery++)
                judge(bytes_slice(foreigners[i].bytes, 0, len), delivery, !foreigners[i].is_answer,
                      &matrix);
        expect_nobody_else(foreigners[i].name, &matrix);
    }
}

static void random_bytes_are_nobodys(void **state)
{
    struct matrix binary = {0}, text = {0};
    uint8_t bytes[256];
    uint64_t seed = 1;

    for (unsigned run = 0; run < RANDOM_TEXTS; run++) {
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)hash_mix(seed++);
        judge(bytes_make(bytes, sizeof(bytes)), run % 2, true, &binary);
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = bytes[i] % 16 == 0 ? '\n' : (uint8_t)(' ' + bytes[i] % 95);
        judge(bytes_make(bytes, sizeof(bytes)), run % 2, true, &text);
    }
    expect_nobody_else("random bytes", &binary);
    expect_nobody_else("random text", &text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_protocol_is_taken_for_itself),
        cmocka_unit_test(nothing_else_is_taken_for_a_protocol_at_any_length),
        cmocka_unit_test(random_bytes_are_nobodys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
