/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL conversations for the shared harness: the shapes of psql, pgbench and libpq. */
#include "../harness.h"
#include "wire.h"

#include "protocols/postgres/postgres.h"

#include "base/macro.h"

extern const struct fixture postgres_fixture;

#define X16 "xxxxxxxxxxxxxxxx"
#define X256 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16
#define X4096 X256 X256 X256 X256 X256 X256 X256 X256 X256 X256 X256 X256 X256 X256 X256 X256

static const struct conversation conversations[] = {
    CONVERSATION("a session: start-up, a simple query, the end", 7,
        CLIENT(STARTUP), SERVER(STARTED),
        CLIENT(QUERY_1), SERVER(ROW_DESCRIPTION ROW ROW SELECTED_1 READY),
        CLIENT("X" LEN("\x04"))),
    CONVERSATION("a password is passed over", 3,
        CLIENT(STARTUP), SERVER("R" LEN("\x0c") "\0\0\0\x05" "salt"),
        CLIENT("p" LEN("\x0b") "secret\0"), SERVER(STARTED)),
    CONVERSATION("a refused start-up", 2,
        CLIENT(STARTUP), SERVER(ERROR_42P01)),
    CONVERSATION("encryption is refused: the start-up follows", 3,
        CLIENT(LEN("\x08") "\x04\xd2\x16\x30"), SERVER("N"),
        CLIENT(LEN("\x08") "\x04\xd2\x16\x2f"), SERVER("N"),
        CLIENT(STARTUP), SERVER(STARTED)),
    CONVERSATION("encryption is granted: what follows is TLS", 1,
        CLIENT(LEN("\x08") "\x04\xd2\x16\x2f"), SERVER("S"),
        CLIENT("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03")),
    CONVERSATION("a cancel request", 1,
        CLIENT(LEN("\x10") "\x04\xd2\x16\x2e" "\0\0\0\x01" "\0\0\0\x02")),
    CONVERSATION("replication is left alone", 1,
        CLIENT(LEN("\x27") "\0\x03\0\0" "user\0bob\0" "replication\0database\0" "\0"),
        SERVER(STARTED)),
    CONVERSATION("errors and notices", 6,
        CLIENT(QUERY_1), SERVER("N" LEN("\x0b") "C00000\0" ERROR_42P01 READY),
        CLIENT(QUERY_1), SERVER("I" LEN("\x04") PARAMETER READY)),
    CONVERSATION("several commands in one query", 3,
        CLIENT("Q" LEN("\x17") "BEGIN; UPDATE t x;\0"),
        SERVER("C" LEN("\x0a") "BEGIN\0" "C" LEN("\x0d") "UPDATE 7\0" READY)),
    CONVERSATION("an extended query in one group", 5,
        CLIENT(PARSE_UNNAMED BIND_UNNAMED DESCRIBE EXECUTE SYNC),
        SERVER(PARSED BOUND ROW_DESCRIPTION ROW SELECTED_1 READY)),
    CONVERSATION("a named statement is prepared and run", 10,
        CLIENT(PARSE_S1 SYNC), SERVER(PARSED READY),
        CLIENT(BIND_S1 EXECUTE SYNC), SERVER(BOUND INSERTED_1 READY)),
    CONVERSATION("a batch before one Sync", 6,
        CLIENT(PARSE_S1 BIND_S1 EXECUTE BIND_S1 EXECUTE PARSE_UNNAMED BIND_UNNAMED EXECUTE SYNC),
        SERVER(PARSED BOUND INSERTED_1 BOUND INSERTED_1 PARSED BOUND SELECTED_1 READY)),
    FRAGILE_CONVERSATION("a pipeline of groups", 10,
        CLIENT(PARSE_S1 BIND_S1 EXECUTE SYNC PARSE_UNNAMED BIND_UNNAMED EXECUTE SYNC),
        SERVER(PARSED BOUND INSERTED_1 READY PARSED BOUND ROW SELECTED_1 READY)),
    CONVERSATION("a statement that nobody has seen prepared", 6,
        CLIENT(BIND_S1 EXECUTE SYNC), SERVER(BOUND INSERTED_1 READY)),
    CONVERSATION("the server skips what follows an error up to the Sync", 5,
        CLIENT(PARSE_S1 BIND_S1 EXECUTE SYNC), SERVER(PARSED ERROR_42P01 READY)),
    CONVERSATION("COPY in", 4,
        CLIENT("Q" LEN("\x16") "COPY t FROM STDIN\0"),
        SERVER("G" LEN("\x09") "\0\0\x01\0\0"),
        CLIENT("d" LEN("\x06") "1\n" "d" LEN("\x06") "2\n" "c" LEN("\x04")),
        SERVER("C" LEN("\x0b") "COPY 2\0" READY)),
    CONVERSATION("COPY out", 4,
        CLIENT("Q" LEN("\x15") "COPY t TO STDOUT\0"),
        SERVER("H" LEN("\x09") "\0\0\x01\0\0" "d" LEN("\x06") "1\n" "c" LEN("\x04")
               "C" LEN("\x0b") "COPY 1\0" READY)),
    CONVERSATION("notifications, also before ReadyForQuery", 7,
        CLIENT("Q" LEN("\x10") "LISTEN news\0"), SERVER("C" LEN("\x0b") "LISTEN\0" READY),
        CLIENT(QUERY_1), SERVER(ROW_DESCRIPTION NOTIFICATION READY)),
    CONVERSATION("a long query and a long row are passed over", 4,
        CLIENT("Q\0\0\x10\x15" "INSERT INTO t '" X4096 "'\0"),
        SERVER("T" LEN("\x06") "\0\0" "D\0\0\x10\x0a" "\0\x01\0\0\x10\0" X4096 SELECTED_1 READY)),
    CONVERSATION("a function call", 3,
        CLIENT(QUERY_1), SERVER(READY),
        CLIENT("F" LEN("\x0e") "\0\0\0\x01" "\0\0" "\0\0" "\0\0")),
};

const struct fixture postgres_fixture = {
    .protocol = &postgres_protocol,
    .conversations = conversations,
    .n_conversations = ELEMENTSOF(conversations),
    .answers_prove_nothing = true,
};
