/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL as tokens: for the protocols that carry SQL, which must not let its literals through.
 *
 *   SELECT * FROM "t" WHERE a = E'it\'s' AND b IN ($1, 2) -- why
 *   WORD   P WORD QUOTED ... P  LITERAL      ...  PARAMETER, LITERAL  COMMENT
 *
 * No token is ever refused: what does not end (a quote, a comment, a dollar quote) lasts until the
 * end of the text, as a literal. Every byte is in exactly one token.
 */
#pragma once

#include "base/bytes.h"

enum sql_dialect {
    SQL_POSTGRES, /* standard strings, E'', U&'', dollar quotes, nested comments, "identifiers" */
    SQL_MYSQL,    /* backslash escapes, "strings", `identifiers`, # comments */
};

enum sql_kind {
    SQL_END,
    SQL_SPACE,
    SQL_COMMENT,
    SQL_WORD,      /* a keyword or a plain identifier */
    SQL_QUOTED,    /* a quoted identifier, with its quotes */
    SQL_LITERAL,   /* a string, a number; TRUE and FALSE are words */
    SQL_PARAMETER, /* $1, ? (MySQL) */
    SQL_OTHER,     /* one character */
};

struct sql_token {
    enum sql_kind kind;
    struct bytes text;
};

struct sql_reader {
    struct bytes text;
    enum sql_dialect dialect;
    size_t pos;
};

/*
 * The next token; SQL_END, and empty, where the text is over.
 *
 * A backslash before the closing quote of a plain string means one thing under the server's setting
 * standard_conforming_strings and another without: such a string and all that follows is one
 * literal.
 */
struct sql_token sql_next(struct sql_reader *reader);

/* The same without spaces and comments. */
struct sql_token sql_next_solid(struct sql_reader *reader);

/* Is the word `keyword` (upper case), in any case? */
bool sql_word_is(struct sql_token token, const char *keyword);
