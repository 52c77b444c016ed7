/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tokens of SQL; the contract stands in token.h. Lexical rules: PostgreSQL's manual, section
 * 4.1, MySQL's manual, section 11.1.
 */
#include "protocols/sql/token.h"

#include "base/macro.h"

enum class { OTHER, BLANK, LETTER, DIGIT };

/* Bytes above 0x7f are letters in both dialects. */
static const uint8_t classes[256] = {
    ['\t'] = BLANK, ['\n'] = BLANK, ['\v'] = BLANK, ['\f'] = BLANK, ['\r'] = BLANK, [' '] = BLANK,
    ['0' ... '9'] = DIGIT, ['A' ... 'Z'] = LETTER, ['a' ... 'z'] = LETTER, ['_'] = LETTER,
    [0x80 ... 0xff] = LETTER,
};

/* The byte at `pos`, or 0 behind the end. */
static uint8_t at(const struct sql_reader *reader, size_t pos)
{
    return pos < reader->text.len ? reader->text.ptr[pos] : 0;
}

static bool is_word_byte(uint8_t c)
{
    return classes[c] >= LETTER || c == '$';
}

/* The position behind the words' bytes that begin at `pos`. */
static size_t skip_word(const struct sql_reader *reader, size_t pos)
{
    while (pos < reader->text.len && is_word_byte(reader->text.ptr[pos]))
        pos++;
    return pos;
}

static struct sql_token make(struct sql_reader *reader, enum sql_kind kind, size_t end)
{
    struct sql_token token = {kind, bytes_slice(reader->text, reader->pos, end - reader->pos)};

    reader->pos = end;
    return token;
}

/* What does not end hides all that follows. */
static struct sql_token make_endless(struct sql_reader *reader)
{
    return make(reader, SQL_LITERAL, reader->text.len);
}

/*
 * From the quote at `open` to behind its partner, which is not doubled and, with `escapes`, has no
 * backslash before it. SIZE_MAX: it never ends, or with `ambiguous` nobody knows where.
 */
static size_t skip_quoted(const struct sql_reader *reader, size_t open, bool escapes,
                          bool ambiguous)
{
    uint8_t quote = reader->text.ptr[open];

    for (size_t pos = open + 1; pos < reader->text.len; pos++) {
        uint8_t c = reader->text.ptr[pos];

        if (c == '\\' && escapes)
            pos++;
        else if (c == '\\' && ambiguous && at(reader, pos + 1) == quote)
            return SIZE_MAX;
        else if (c == quote && at(reader, pos + 1) == quote)
            pos++;
        else if (c == quote)
            return pos + 1;
    }
    return SIZE_MAX;
}

/* With the prefix that stands between the reader's position and `open`. */
static struct sql_token read_quoted(struct sql_reader *reader, size_t open, enum sql_kind kind,
                                    bool escapes)
{
    bool ambiguous = reader->dialect == SQL_POSTGRES && kind == SQL_LITERAL && !escapes;
    size_t end = skip_quoted(reader, open, escapes, ambiguous);

    return end == SIZE_MAX ? make_endless(reader) : make(reader, kind, end);
}

/* E'..', B'..', X'..', N'..', U&'..', U&".."; false where the word is none of these. */
static bool read_prefixed(struct sql_reader *reader, struct sql_token *ret_token)
{
    size_t pos = reader->pos;
    uint8_t letter = at(reader, pos) | 0x20;
    bool unicode = letter == 'u' && at(reader, pos + 1) == '&';
    size_t open = pos + 1 + unicode;
    uint8_t quote = at(reader, open);
    bool mysql = reader->dialect == SQL_MYSQL;

    if (letter != 'e' && letter != 'b' && letter != 'x' && letter != 'n' && !unicode)
        return false;
    if (quote != '\'' && !(quote == '"' && unicode && !mysql))
        return false;
    *ret_token = read_quoted(reader, open, quote == '"' ? SQL_QUOTED : SQL_LITERAL,
                             mysql || letter == 'e');
    return true;
}

static struct sql_token read_word(struct sql_reader *reader)
{
    struct sql_token token;

    if (read_prefixed(reader, &token))
        return token;
    return make(reader, SQL_WORD, skip_word(reader, reader->pos + 1));
}

/* 1, 1.5, .5, 1e-9, 0x1F, 1_000; and whatever letters are glued to it, but no dollar quote. */
static struct sql_token read_number(struct sql_reader *reader)
{
    size_t pos = reader->pos + 1;

    for (; pos < reader->text.len; pos++) {
        uint8_t c = reader->text.ptr[pos], before = reader->text.ptr[pos - 1];
        bool is_sign = (c == '+' || c == '-') && (before == 'e' || before == 'E');

        if (classes[c] < LETTER && c != '.' && !(is_sign && classes[at(reader, pos + 1)] == DIGIT))
            break;
    }
    return make(reader, SQL_LITERAL, pos);
}

/* $1, $$..$$, $tag$..$tag$, or a lonely dollar. */
static struct sql_token read_dollar(struct sql_reader *reader)
{
    size_t pos = reader->pos + 1, tag_len;
    struct bytes tag;

    if (classes[at(reader, pos)] == DIGIT) {
        while (classes[at(reader, pos)] == DIGIT)
            pos++;
        return make(reader, SQL_PARAMETER, pos);
    }
    while (classes[at(reader, pos)] >= LETTER)
        pos++;
    if (at(reader, pos) != '$' || reader->dialect != SQL_POSTGRES)
        return make(reader, SQL_OTHER, reader->pos + 1);
    tag_len = pos + 1 - reader->pos;
    tag = bytes_slice(reader->text, reader->pos, tag_len);
    for (pos++; pos + tag_len <= reader->text.len; pos++) {
        size_t next = bytes_find(bytes_skip(reader->text, pos), '$');

        if (next == SIZE_MAX)
            break;
        pos += next;
        if (bytes_starts_with(bytes_skip(reader->text, pos), tag))
            return make(reader, SQL_LITERAL, pos + tag_len);
    }
    return make_endless(reader);
}

static struct sql_token read_line_comment(struct sql_reader *reader)
{
    size_t len = bytes_find(bytes_skip(reader->text, reader->pos), '\n');

    return make(reader, SQL_COMMENT, len == SIZE_MAX ? reader->text.len : reader->pos + len);
}

/*
 * Comments nest in PostgreSQL. MySQL runs what stands in a comment that begins with an exclamation
 * mark: there only the opening counts as one.
 */
static struct sql_token read_comment(struct sql_reader *reader)
{
    size_t pos = reader->pos + 2;
    unsigned depth = 1;

    if (reader->dialect == SQL_MYSQL && at(reader, pos) == '!') {
        for (pos++; classes[at(reader, pos)] == DIGIT; pos++)
            ;
        return make(reader, SQL_COMMENT, pos);
    }
    for (; pos < reader->text.len && depth; pos++) {
        uint8_t c = reader->text.ptr[pos], next = at(reader, pos + 1);

        if (c == '*' && next == '/') {
            depth--;
            pos++;
        } else if (c == '/' && next == '*' && reader->dialect == SQL_POSTGRES) {
            depth++;
            pos++;
        }
    }
    return make(reader, SQL_COMMENT, MIN(pos, reader->text.len));
}

/* MySQL wants a blank behind the dashes. */
static bool is_line_comment(const struct sql_reader *reader)
{
    uint8_t next = at(reader, reader->pos + 2);

    return at(reader, reader->pos + 1) == '-' &&
           (reader->dialect == SQL_POSTGRES || classes[next] == BLANK || next < ' ');
}

static struct sql_token read_other(struct sql_reader *reader)
{
    bool mysql = reader->dialect == SQL_MYSQL;
    uint8_t next = at(reader, reader->pos + 1);

    switch (reader->text.ptr[reader->pos]) {
    case '\'':
        return read_quoted(reader, reader->pos, SQL_LITERAL, mysql);
    case '"':
        return read_quoted(reader, reader->pos, mysql ? SQL_LITERAL : SQL_QUOTED, mysql);
    case '`':
        if (mysql)
            return read_quoted(reader, reader->pos, SQL_QUOTED, false);
        break;
    case '$':
        return read_dollar(reader);
    case '.':
        if (classes[next] == DIGIT)
            return read_number(reader);
        break;
    case '-':
        if (is_line_comment(reader))
            return read_line_comment(reader);
        break;
    case '#':
        if (mysql)
            return read_line_comment(reader);
        break;
    case '/':
        if (next == '*')
            return read_comment(reader);
        break;
    case '?':
        return make(reader, mysql ? SQL_PARAMETER : SQL_OTHER, reader->pos + 1);
    default:
        break;
    }
    return make(reader, SQL_OTHER, reader->pos + 1);
}

struct sql_token sql_next(struct sql_reader *reader)
{
    size_t pos = reader->pos;

    if (pos >= reader->text.len)
        return (struct sql_token){.kind = SQL_END};
    switch ((enum class)classes[reader->text.ptr[pos]]) {
    case LETTER:
        return read_word(reader);
    case DIGIT:
        return read_number(reader);
    case BLANK:
        while (classes[at(reader, pos)] == BLANK)
            pos++;
        return make(reader, SQL_SPACE, pos);
    case OTHER:
        break;
    }
    return read_other(reader);
}

struct sql_token sql_next_solid(struct sql_reader *reader)
{
    struct sql_token token;

    do
        token = sql_next(reader);
    while (token.kind == SQL_SPACE || token.kind == SQL_COMMENT);
    return token;
}

bool sql_word_is(struct sql_token token, const char *keyword)
{
    return token.kind == SQL_WORD && bytes_begin_alike(token.text, bytes_make(keyword, 1)) &&
           bytes_equal_nocase(token.text, bytes_from_string(keyword));
}
