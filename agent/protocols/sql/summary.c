/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over the tokens. What a word means hangs on the word before it and on the parenthesis
 * that it stands in:
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
    ROLE_CHANGE,  /* an operation that other clauses have as a word too: ON DELETE */
    ROLE_UPDATE,  /* ... whose target follows */
    ROLE_TABLES,  /* an operation whose tables follow: TRUNCATE t */
    ROLE_CALL,    /* ... whose target is no table: CALL f() */
    ROLE_DEFINE,  /* CREATE, ALTER, DROP: what is defined belongs to the operation */
    ROLE_PLAIN,   /* an operation without target */
    ROLE_ANALYZE, /* ... and what EXPLAIN may be followed by */
    ROLE_EXPLAIN, /* ... that is followed by another */
    ROLE_GRANT,   /* ... which names others */
    ROLE_WITH,
    ROLE_FROM,
    ROLE_DISTINCT, /* the FROM behind it compares */
    ROLE_AS,      /* the parenthesis behind it has a query */
    ROLE_INTO,    /* INTO, JOIN: a target follows */
    ROLE_END,     /* ends a list of tables */
    ROLE_SKIP,    /* may stand before a target: ONLY, IF NOT EXISTS */
    ROLE_OBJECT,  /* what DEFINE defines, and its name is told */
    ROLE_TABLE,   /* ... and it is a table */
    ROLE_HIDDEN,  /* ... and its name is not told */
};

struct keyword {
    const char *name;
    uint8_t len;
    uint8_t role; /* enum role */
};

#define KEYWORDS(...) (const struct keyword[]){__VA_ARGS__, {NULL, 0, ROLE_NONE}}
#define K(name, role) {name, sizeof(name) - 1, ROLE_##role}

static const struct keyword *const keywords[26] = {
    ['A' - 'A'] = KEYWORDS(K("ABORT", PLAIN), K("ALTER", DEFINE), K("ANALYZE", ANALYZE),
                           K("AS", AS)),
    ['B' - 'A'] = KEYWORDS(K("BEGIN", PLAIN)),
    ['C' - 'A'] = KEYWORDS(K("CALL", CALL), K("CHECKPOINT", PLAIN),
                           K("CLOSE", PLAIN), K("CLUSTER", PLAIN), K("COMMENT", PLAIN),
                           K("COMMIT", PLAIN), K("CONCURRENTLY", SKIP),
                           K("COPY", TABLES), K("CREATE", DEFINE)),
    ['D' - 'A'] = KEYWORDS(K("DATABASE", OBJECT), K("DEALLOCATE", PLAIN),
                           K("DECLARE", PLAIN), K("DELETE", CHANGE),
                           K("DESCRIBE", TABLES), K("DISCARD", PLAIN), K("DISTINCT", DISTINCT),
                           K("DO", PLAIN),
                           K("DOMAIN", OBJECT), K("DROP", DEFINE)),
    ['E' - 'A'] = KEYWORDS(K("END", PLAIN), K("EXECUTE", PLAIN), K("EXISTS", SKIP),
                           K("EXPLAIN", EXPLAIN), K("EXTENSION", OBJECT)),
    ['F' - 'A'] = KEYWORDS(K("FETCH", PLAIN), K("FROM", FROM), K("FUNCTION", OBJECT)),
    ['G' - 'A'] = KEYWORDS(K("GRANT", GRANT), K("GROUP", END)),
    ['H' - 'A'] = KEYWORDS(K("HAVING", END)),
    ['I' - 'A'] = KEYWORDS(K("IF", SKIP), K("INDEX", OBJECT), K("INSERT", CHANGE),
                           K("INTO", INTO)),
    ['J' - 'A'] = KEYWORDS(K("JOIN", INTO)),
    ['L' - 'A'] = KEYWORDS(K("LATERAL", SKIP), K("LIMIT", END), K("LISTEN", PLAIN),
                           K("LOCK", TABLES)),
    ['M' - 'A'] = KEYWORDS(K("MATERIALIZED", AS), K("MERGE", CHANGE), K("MOVE", PLAIN)),
    ['N' - 'A'] = KEYWORDS(K("NOT", SKIP), K("NOTIFY", PLAIN)),
    ['O' - 'A'] = KEYWORDS(K("OFFSET", END), K("ONLY", SKIP), K("ORDER", END)),
    ['P' - 'A'] = KEYWORDS(K("POLICY", OBJECT), K("PREPARE", PLAIN),
                           K("PROCEDURE", OBJECT), K("PUBLICATION", OBJECT)),
    ['R' - 'A'] = KEYWORDS(K("REFRESH", DEFINE), K("REINDEX", DEFINE),
                           K("RELEASE", PLAIN), K("REPLACE", CHANGE), K("RESET", PLAIN),
                           K("RETURNING", END), K("REVOKE", GRANT), K("ROLE", HIDDEN),
                           K("ROLLBACK", PLAIN), K("RULE", OBJECT)),
    ['S' - 'A'] = KEYWORDS(K("SAVEPOINT", PLAIN), K("SCHEMA", OBJECT),
                           K("SELECT", SELECT), K("SEQUENCE", OBJECT), K("SERVER", OBJECT),
                           K("SET", PLAIN), K("SHOW", PLAIN), K("START", PLAIN),
                           K("SUBSCRIPTION", OBJECT)),
    ['T' - 'A'] = KEYWORDS(K("TABLE", TABLE), K("TRIGGER", OBJECT),
                           K("TRUNCATE", TABLES), K("TYPE", OBJECT)),
    ['U' - 'A'] = KEYWORDS(K("UNION", END), K("UNLISTEN", PLAIN), K("UPDATE", UPDATE),
                           K("USE", CALL), K("USER", HIDDEN)),
    ['V' - 'A'] = KEYWORDS(K("VACUUM", PLAIN), K("VALUES", END), K("VIEW", OBJECT)),
    ['W' - 'A'] = KEYWORDS(K("WHERE", END), K("WINDOW", END), K("WITH", WITH)),
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
    enum role last; /* of the token before: AS, DISTINCT */
    unsigned n_operations, n_collections;
    struct bytes operation, collection;
};

static bool is_keyword(struct bytes word, const struct keyword *keyword)
{
    if (word.len != keyword->len)
        return false;
    for (size_t i = 1; i < word.len; i++)
        if ((word.ptr[i] & 0xdf) != (uint8_t)keyword->name[i])
            return false;
    return true;
}

static enum role role_of(struct bytes word)
{
    uint8_t first = word.ptr[0] & 0xdf;
    const struct keyword *keyword = first >= 'A' && first <= 'Z' ? keywords[first - 'A'] : NULL;

    for (; keyword && keyword->name; keyword++)
        if (is_keyword(word, keyword))
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
        s->start = s->with && s->last == ROLE_AS ? START_CHANGE : START_NONE;
    } else if (is_other(s->token, ')')) {
        close_parenthesis(s);
    } else if (is_other(s->token, ';')) {
        end_statement(s);
    }
    s->last = ROLE_NONE;
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

static enum role target_of(enum role role)
{
    if (role == ROLE_TABLES)
        return ROLE_TABLE;
    if (role == ROLE_CALL)
        return ROLE_OBJECT;
    return role == ROLE_UPDATE ? ROLE_INTO : ROLE_NONE;
}

/* May the word be an operation here? */
static bool is_operation(const struct summarizer *s, enum role role)
{
    if (s->grants || s->defines || role < ROLE_SELECT || role > ROLE_GRANT)
        return false;
    return role == ROLE_SELECT || s->start == START_ANY ||
           (s->start == START_CHANGE && role <= ROLE_UPDATE);
}

static void take_operation(struct summarizer *s, enum role role)
{
    level(s)->selects = role <= ROLE_UPDATE;
    level(s)->list = false;
    s->defines = role == ROLE_DEFINE;
    s->grants = role == ROLE_GRANT;
    s->expect = target_of(role);
    s->explains = s->n_operations == 0 && role == ROLE_EXPLAIN;
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
    enum role role = role_of(s->token.text);
    bool compares = s->last == ROLE_DISTINCT;

    s->last = role;
    if (s->defines && role >= ROLE_OBJECT) {
        take_object(s, role);
    } else if (s->explains && s->n_operations == 1 && role == ROLE_ANALYZE) {
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
