/* SPDX-License-Identifier: Apache-2.0 */
/* Masking; the contract stands in mask.h. */
#include "protocols/sql/mask.h"

#include "base/macro.h"

/* What goes through unchanged is collected to runs of the text, one blank at a time included. */
struct writer {
    uint8_t *out;
    size_t len;
    size_t size;
    bool full;
    bool blank; /* one is due before the next token */
    struct bytes run;
};

static void write_raw(struct writer *writer, struct bytes text)
{
    size_t n = MIN(text.len, writer->size - writer->len);

    if (n)
        memcpy(writer->out + writer->len, text.ptr, n);
    writer->len += n;
    writer->full |= n < text.len;
}

static void flush(struct writer *writer)
{
    write_raw(writer, writer->run);
    writer->run = BYTES_NULL;
}

static void write_blank(struct writer *writer)
{
    if (writer->blank && writer->len)
        write_raw(writer, BYTES_LITERAL(" "));
    writer->blank = false;
}

static void write_instead(struct writer *writer, struct bytes text)
{
    flush(writer);
    write_blank(writer);
    write_raw(writer, text);
}

/* Does `text` follow the run, behind the blank that is due? */
static bool continues_run(const struct writer *writer, struct bytes text)
{
    const uint8_t *end;

    if (!writer->run.len)
        return false;
    end = writer->run.ptr + writer->run.len;
    return text.ptr == end + writer->blank && (!writer->blank || *end == ' ');
}

static void write_token(struct writer *writer, struct bytes text)
{
    if (continues_run(writer, text)) {
        writer->run.len += writer->blank + text.len;
        writer->blank = false;
        return;
    }
    flush(writer);
    write_blank(writer);
    writer->run = text;
}

static bool is_other(struct sql_token token, char c)
{
    return token.kind == SQL_OTHER && token.text.ptr[0] == c;
}

/*
 * A list behind "(" that has nothing but literals and parameters, to its end or the text's. The
 * reader stands behind it then; otherwise where it was. Returns the number of values, or 0.
 */
static size_t skip_list(struct sql_reader *reader, struct sql_token *ret_last, bool *ret_closed)
{
    struct sql_reader ahead = *reader;
    size_t n = 0;

    while (true) {
        struct sql_token token = sql_next_solid(&ahead);

        if (is_other(token, '-') || is_other(token, '+'))
            token = sql_next_solid(&ahead);
        if (token.kind != SQL_LITERAL && token.kind != SQL_PARAMETER)
            return 0;
        *ret_last = token;
        n++;
        token = sql_next_solid(&ahead);
        *ret_closed = is_other(token, ')');
        if (*ret_closed || token.kind == SQL_END)
            break;
        if (!is_other(token, ','))
            return 0;
    }
    *reader = ahead;
    return n;
}

/* Behind IN. */
static void write_list(struct writer *writer, struct sql_reader *reader, struct sql_token open)
{
    struct sql_token last;
    bool closed;
    size_t n = skip_list(reader, &last, &closed);

    write_token(writer, open.text);
    if (n == 0)
        return;
    flush(writer);
    if (n == 1 && last.kind == SQL_PARAMETER)
        write_raw(writer, last.text);
    else
        write_raw(writer, BYTES_LITERAL("?"));
    if (closed)
        write_raw(writer, BYTES_LITERAL(")"));
}

static bool is_boolean(struct sql_token token)
{
    return (token.text.len == 4 && sql_word_is(token, "TRUE")) ||
           (token.text.len == 5 && sql_word_is(token, "FALSE"));
}

struct bytes sql_mask(struct bytes sql, enum sql_dialect dialect, uint8_t *out, size_t size)
{
    struct sql_reader reader = {.text = sql, .dialect = dialect};
    struct writer writer = {.out = out, .size = size};
    bool behind_in = false;

    while (!writer.full) {
        struct sql_token token = sql_next(&reader);

        if (token.kind == SQL_END)
            break;
        if (token.kind == SQL_SPACE || token.kind == SQL_COMMENT) {
            writer.blank = true;
            continue;
        }
        if (behind_in && is_other(token, '('))
            write_list(&writer, &reader, token);
        else if (token.kind == SQL_LITERAL || is_boolean(token))
            write_instead(&writer, BYTES_LITERAL("?"));
        else
            write_token(&writer, token.text);
        behind_in = token.text.len == 2 && sql_word_is(token, "IN");
    }
    flush(&writer);
    return bytes_make(writer.out, writer.len);
}
