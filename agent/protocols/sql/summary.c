/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over the tokens. What a word means hangs on the word before it and on the parenthesis that
 * it stands in:
 *
 *   SELECT a, f(b FROM c)        FROM f(x), t1 AS x, (SELECT ...) y, t2     WHERE ...
 *             no SELECT here     a function: no target; commas go on        ends the list
 */
#include "protocols/sql/summary.h"

#include "base/macro.h"

#define DEPTH_MAX 32 /* parentheses; deeper ones are passed over */

enum role {
    ROLE_NONE,
    ROLE_SELECT,  /* an operation wherever it stands */
    ROLE_CHANGE,  /* an operation that other clauses have as a word too: ON UPDATE, FOR UPDATE */
    ROLE_TABLES,  /* an operation whose tables follow: TRUNCATE t */
    ROLE_CALL,    /* ... whose target is no table: CALL f() */
    ROLE_DEFINE,  /* CREATE, ALTER, DROP: what is defined belongs to the operation */
    ROLE_PLAIN,   /* an operation without target */
    ROLE_GRANT,   /* ... which names others */
    ROLE_WITH,
    ROLE_FROM,
    ROLE_INTO,    /* INTO, JOIN: a target follows */
    ROLE_END,     /* ends a list of tables */
    ROLE_SKIP,    /* may stand before a target: ONLY, IF NOT EXISTS */
    ROLE_OBJECT,  /* what DEFINE defines, and its name is told */
    ROLE_TABLE,   /* ... and it is a table */
    ROLE_HIDDEN,  /* ... and its name is not told */
};

struct keyword {
    const char *name;
    enum role role;
};

#define KEYWORDS(...) (const struct keyword[]){__VA_ARGS__, {NULL, ROLE_NONE}}

static const struct keyword *const keywords[26] = {
    ['A' - 'A'] = KEYWORDS({"ABORT", ROLE_PLAIN}, {"ALTER", ROLE_DEFINE}, {"ANALYZE", ROLE_PLAIN}),
    ['B' - 'A'] = KEYWORDS({"BEGIN", ROLE_PLAIN}),
    ['C' - 'A'] = KEYWORDS({"CALL", ROLE_CALL}, {"CHECKPOINT", ROLE_PLAIN},
                           {"CLOSE", ROLE_PLAIN}, {"CLUSTER", ROLE_PLAIN}, {"COMMENT", ROLE_PLAIN},
                           {"COMMIT", ROLE_PLAIN}, {"CONCURRENTLY", ROLE_SKIP},
                           {"COPY", ROLE_TABLES}, {"CREATE", ROLE_DEFINE}),
    ['D' - 'A'] = KEYWORDS({"DATABASE", ROLE_OBJECT}, {"DEALLOCATE", ROLE_PLAIN},
                           {"DECLARE", ROLE_PLAIN}, {"DELETE", ROLE_CHANGE},
                           {"DESCRIBE", ROLE_TABLES}, {"DISCARD", ROLE_PLAIN}, {"DO", ROLE_PLAIN},
                           {"DOMAIN", ROLE_OBJECT}, {"DROP", ROLE_DEFINE}),
    ['E' - 'A'] = KEYWORDS({"END", ROLE_PLAIN}, {"EXECUTE", ROLE_PLAIN}, {"EXISTS", ROLE_SKIP},
                           {"EXPLAIN", ROLE_PLAIN}, {"EXTENSION", ROLE_OBJECT}),
    ['F' - 'A'] = KEYWORDS({"FETCH", ROLE_PLAIN}, {"FROM", ROLE_FROM}, {"FUNCTION", ROLE_OBJECT}),
    ['G' - 'A'] = KEYWORDS({"GRANT", ROLE_GRANT}, {"GROUP", ROLE_END}),
    ['H' - 'A'] = KEYWORDS({"HAVING", ROLE_END}),
    ['I' - 'A'] = KEYWORDS({"IF", ROLE_SKIP}, {"INDEX", ROLE_OBJECT}, {"INSERT", ROLE_CHANGE},
                           {"INTO", ROLE_INTO}),
    ['J' - 'A'] = KEYWORDS({"JOIN", ROLE_INTO}),
    ['L' - 'A'] = KEYWORDS({"LATERAL", ROLE_SKIP}, {"LIMIT", ROLE_END}, {"LISTEN", ROLE_PLAIN},
                           {"LOCK", ROLE_TABLES}),
    ['M' - 'A'] = KEYWORDS({"MERGE", ROLE_CHANGE}, {"MOVE", ROLE_PLAIN}),
    ['N' - 'A'] = KEYWORDS({"NOT", ROLE_SKIP}, {"NOTIFY", ROLE_PLAIN}),
    ['O' - 'A'] = KEYWORDS({"OFFSET", ROLE_END}, {"ONLY", ROLE_SKIP}, {"ORDER", ROLE_END}),
    ['P' - 'A'] = KEYWORDS({"POLICY", ROLE_OBJECT}, {"PREPARE", ROLE_PLAIN},
                           {"PROCEDURE", ROLE_OBJECT}, {"PUBLICATION", ROLE_OBJECT}),
    ['R' - 'A'] = KEYWORDS({"REFRESH", ROLE_DEFINE}, {"REINDEX", ROLE_DEFINE},
                           {"RELEASE", ROLE_PLAIN}, {"REPLACE", ROLE_CHANGE}, {"RESET", ROLE_PLAIN},
                           {"RETURNING", ROLE_END}, {"REVOKE", ROLE_GRANT}, {"ROLE", ROLE_HIDDEN},
                           {"ROLLBACK", ROLE_PLAIN}, {"RULE", ROLE_OBJECT}),
    ['S' - 'A'] = KEYWORDS({"SAVEPOINT", ROLE_PLAIN}, {"SCHEMA", ROLE_OBJECT},
                           {"SELECT", ROLE_SELECT}, {"SEQUENCE", ROLE_OBJECT}, {"SERVER", ROLE_OBJECT},
                           {"SET", ROLE_PLAIN}, {"SHOW", ROLE_PLAIN}, {"START", ROLE_PLAIN},
                           {"SUBSCRIPTION", ROLE_OBJECT}),
    ['T' - 'A'] = KEYWORDS({"TABLE", ROLE_TABLE}, {"TRIGGER", ROLE_OBJECT},
                           {"TRUNCATE", ROLE_TABLES}, {"TYPE", ROLE_OBJECT}),
    ['U' - 'A'] = KEYWORDS({"UNION", ROLE_END}, {"UNLISTEN", ROLE_PLAIN}, {"UPDATE", ROLE_CHANGE},
                           {"USE", ROLE_CALL}, {"USER", ROLE_HIDDEN}),
    ['V' - 'A'] = KEYWORDS({"VACUUM", ROLE_PLAIN}, {"VALUES", ROLE_END}, {"VIEW", ROLE_OBJECT}),
    ['W' - 'A'] = KEYWORDS({"WHERE", ROLE_END}, {"WINDOW", ROLE_END}, {"WITH", ROLE_WITH}),
};

/* Which operations may begin at the next word, beside SELECT. */
enum start {
    START_NONE,
    START_CHANGE, /* within WITH and behind it: INSERT, UPDATE, DELETE, MERGE */
    START_ANY,    /* of a statement */
};

/* What is known inside a pair of parentheses. */
struct level {
    bool selects; /* SELECT or DELETE was here: FROM has tables */
    bool list;    /* a comma is followed by another table */
};

struct summarizer {
    struct sql_reader reader;
    struct sql_token token;
    uint8_t *out;
    size_t len;
    bool full;
    unsigned depth;
    struct level levels[DEPTH_MAX];
    enum start start;
    bool grants;    /* the operations that follow are names */
    bool defines;   /* CREATE and the like, and what it defines is still to come */
    enum role expect; /* ROLE_INTO, ROLE_FROM, ROLE_TABLE: a target comes; ROLE_OBJECT: a name */
    bool with;
    bool explains;
    bool behind_as;       /* the last word was AS: a parenthesis has a query */
    bool behind_distinct; /* ... DISTINCT: the FROM behind it compares */
    unsigned n_operations, n_collections;
    struct bytes operation, collection;
};

static enum role role_of(struct sql_token token)
{
    uint8_t first = token.kind == SQL_WORD ? token.text.ptr[0] & 0xdf : 0;
    const struct keyword *keyword = first >= 'A' && first <= 'Z' ? keywords[first - 'A'] : NULL;

    for (; keyword && keyword->name; keyword++)
        if (sql_word_is(token, keyword->name))
            return keyword->role;
    return ROLE_NONE;
}

/* One more word; empty where it has no room: from then on nothing has. */
static struct bytes append(struct summarizer *s, struct bytes word)
{
    size_t blank = s->len > 0;

    if (s->full || word.len + blank > SQL_SUMMARY_MAX - s->len) {
        s->full = true;
        return BYTES_NULL;
    }
    if (blank)
        s->out[s->len++] = ' ';
    memcpy(s->out + s->len, word.ptr, word.len);
    s->len += word.len;
    return bytes_make(s->out + s->len - word.len, word.len);
}

static struct level *level(struct summarizer *s)
{
    return &s->levels[MIN(s->depth, DEPTH_MAX - 1u)];
}

static void next(struct summarizer *s)
{
    s->token = sql_next_solid(&s->reader);
}

static bool is_other(struct sql_token token, char c)
{
    return token.kind == SQL_OTHER && token.text.ptr[0] == c;
}

/* a, "a", a.b."c"; the next token is behind it. The dots are not always glued to the names. */
static void take_target(struct summarizer *s)
{
    bool is_table = s->expect != ROLE_OBJECT, may_be_function = s->expect == ROLE_FROM;
    const uint8_t *begin = s->token.text.ptr;
    struct bytes name = s->token.text, written;

    next(s);
    while (is_other(s->token, '.')) {
        next(s);
        if (s->token.kind != SQL_WORD && s->token.kind != SQL_QUOTED)
            break;
        name = bytes_make(begin, (size_t)(s->token.text.ptr + s->token.text.len - begin));
        next(s);
    }
    level(s)->list = s->expect == ROLE_FROM || s->expect == ROLE_TABLE;
    s->expect = ROLE_NONE;
    if (may_be_function && is_other(s->token, '('))
        return;
    written = append(s, name);
    if (!is_table)
        return;
    s->n_collections++;
    s->collection = written;
}

static void end_statement(struct summarizer *s)
{
    s->depth = 0;
    *level(s) = (struct level){false, false};
    s->grants = s->defines = s->explains = false;
    s->start = START_ANY;
}

static void close_parenthesis(struct summarizer *s)
{
    s->depth -= s->depth > 0;
    if (s->depth == 0 && s->explains && s->n_operations == 1)
        s->start = START_ANY;
    else if (s->with && !level(s)->selects)
        s->start = START_CHANGE;
}

static void take_other(struct summarizer *s)
{
    bool continues = is_other(s->token, ',') && level(s)->list;

    s->start = START_NONE;
    s->expect = continues ? ROLE_FROM : ROLE_NONE;
    if (is_other(s->token, '(')) {
        s->depth++;
        *level(s) = (struct level){false, false};
        s->start = s->with && s->behind_as ? START_CHANGE : START_NONE;
    } else if (is_other(s->token, ')')) {
        close_parenthesis(s);
    } else if (is_other(s->token, ';')) {
        end_statement(s);
    }
    s->behind_as = s->behind_distinct = false;
    next(s);
}

/* CREATE [OR REPLACE ...] TABLE: both words are the operation. */
static void take_object(struct summarizer *s, enum role role)
{
    struct bytes object = append(s, s->token.text);
    bool drops = s->operation.len && (s->operation.ptr[0] | 0x20) == 'd';

    if (object.ptr && s->operation.ptr)
        s->operation.len = (size_t)(object.ptr + object.len - s->operation.ptr);
    s->defines = false;
    s->expect = role == ROLE_HIDDEN ? ROLE_NONE : role;
    if (role == ROLE_TABLE && !drops)
        s->expect = ROLE_INTO; /* no list: ALTER TABLE t ADD a, ADD b */
    next(s);
}

static enum role target_of(struct sql_token verb, enum role role)
{
    if (role == ROLE_TABLES)
        return ROLE_TABLE;
    if (role == ROLE_CALL)
        return ROLE_OBJECT;
    return sql_word_is(verb, "UPDATE") ? ROLE_INTO : ROLE_NONE;
}

/* May the word be an operation here? */
static bool is_operation(const struct summarizer *s, enum role role)
{
    if (s->grants || s->defines || role < ROLE_SELECT || role > ROLE_GRANT)
        return false;
    return role == ROLE_SELECT || s->start == START_ANY ||
           (s->start == START_CHANGE && role == ROLE_CHANGE);
}

static void take_operation(struct summarizer *s, enum role role)
{
    level(s)->selects = role == ROLE_SELECT || role == ROLE_CHANGE;
    level(s)->list = false;
    s->defines = role == ROLE_DEFINE;
    s->grants = role == ROLE_GRANT;
    s->expect = target_of(s->token, role);
    s->explains = s->n_operations == 0 && sql_word_is(s->token, "EXPLAIN");
    s->start = s->explains ? START_ANY : START_NONE;
    s->operation = append(s, s->token.text);
    s->n_operations++;
    next(s);
}

/* Words that say what comes; false: it is none of them. */
static bool take_clause(struct summarizer *s, enum role role, bool compares)
{
    switch (role) {
    case ROLE_WITH:
        s->with |= s->start == START_ANY;
        break;
    case ROLE_FROM:
        s->expect = level(s)->selects && !compares ? ROLE_FROM : ROLE_NONE;
        break;
    case ROLE_INTO:
        s->expect = ROLE_INTO;
        break;
    case ROLE_END:
        level(s)->list = false;
        s->expect = ROLE_NONE;
        break;
    case ROLE_SKIP:
        break;
    case ROLE_TABLE: /* TRUNCATE TABLE t */
        if (!s->expect)
            return false;
        break;
    default:
        return false;
    }
    next(s);
    return true;
}

static void take_word(struct summarizer *s)
{
    enum role role = role_of(s->token);
    bool compares = s->behind_distinct;

    s->behind_distinct = sql_word_is(s->token, "DISTINCT");
    s->behind_as = sql_word_is(s->token, "AS") || sql_word_is(s->token, "MATERIALIZED");
    if (s->defines && role >= ROLE_OBJECT) {
        take_object(s, role);
    } else if (s->explains && s->n_operations == 1 && sql_word_is(s->token, "ANALYZE")) {
        next(s);
    } else if (is_operation(s, role)) {
        take_operation(s, role);
    } else if (!take_clause(s, role, compares)) {
        if (!s->explains)
            s->start = START_NONE;
        if (s->expect)
            take_target(s);
        else
            next(s);
    }
}

void sql_summarize(struct bytes sql, enum sql_dialect dialect, uint8_t *out,
                   struct sql_summary *ret_summary)
{
    struct summarizer s = {
        .reader = {.text = sql, .dialect = dialect},
        .out = out,
        .start = START_ANY,
    };

    next(&s);
    while (s.token.kind != SQL_END && !s.full) {
        if (s.token.kind == SQL_WORD)
            take_word(&s);
        else if (s.token.kind == SQL_QUOTED && s.expect)
            take_target(&s);
        else
            take_other(&s);
    }
    *ret_summary = (struct sql_summary){
        .text = bytes_make(out, s.len),
        .operation = s.n_operations == 1 ? s.operation : BYTES_NULL,
        .collection = s.n_collections == 1 && !s.with && !s.full ? s.collection : BYTES_NULL,
    };
}
