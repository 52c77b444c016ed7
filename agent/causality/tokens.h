/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The *content* of requests as tokens: runs of at least six letters, digits, `-` and `_` with a
 * digit among them: ids, UUIDs, hex numbers. A token is its hash, in upper or lower case;
 * the text itself is kept nowhere and leaves the agent in no form.
 *
 * Each open request of a process keeps the hashes of its own. A call is matched against them: a
 * token votes for the one open request that has it; a token of two open requests, and one that the
 * process sees again and again (`struct sketch`), votes for nobody.
 *
 * Memory is bounded: TOKENS_MAX hashes per request; what a request has beyond them is noted in a
 * Bloom filter, which can only make a vote void, never cast one. So nobody can push another
 * request's tokens aside.
 */
#pragma once

#include "base/bytes.h"
#include "base/list.h"
#include "base/pool.h"

#define TOKEN_MIN 6          /* bytes */
#define TOKENS_MAX 32        /* kept of one request */
#define TOKEN_SPILL_BITS 1024
#define TOKEN_READ_MAX 64    /* hashes that one call of tokens_read gives */

struct cause;

/*
 * Reads the next tokens of `*text` as hashes, at most TOKEN_READ_MAX, and leaves the unread rest in
 * `*text`, empty at the end. `seed` differs by process, so that nobody outside can aim at a
 * collision. `now_ns`: numbers and dates that tell about this UNIX time are clocks, not ids.
 */
size_t tokens_read(struct bytes *text, uint64_t seed, uint64_t now_ns, uint64_t *hashes);

/* ---- how often a process sees a token -------------------------------------------------------- */

#define SKETCH_CELLS 1024
#define SKETCH_FREQUENT 64  /* from this weight on a token says nothing, */
#define SKETCH_REQUEST 8    /* that is, from its eighth request on, */
#define SKETCH_OWN 8        /* its eighth call that no open request explains, */
#define SKETCH_CALL 2       /* or its thirtieth call that one does explain */
#define SKETCH_PERIOD 1024  /* after so many tokens all weights are halved */

/* A count-min sketch of two rows; it errs on the side of "frequent". Zeroed: empty. */
struct sketch {
    uint8_t rows[2][SKETCH_CELLS];
    unsigned n_added;
};

bool sketch_is_frequent(const struct sketch *sketch, uint64_t token);
void sketch_add(struct sketch *sketch, uint64_t token, unsigned weight);

/* ---- the tokens of the open requests --------------------------------------------------------- */

struct token {
    struct token *next;
    struct token **slot; /* what points at this one */
    uint64_t hash;
    struct cause *owner;
};

struct token_set {
    struct cause *owner;
    unsigned n;
    struct list spilled; /* in the process's list, where there were more than TOKENS_MAX */
    struct token tokens[TOKENS_MAX];
    uint64_t spill[TOKEN_SPILL_BITS / 64]; /* valid where spilled */
};

struct token_index {
    struct pool sets;
    struct token **buckets;
};

int token_index_init(struct token_index *index, size_t max_sets);
void token_index_done(struct token_index *index);

/* An empty set of this request, or NULL. */
struct token_set *token_set_new(struct token_index *index, struct cause *owner);
void token_set_free(struct token_index *index, struct token_set *set); /* NULL is fine */

/* `spilled`: the sets of this process that hold more than TOKENS_MAX. */
void token_set_add(struct token_index *index, struct token_set *set, struct list *spilled,
                   uint64_t hash);

/* Who has a token? */
struct token_owners {
    unsigned n;          /* 0, 1, or 2 for more */
    struct cause *owner; /* with 1 */
};

/* Open requests with this token, but for the one whose exchange key is `own_key`. */
struct token_owners token_owners_of(const struct token_index *index, const struct list *spilled,
                                    uint64_t hash, uint64_t own_key);
