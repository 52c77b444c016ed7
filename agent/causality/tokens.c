/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens; the contracts stand in tokens.h. The text is looked at 64 bytes at a time, as bit masks:
 *
 *     GET /orders/ab-1234 abcd
 *     111011111101111111101111    words: letters, digits, - and _
 *     000000000000000111100000    digits: each leads to the run of words around it
 */
#include "causality/tokens.h"

#include "base/hash.h"
#include "base/macro.h"
#include "causality/causality.h"

#include <errno.h>
#include <stdlib.h>

#define WINDOW 64
#define N_BUCKETS 16384
#define CHAIN_MAX 64   /* tokens looked at for one answer; */
#define SPILLED_MAX 16 /* requests with too many tokens, likewise */
#define DAY_S 86400

/* ---- reading --------------------------------------------------------------------------------- */

typedef uint8_t lane __attribute__((vector_size(16)));
typedef int8_t signed_lane __attribute__((vector_size(16)));

/* One bit per byte that is 0xff: one instruction where there is one, else two multiplications. */
static uint64_t mask_of(lane set)
{
#ifdef __SSE2__
    typedef char lane_of_chars __attribute__((vector_size(16)));

    return (uint64_t)__builtin_ia32_pmovmskb128((lane_of_chars)set);
#else
    uint64_t halves[2];

    memcpy(halves, &set, sizeof(halves));
    for (int i = 0; i < 2; i++)
        halves[i] = (halves[i] & 0x8040201008040201u) * 0x0101010101010101u >> 56;
    return halves[0] | halves[1] << 8;
#endif
}

/* Of 16 bytes: bit masks of the words' bytes and of the digits. Signed compares are cheapest. */
static uint64_t classify_lane(const uint8_t *text, uint64_t *ret_digits)
{
    signed_lane digit, letter;
    lane bytes;

    memcpy(&bytes, text, sizeof(bytes));
    digit = (signed_lane)(bytes + (0x80 - '0')) < (signed_lane){0} + (-128 + 10);
    letter = (signed_lane)((bytes | 0x20) + (0x80 - 'a')) < (signed_lane){0} + (-128 + 26);
    *ret_digits = mask_of((lane)digit);
    return mask_of((lane)(digit | letter) | (lane)(bytes == '-') | (lane)(bytes == '_'));
}

__attribute__((always_inline)) static inline void classify(const uint8_t *text, uint64_t *ret_words, uint64_t *ret_digits)
{
    uint64_t digits[4], words[4];

    _Static_assert(WINDOW == 4 * sizeof(lane), "no loop: its bookkeeping costs a third");
    words[0] = classify_lane(text, &digits[0]);
    words[1] = classify_lane(text + 16, &digits[1]);
    words[2] = classify_lane(text + 32, &digits[2]);
    words[3] = classify_lane(text + 48, &digits[3]);
    *ret_words = words[0] | words[1] << 16 | words[2] << 32 | words[3] << 48;
    *ret_digits = digits[0] | digits[1] << 16 | digits[2] << 32 | digits[3] << 48;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Seconds, milliseconds, microseconds or nanoseconds since 1970, or yyyymmdd or yyyy-mm-dd... */
static bool is_clock(struct bytes token, uint64_t now_ns)
{
    uint64_t now_s = now_ns / 1000000000, number = 0;
    bool dashed = token.len >= 10 && token.ptr[4] == '-' && token.ptr[7] == '-';
    size_t n = 0;

    /* Most have another length than any of these, and are done. */
    if (!dashed && token.len != 8 && (token.len < 10 || token.len > 19 || token.len % 3 != 1))
        return false;
    while (n < token.len && n < 10 && is_digit(token.ptr[n]))
        number = 10 * number + (token.ptr[n++] - '0');
    if (n == 4 && dashed)
        return number >= 1900 && number < 2200;
    if (n == 8 && token.len == 8)
        return number >= 19000101 && number < 22000101;
    if (n < 10 || (token.len - 10) % 3 != 0 || token.len > 19)
        return false;
    while (n < token.len && is_digit(token.ptr[n]))
        n++;
    return n == token.len && number + DAY_S >= now_s && number <= now_s + DAY_S;
}

/* Letters of both cases alike: setting 0x20 changes no other byte of a token but `_`. */
static uint64_t load8(const uint8_t *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof(word));
    return word | 0x2020202020202020u;
}

static uint64_t load4(const uint8_t *bytes)
{
    uint32_t word;

    memcpy(&word, bytes, sizeof(word));
    return word | 0x20202020u;
}

/* Both halves of a product: sixteen bytes are mixed in by one multiplication. */
static uint64_t fold(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The last words overlap those before them: no byte-wise rest. */
static uint64_t hash_token(struct bytes token, uint64_t seed)
{
    const uint64_t odd = 0xbf58476d1ce4e5b9u;
    const uint8_t *end = token.ptr + token.len;
    uint64_t h = seed ^ token.len;

    for (size_t at = 0; at + 16 < token.len; at += 16)
        h = fold(load8(token.ptr + at) ^ odd, load8(token.ptr + at + 8) ^ h);
    if (token.len >= 16)
        h = fold(load8(end - 16) ^ odd, load8(end - 8) ^ h);
    else if (token.len >= 8)
        h = fold(load8(token.ptr) ^ odd, load8(end - 8) ^ h);
    else
        h = fold((load4(token.ptr) | load4(end - 4) << 32) ^ odd, h);
    return hash_mix(h);
}

struct reading {
    struct bytes text;
    uint64_t seed;
    uint64_t now_ns;
    uint64_t *hashes;
    size_t n;
    bool carries; /* a run goes on from one window into the next, */
    size_t carried_from;
    uint64_t carried_digit; /* not 0: with a digit so far */
};

static void take_token(struct reading *reading, size_t from, size_t to)
{
    struct bytes token = bytes_slice(reading->text, from, to - from);

    if (token.len >= TOKEN_MIN && !is_clock(token, reading->now_ns))
        reading->hashes[reading->n++] = hash_token(token, reading->seed);
}

/* The window at `at`; behind the text's end are no words. Half of all that tokens cost is here. */
__attribute__((always_inline)) static inline void classify_window(const struct reading *reading, size_t at, uint64_t *ret_words,
                            uint64_t *ret_digits)
{
    size_t left = reading->text.len - at;
    uint8_t padded[WINDOW];

    if (left >= WINDOW) {
        classify(reading->text.ptr + at, ret_words, ret_digits);
        return;
    }
    memset(padded, 0, sizeof(padded));
    memcpy(padded, reading->text.ptr + at, left);
    classify(padded, ret_words, ret_digits);
}

/* The bits that lie in runs of at least TOKEN_MIN. */
static uint64_t long_runs(uint64_t words)
{
    uint64_t two = words & words >> 1, four = two & two >> 2, six = four & two >> 4;

    _Static_assert(TOKEN_MIN == 6, "six bits in a row begin here, and each marks five more");
    two = six | six << 1;
    return two | two << 2 | two << 4;
}

/* Bits below n, which may be all of them. */
static uint64_t bits_below(unsigned n)
{
    return n < WINDOW ? (UINT64_C(1) << n) - 1 : ~UINT64_C(0);
}

/* Where the lowest run of ones ends that begins at bit 0. */
static unsigned ones_at_bottom(uint64_t bits)
{
    return ~bits ? (unsigned)__builtin_ctzll(~bits) : WINDOW;
}

/* A run that came into this window from the one before: it goes on, or ends here. */
static uint64_t end_carried(struct reading *reading, size_t at, uint64_t words, uint64_t digits)
{
    unsigned n = ones_at_bottom(words);

    reading->carried_digit |= digits & bits_below(n);
    if (n == WINDOW)
        return 0;
    reading->carries = false;
    if (reading->carried_digit)
        take_token(reading, reading->carried_from, at + n);
    return words & ~bits_below(n);
}

/* A run at the window's end may go on in the next one. */
static uint64_t begin_carried(struct reading *reading, size_t at, uint64_t words, uint64_t digits)
{
    unsigned from = ~words ? WINDOW - (unsigned)__builtin_clzll(~words) : 0;

    reading->carries = true;
    reading->carried_from = at + from;
    reading->carried_digit = digits & ~bits_below(from);
    return words & bits_below(from);
}

/* The runs with digits that lie in one window; where it begins depends on no other one. */
static void read_window(struct reading *reading, size_t at)
{
    uint64_t words, digits;

    classify_window(reading, at, &words, &digits);
    if (reading->carries)
        words = end_carried(reading, at, words, digits);
    if (words >> (WINDOW - 1))
        words = begin_carried(reading, at, words, digits);
    digits &= long_runs(words);
    while (digits) {
        unsigned digit = (unsigned)__builtin_ctzll(digits), to;
        uint64_t below = ~words & bits_below(digit);
        unsigned from = below ? WINDOW - (unsigned)__builtin_clzll(below) : 0;

        to = digit + ones_at_bottom(words >> digit);
        take_token(reading, at + from, at + to);
        digits &= ~bits_below(to);
    }
}

size_t tokens_read(struct bytes *text, uint64_t seed, uint64_t now_ns, uint64_t *hashes)
{
    struct reading reading = {.text = *text, .seed = seed, .now_ns = now_ns, .hashes = hashes};
    size_t at = 0;

    /* A window has at most as many tokens as fit into it, TOKEN_MIN bytes and a gap each. */
    while (at < text->len && reading.n + WINDOW / TOKEN_MIN < TOKEN_READ_MAX) {
        read_window(&reading, at);
        at += WINDOW;
    }
    if (reading.carries && at >= text->len && reading.carried_digit)
        take_token(&reading, reading.carried_from, text->len);
    else if (reading.carries && at < text->len)
        at = reading.carried_from;
    *text = bytes_skip(*text, MIN(at, text->len));
    return reading.n;
}

/* ---- how often ------------------------------------------------------------------------------- */

static uint8_t *cell(struct sketch *sketch, int row, uint64_t token)
{
    return &sketch->rows[row][(row ? token >> 32 : token) % SKETCH_CELLS];
}

bool sketch_is_frequent(const struct sketch *sketch, uint64_t token)
{
    return MIN(sketch->rows[0][token % SKETCH_CELLS],
               sketch->rows[1][(token >> 32) % SKETCH_CELLS]) >= SKETCH_FREQUENT;
}

static void halve(struct sketch *sketch)
{
    for (int row = 0; row < 2; row++)
        for (unsigned i = 0; i < SKETCH_CELLS; i++)
            sketch->rows[row][i] /= 2;
    sketch->n_added = 0;
}

void sketch_add(struct sketch *sketch, uint64_t token, unsigned weight)
{
    uint8_t *a = cell(sketch, 0, token), *b = cell(sketch, 1, token);
    unsigned least = MIN(*a, *b), sum = MIN(least + weight, 255u);

    *a = (uint8_t)MAX(*a, sum);
    *b = (uint8_t)MAX(*b, sum);
    if (++sketch->n_added == SKETCH_PERIOD)
        halve(sketch);
}

/* ---- the index ------------------------------------------------------------------------------- */

int token_index_init(struct token_index *index, size_t max_sets)
{
    index->buckets = calloc(N_BUCKETS, sizeof(*index->buckets));
    return index->buckets ? pool_init(&index->sets, sizeof(struct token_set), max_sets) : -ENOMEM;
}

void token_index_done(struct token_index *index)
{
    free(index->buckets);
    pool_done(&index->sets);
}

struct token_set *token_set_new(struct token_index *index, struct cause *owner)
{
    struct token_set *set = pool_take(&index->sets);

    if (set) {
        set->owner = owner;
        set->n = 0;
        list_init(&set->spilled);
    }
    return set;
}

void token_set_free(struct token_index *index, struct token_set *set)
{
    if (!set)
        return;
    for (unsigned i = 0; i < set->n; i++) {
        struct token *token = &set->tokens[i];

        *token->slot = token->next;
        if (token->next)
            token->next->slot = token->slot;
    }
    list_remove(&set->spilled);
    pool_give(&index->sets, set);
}

static bool has(const struct token_set *set, uint64_t hash)
{
    for (unsigned i = 0; i < set->n; i++)
        if (set->tokens[i].hash == hash)
            return true;
    return false;
}

static void spill(struct token_set *set, struct list *spilled, uint64_t hash)
{
    if (list_empty(&set->spilled)) {
        memset(set->spill, 0, sizeof(set->spill));
        list_append(spilled, &set->spilled);
    }
    set->spill[hash % TOKEN_SPILL_BITS / 64] |= UINT64_C(1) << hash % 64;
}

void token_set_add(struct token_index *index, struct token_set *set, struct list *spilled,
                   uint64_t hash)
{
    struct token **bucket = &index->buckets[hash % N_BUCKETS], *token;

    if (has(set, hash))
        return;
    if (set->n == TOKENS_MAX) {
        spill(set, spilled, hash);
        return;
    }
    token = &set->tokens[set->n++];
    *token = (struct token){.next = *bucket, .slot = bucket, .hash = hash, .owner = set->owner};
    if (token->next)
        token->next->slot = &token->next;
    *bucket = token;
}

static bool may_spill(const struct token_set *set, uint64_t hash)
{
    return set->spill[hash % TOKEN_SPILL_BITS / 64] >> hash % 64 & 1;
}

static void note(struct token_owners *owners, struct cause *owner, uint64_t own_key)
{
    if (owner->key == own_key || owners->owner == owner)
        return;
    owners->n++;
    owners->owner = owner;
}

/* Another one may have it too: then it is nobody's. */
static void note_spilled(struct token_owners *owners, const struct list *spilled, uint64_t hash,
                         uint64_t own_key)
{
    unsigned n = 0;

    for (struct list *node = spilled->next; node != spilled && owners->n == 1; node = node->next) {
        const struct token_set *set = container_of(node, struct token_set, spilled);

        if (n++ == SPILLED_MAX)
            owners->n = 2;
        else if (may_spill(set, hash))
            note(owners, set->owner, own_key);
    }
}

struct token_owners token_owners_of(const struct token_index *index, const struct list *spilled,
                                    uint64_t hash, uint64_t own_key)
{
    struct token_owners owners = {0};
    struct token *token = index->buckets[hash % N_BUCKETS];
    unsigned n = 0;

    for (; token && owners.n < 2 && n < CHAIN_MAX; token = token->next, n++)
        if (token->hash == hash)
            note(&owners, token->owner, own_key);
    if (token && n == CHAIN_MAX)
        owners.n = 2;
    note_spilled(&owners, spilled, hash, own_key);
    return owners;
}
