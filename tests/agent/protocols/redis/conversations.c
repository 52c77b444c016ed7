/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Redis conversations for the shared harness; the bytes are those that redis-cli, redis-benchmark
 * and redis-server 7.0 exchange.
 */
#include "../harness.h"

#include "protocols/redis/redis.h"

#include "base/macro.h"

extern const struct fixture redis_fixture;

#define X16 "xxxxxxxxxxxxxxxx"
#define X128 X16 X16 X16 X16 X16 X16 X16 X16
#define X640 X128 X128 X128 X128 X128
#define GET "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n"
#define SUBSCRIBE "*3\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n$1\r\nb\r\n"
#define UNSUBSCRIBE "*1\r\n$11\r\nUNSUBSCRIBE\r\n"

static const struct conversation conversations[] = {
    CONVERSATION("a command and its answer", 4,
        CLIENT("*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000001\r\n$3\r\nxxx\r\n"),
        SERVER("+OK\r\n"),
        CLIENT("*2\r\n$3\r\nget\r\n$16\r\nkey:000000000001\r\n"),
        SERVER("$3\r\nxxx\r\n")),
    CONVERSATION("null, integer and empty answers", 8,
        CLIENT(GET), SERVER("$-1\r\n"), CLIENT(GET), SERVER(":-17\r\n"),
        CLIENT(GET), SERVER("*0\r\n"), CLIENT(GET), SERVER("$0\r\n\r\n")),
    FRAGILE_CONVERSATION("a pipeline: answers come in order", 6,
        CLIENT("*1\r\n$4\r\nPING\r\n" GET "*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n"),
        SERVER("+PONG\r\n$2\r\nhi\r\n:3\r\n")),
    CONVERSATION("long payloads in both directions are passed over", 4,
        CLIENT("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$640\r\n" X640 "\r\n"),
        SERVER("+OK\r\n"), CLIENT(GET), SERVER("$640\r\n" X640 "\r\n")),
    CONVERSATION("a long key before a short value", 3,
        CLIENT("*3\r\n$3\r\nSET\r\n$640\r\n" X640 "\r\n$1\r\nv\r\n"),
        SERVER("+OK\r\n")),
    CONVERSATION("a command of many words", 3,
        CLIENT("*12\r\n$4\r\nMSET\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n"
               "$1\r\nc\r\n$1\r\n3\r\n"
               "$1\r\nd\r\n$1\r\n4\r\n$1\r\ne\r\n$1\r\n5\r\n$1\r\nf\r\n"),
        SERVER("-ERR wrong number of arguments for 'mset' command\r\n")),
    CONVERSATION("nested answers", 3,
        CLIENT("*1\r\n$7\r\nCOMMAND\r\n"),
        SERVER("*2\r\n*3\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n*0\r\n*-1\r\n")),
    CONVERSATION("a transaction", 9,
        CLIENT("*1\r\n$5\r\nMULTI\r\n"), SERVER("+OK\r\n"), CLIENT(GET), SERVER("+QUEUED\r\n"),
        CLIENT(GET), SERVER("+QUEUED\r\n"),
        CLIENT("*1\r\n$4\r\nEXEC\r\n"), SERVER("*2\r\n$1\r\n1\r\n$-1\r\n")),
    CONVERSATION("inline commands behind others", 6,
        CLIENT(GET), SERVER("$-1\r\n"), CLIENT("\r\nPING\r\n"), SERVER("+PONG\r\n"),
        CLIENT("set key value\n"), SERVER("+OK\r\n")),
    CONVERSATION("RESP3 types and attributes", 6,
        CLIENT("*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"),
        SERVER("%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n"),
        CLIENT(GET),
        SERVER("|1\r\n+ttl\r\n:3600\r\n~5\r\n,3.25\r\n#t\r\n_\r\n(12345678901234567890\r\n"
               "=8\r\ntxt:word\r\n")),
    CONVERSATION("a blob error", 2,
        CLIENT(GET), SERVER("!21\r\nSYNTAX invalid syntax\r\n")),
    CONVERSATION("subscription in RESP2: acknowledgements, messages, and back", 10,
        CLIENT(SUBSCRIBE),
        SERVER("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
               "*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n"
               "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$5\r\nhello\r\n"),
        CLIENT(UNSUBSCRIBE),
        SERVER("*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:1\r\n"
               "*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:0\r\n"),
        CLIENT(GET), SERVER("$-1\r\n")),
    CONVERSATION("subscription in RESP3: pushes between answers", 9,
        CLIENT("*2\r\n$10\r\nPSUBSCRIBE\r\n$2\r\na*\r\n"),
        SERVER(">3\r\n$10\r\npsubscribe\r\n$2\r\na*\r\n:1\r\n"),
        CLIENT(GET),
        SERVER(">4\r\n$8\r\npmessage\r\n$2\r\na*\r\n$2\r\nab\r\n$5\r\nhello\r\n"
               "$2\r\nhi\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$3\r\nkey\r\n"
               ">4\r\n$8\r\npmessage\r\n$2\r\na*\r\n$2\r\nac\r\n$640\r\n" X640 "\r\n")),
    CONVERSATION("the database is that of the last SELECT", 4,
        CLIENT("*2\r\n$6\r\nSELECT\r\n$2\r\n15\r\n"), SERVER("+OK\r\n"),
        CLIENT(GET), SERVER("$-1\r\n")),
    CONVERSATION("errors and redirections", 6,
        CLIENT(GET), SERVER("-WRONGTYPE Operation against a key holding the wrong kind\r\n"),
        CLIENT(GET), SERVER("-MOVED 3999 127.0.0.1:6381\r\n"),
        CLIENT(GET), SERVER("-ASK 3999 127.0.0.1:6381\r\n")),
    CONVERSATION("a client that wants no answers", 5,
        CLIENT("*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$3\r\nOFF\r\n"),
        CLIENT(GET),
        CLIENT("*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$2\r\nON\r\n"), SERVER("+OK\r\n"),
        CLIENT("*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$4\r\nSKIP\r\n")),
    CONVERSATION("what MONITOR shows is left alone", 2,
        CLIENT("*1\r\n$7\r\nMONITOR\r\n"),
        SERVER("+OK\r\n+1339518083.107412 [0 127.0.0.1:60866] \"keys\" \"*\"\r\n")),
    CONVERSATION("replication is left alone", 2,
        CLIENT("*3\r\n$5\r\nPSYNC\r\n$1\r\n?\r\n$2\r\n-1\r\n"),
        SERVER("\n"),
        SERVER("\n+FULLRESYNC 8de1787ba490483314a4d30f1c628bc5025eb761 0\r\n$5\r\nREDIS*1\r\n")),
};

const struct fixture redis_fixture = {
    .protocol = &redis_protocol,
    .conversations = conversations,
    .n_conversations = ELEMENTSOF(conversations),
    .answers_prove_nothing = true,
};
