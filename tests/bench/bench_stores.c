/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast the messages of stores and of DNS are parsed, and SQL is masked and summarized: typical writes of
 * one side, over and over. The best of several rounds counts, for a busy machine only ever slows
 * down.
 *
 *   write                    bytes   messages   ns/message     GB/s
 *
 * The budgets are 1 GB/s for what is parsed and 0.2 GB/s for SQL.
 */
#include "protocols/protocol.h"
#include "protocols/sql/mask.h"
#include "protocols/sql/summary.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/macro.h"

#include "../agent/protocols/dns/messages.h"

#include <stdio.h>

#define ROUNDS 15
#define REPEATS 50000
#define STATE_MAX 8192

#define LEN(n) "\0\0\0" n
#define SET "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000001\r\n$64\r\n" X64 "\r\n"
#define X64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SESSION                                                                                    \
    "*4\r\n$5\r\nSETEX\r\n$28\r\nsession:0123456789abcdef0123\r\n$4\r\n3600\r\n$256\r\n" \
    X64 X64 X64 X64 "\r\n"
#define STATUS "+OK\r\n"
#define VALUE "$64\r\n" X64 "\r\n"
#define SELECT_TEXT                                                                                \
    "SELECT o.id, o.total, c.name FROM orders o JOIN customers c ON c.id = o.cid "                 \
    "WHERE o.shop = $1 AND o.state IN ('paid', 'sent') ORDER BY o.id DESC LIMIT 20"
#define EXTENDED                                                                                   \
    "B\0\0\0\x24\0s1\0\0\0\0\1\0\0\0\x10" "0123456789abcdef\0\1\0\0"                              \
    "D\0\0\0\6P\0E\0\0\0\x09\0\0\0\0\0S\0\0\0\4"
#define ROW                                                                                        \
    "D\0\0\0\x58\0\3\0\0\0\6" "123456\0\0\0\5" "99.95\0\0\0\x3b"                                 \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789a"
#define ANSWER "2\0\0\0\4" ROW ROW ROW ROW "C\0\0\0\x0dSELECT 4\0Z\0\0\0\5I"

#define TEXT(text) {(const uint8_t *)("" text), sizeof(text) - 1}

static const struct sample {
    const char *protocol;
    const char *name;
    enum sender sender;
    struct bytes text; /* whole messages */
    enum delivery delivery;
} samples[] = {
    {"redis", "SET", SENDER_CLIENT, TEXT(SET)},
    {"redis", "SETEX", SENDER_CLIENT, TEXT(SESSION)},
    {"redis", "16 SETs in a pipeline", SENDER_CLIENT, TEXT(SET SET SET SET SET SET SET SET SET SET
                                                          SET
                                                          SET SET SET SET SET)},
    {"redis", "OK", SENDER_SERVER, TEXT(STATUS)},
    {"redis", "a value", SENDER_SERVER, TEXT(VALUE)},
    {"postgresql", "Query", SENDER_CLIENT, TEXT("Q" LEN("\x9e") SELECT_TEXT "\0")},
    {"postgresql", "Bind to Sync", SENDER_CLIENT, TEXT(EXTENDED)},
    {"postgresql", "an answer of 4 rows", SENDER_SERVER, TEXT(ANSWER)},
    {"dns", "a question", SENDER_CLIENT, TEXT(ASK_WWW), DELIVERY_DATAGRAM},
    {"dns", "an alias, 2 addresses", SENDER_SERVER, TEXT(ANSWER_WWW), DELIVERY_DATAGRAM},
    {"dns", "version.bind", SENDER_SERVER, TEXT(ANSWER_VERSION), DELIVERY_DATAGRAM},
    {"dns", "a zone over TCP", SENDER_SERVER, TEXT(ANSWER_TCP_ZONE)},
};

static const struct bytes statements[] = {
    TEXT(SELECT_TEXT),
    TEXT("INSERT INTO audit.log (at, who, what) VALUES ('2024-01-01 12:00:00', 4711, 'login'), "
         "('2024-01-01 12:00:01', 4712, E'log\\'out') ON CONFLICT (at) DO UPDATE SET who = 1"),
    TEXT("UPDATE \"Accounts\" SET balance = balance - 17.25, note = $$it's$$ WHERE id = 123456"),
};

static const struct protocol *find_protocol(const char *name)
{
    for (size_t i = 0; protocols[i]; i++)
        if (strcmp(protocols[i]->name, name) == 0)
            return protocols[i];
    return NULL;
}

/* Parses all of it; the number of messages, or 0 where something is not understood. */
static unsigned parse_all(const struct protocol *protocol, void *state, const struct sample *sample)
{
    static uint8_t scratch_memory[SCRATCH_SIZE];
    struct bytes rest = sample->text;
    unsigned n = 0;

    while (rest.len) {
        struct arena scratch = arena_over(scratch_memory, sizeof(scratch_memory));
        struct parse_input input = {.sender = sample->sender,
                                    .cut = sample->delivery == DELIVERY_DATAGRAM,
                                    .data = rest,
                                    .scratch = &scratch,
                                    .delivery = sample->delivery};
        struct message message;
        struct parse_result result = protocol->parse(state, &input, &message);

        if (result.status == PARSE_BAD || result.status == PARSE_MORE)
            return 0;
        n += result.status == PARSE_MESSAGE;
        rest = bytes_skip(rest, result.used + (size_t)result.skip);
    }
    return n;
}

static bool measure(const struct sample *sample)
{
    static uint64_t state[STATE_MAX / sizeof(uint64_t)];
    const struct protocol *protocol = find_protocol(sample->protocol);
    uint64_t best = UINT64_MAX;
    unsigned n = 0;
    double ns;

    if (!protocol || protocol->traits.state_size > sizeof(state))
        return false;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t start;

        memset(state, 0, sizeof(state));
        start = clock_ns(CLOCK_MONOTONIC);
        for (unsigned i = 0; i < REPEATS; i++)
            if ((n = parse_all(protocol, state, sample)) == 0)
                return false;
        best = MIN(best, clock_ns(CLOCK_MONOTONIC) - start);
    }
    ns = (double)best / REPEATS;
    printf("%-11s %-22s %6zu %9u %12.1f %8.2f\n", sample->protocol, sample->name,
           sample->text.len, n, ns / n, (double)sample->text.len / ns);
    return true;
}

static void measure_sql(const char *name, bool summarize)
{
    uint64_t best = UINT64_MAX;
    size_t bytes = 0, n = REPEATS / ELEMENTSOF(statements);
    uint8_t out[4096];

    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t start = clock_ns(CLOCK_MONOTONIC);

        for (size_t i = 0; i < n * ELEMENTSOF(statements); i++) {
            struct sql_summary summary;

            if (summarize)
                sql_summarize(statements[i % ELEMENTSOF(statements)], SQL_POSTGRES, out, &summary);
            else
                sql_mask(statements[i % ELEMENTSOF(statements)], SQL_POSTGRES, out, sizeof(out));
        }
        best = MIN(best, clock_ns(CLOCK_MONOTONIC) - start);
    }
    for (size_t i = 0; i < ELEMENTSOF(statements); i++)
        bytes += statements[i].len;
    printf("%-11s %-22s %6zu %9zu %12.1f %8.2f\n", "sql", name, bytes, ELEMENTSOF(statements),
           (double)best / (double)(n * ELEMENTSOF(statements)),
           (double)(bytes * n) / (double)best);
}

int main(void)
{
    bool understood = true;

    printf("%-11s %-22s %6s %9s %12s %8s\n", "", "write", "bytes", "messages", "ns/message",
           "GB/s");
    for (size_t i = 0; i < ELEMENTSOF(samples); i++)
        understood &= measure(&samples[i]);
    measure_sql("masked", false);
    measure_sql("summarized", true);
    return understood ? EXIT_SUCCESS : EXIT_FAILURE;
}
