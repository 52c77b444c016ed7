/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of the protocol as C strings, for lengths below 256; a name is followed by its end. */
#pragma once

#define LEN(n) "\0\0\0" n

/* A session of psql's: start-up, trust, a parameter, the key, ready. */
#define STARTUP LEN("\x20") "\0\x03\0\0" "user\0bob\0" "database\0shop\0" "\0"
#define AUTH_OK "R" LEN("\x08") "\0\0\0\0"
#define PARAMETER "S" LEN("\x19") "client_encoding\0UTF8\0"
#define KEY "K" LEN("\x0c") "\0\0\0\x01" "\0\0\0\x02"
#define READY "Z" LEN("\x05") "I"
#define STARTED AUTH_OK PARAMETER KEY READY

#define QUERY_1 "Q" LEN("\x0d") "SELECT 1\0"
#define ROW_DESCRIPTION \
    "T" LEN("\x1a") "\0\x01" "a\0" "\0\0\0\0" "\0\0" "\0\0\0\x17" "\0\x04"                         \
    "\xff\xff\xff\xff" "\0\0"
#define ROW "D" LEN("\x0b") "\0\x01" "\0\0\0\x01" "1"
#define SELECTED_1 "C" LEN("\x0d") "SELECT 1\0"
#define INSERTED_1 "C" LEN("\x0f") "INSERT 0 1\0"
#define ERROR_42P01 "E" LEN("\x24") "SERROR\0" "VERROR\0" "C42P01\0" "Mno table\0" "\0"
#define NOTIFICATION "A" LEN("\x12") "\0\0\0\x07" "news\0" "text\0"

#define PARSE_S1 "P" LEN("\x28") "s1\0" "INSERT INTO t VALUES ($1, 'x')\0" "\0\0"
#define PARSE_UNNAMED "P" LEN("\x1f") "\0" "SELECT a FROM t WHERE b\0" "\0\0"
#define BIND_S1 "B" LEN("\x12") "\0" "s1\0" "\0\0" "\0\x01" "\xff\xff\xff\xff" "\0\0"
#define BIND_UNNAMED "B" LEN("\x0c") "\0" "\0" "\0\0" "\0\0" "\0\0"
#define DESCRIBE "D" LEN("\x06") "P\0"
#define EXECUTE "E" LEN("\x09") "\0" "\0\0\0\0"
#define SYNC "S" LEN("\x04")
#define PARSED "1" LEN("\x04")
#define BOUND "2" LEN("\x04")
