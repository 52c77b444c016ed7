/* SPDX-License-Identifier: Apache-2.0 */
/* What is a token, how often is often, and who has one. */
#include "causality/causality.h"
#include "causality/tokens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SEED 7
#define NOW_NS UINT64_C(1732450000000000000)

/*
 * All tokens of the text; it lies at the end of its memory, so that sanitizers see a step too far.
 */
static size_t read_all(const char *text, uint64_t *hashes, size_t max)
{
    size_t len = strlen(text), n = 0;
    uint8_t *exact = malloc(len ? len : 1);
    struct bytes rest = bytes_make(exact, len);

    memcpy(exact, text, len);
    while (rest.len) {
        uint64_t some[TOKEN_READ_MAX];
        size_t before = rest.len, k = tokens_read(&rest, SEED, NOW_NS, some);

        assert_true(rest.len < before);
        assert_true(k <= TOKEN_READ_MAX);
        for (size_t i = 0; i < k && n < max; i++)
            hashes[n++] = some[i];
    }
    free(exact);
    return n;
}

static size_t count(const char *text)
{
    uint64_t hashes[1024];

    return read_all(text, hashes, 1024);
}

static void a_token_is_six_and_more_letters_digits_and_dashes_with_a_digit(void **state)
{
    assert_int_equal(count("GET /orders/order-4711 x"), 1);
    assert_int_equal(count("abc12"), 0);
    assert_int_equal(count("abc123"), 1);
    assert_int_equal(count("abcdefgh Accept-Encoding"), 0);
    assert_int_equal(count("5f0c6a8e-1111-4c8a-9d0b-6a6f8e2d7c11"), 1);
    assert_int_equal(count("a_1234,b_1234;c.1234"), 2);
    assert_int_equal(count(""), 0);
}

static void a_clock_is_no_token(void **state)
{
    assert_int_equal(count("1732450000 1732450000123 1732450000123456 1732450000123456789"), 0);
    assert_int_equal(count("20241124 2024-11-24 2024-11-24T10"), 0);
    assert_int_equal(count("1032450000 4732450000123 99991124 12345678901"), 4);
}

static void upper_and_lower_case_are_the_same_token(void **state)
{
    uint64_t lower[2], upper[2];

    assert_int_equal(read_all("5f0c6a8e-dead abc-12_z9", lower, 2), 2);
    assert_int_equal(read_all("5F0C6A8E-DEAD ABC-12_Z9", upper, 2), 2);
    assert_memory_equal(lower, upper, sizeof(lower));
}

/* The window that the reader moves over the text must not show. */
static void a_token_is_the_same_wherever_it_stands(void **state)
{
    static const char *const tokens[] = {
        "abc123", "order-0001", "1abcdefghijklmnopq", "abcdefghijklmnopqrs-tuvwxyz0123456789",
        "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz1"};

    for (size_t t = 0; t < sizeof(tokens) / sizeof(*tokens); t++) {
        uint64_t alone, placed[2];

        assert_int_equal(read_all(tokens[t], &alone, 1), 1);
        for (size_t pad = 0; pad < 200; pad++) {
            char text[512] = "";

            memset(text, pad % 3 ? ' ' : '/', pad);
            snprintf(text + pad, sizeof(text) - pad, "%s%s", tokens[t], pad % 2 ? "" : "/tail");
            assert_int_equal(read_all(text, placed, 2), 1);
            assert_true(placed[0] == alone);
        }
    }
}

/* The slow and plain way to say what a token is. */
static size_t count_plainly(const char *text)
{
    size_t n = 0, len = 0;
    bool digit = false;

    for (;; text++) {
        char c = *text;

        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '_') {
            digit |= c >= '0' && c <= '9';
            len++;
            continue;
        }
        n += len >= TOKEN_MIN && digit;
        len = 0;
        digit = false;
        if (!c)
            return n;
    }
}

static void random_texts_have_the_tokens_that_a_plain_loop_finds(void **state)
{
    static const char letters[] = "abz038-_  /="; /* no clock can be made of these */

    srand(1);
    for (unsigned round = 0; round < 20000; round++) {
        char text[300];
        size_t len = (size_t)rand() % sizeof(text), rare = 6 + (size_t)rand() % 7;

        for (size_t i = 0; i < len; i++)
            text[i] = letters[(size_t)rand() % rare];
        text[len ? len - 1 : 0] = 0;
        assert_int_equal(count(text), count_plainly(text));
    }
}

static void eight_requests_with_it_make_a_token_frequent_and_silence_rare_again(void **state)
{
    struct sketch sketch = {0};

    for (int i = 0; i < 7; i++)
        sketch_add(&sketch, 42, SKETCH_REQUEST);
    assert_false(sketch_is_frequent(&sketch, 42));
    sketch_add(&sketch, 42, SKETCH_REQUEST);
    assert_true(sketch_is_frequent(&sketch, 42));
    for (uint64_t i = 0; i < 3 * SKETCH_PERIOD; i++)
        sketch_add(&sketch, (i << 33) + 2 * i + 1, SKETCH_REQUEST);
    assert_false(sketch_is_frequent(&sketch, 42));
}

struct world {
    struct token_index index;
    struct list spilled;
    struct cause causes[3];
    struct token_set *sets[3];
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    assert_int_equal(token_index_init(&world->index, 8), 0);
    list_init(&world->spilled);
    for (int i = 0; i < 3; i++) {
        world->causes[i].key = 100 + (uint64_t)i;
        world->sets[i] = token_set_new(&world->index, &world->causes[i]);
    }
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 3; i++)
        token_set_free(&world->index, world->sets[i]);
    assert_true(list_empty(&world->spilled));
    token_index_done(&world->index);
    free(world);
    return 0;
}

static void add(struct world *world, int i, uint64_t hash)
{
    token_set_add(&world->index, world->sets[i], &world->spilled, hash);
}

static void a_token_of_one_request_names_it_and_one_of_two_names_nobody(void **state)
{
    struct world *world = *state;
    struct token_owners owners;

    add(world, 0, 5);
    add(world, 0, 5);
    owners = token_owners_of(&world->index, &world->spilled, 5, 0);
    assert_int_equal(owners.n, 1);
    assert_ptr_equal(owners.owner, &world->causes[0]);
    add(world, 1, 5);
    assert_int_equal(token_owners_of(&world->index, &world->spilled, 5, 0).n, 2);
    owners = token_owners_of(&world->index, &world->spilled, 5, 101);
    assert_ptr_equal(owners.owner, &world->causes[0]);
    token_set_free(&world->index, world->sets[0]);
    world->sets[0] = NULL;
    assert_int_equal(token_owners_of(&world->index, &world->spilled, 5, 101).n, 0);
}

static void what_a_request_has_too_much_makes_votes_void_and_casts_none(void **state)
{
    struct world *world = *state;

    for (uint64_t i = 0; i <= TOKENS_MAX; i++)
        add(world, 0, 1000 + i);
    assert_int_equal(token_owners_of(&world->index, &world->spilled, 1000 + TOKENS_MAX, 0).n, 0);
    add(world, 1, 1000 + TOKENS_MAX);
    assert_int_equal(token_owners_of(&world->index, &world->spilled, 1000 + TOKENS_MAX, 0).n, 2);
}

static void a_token_that_very_many_have_costs_a_bounded_look(void **state)
{
    struct world *world = *state;

    for (uint64_t i = 1; i <= 3 * TOKENS_MAX; i++)
        add(world, (int)(i % 3), i << 14); /* one bucket */
    assert_int_equal(token_owners_of(&world->index, &world->spilled, 99 << 14, 0).n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_six_and_more_letters_digits_and_dashes_with_a_digit),
        cmocka_unit_test(a_clock_is_no_token),
        cmocka_unit_test(upper_and_lower_case_are_the_same_token),
        cmocka_unit_test(a_token_is_the_same_wherever_it_stands),
        cmocka_unit_test(random_texts_have_the_tokens_that_a_plain_loop_finds),
        cmocka_unit_test(eight_requests_with_it_make_a_token_frequent_and_silence_rare_again),
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_token_of_one_request_names_it_and_one_of_two_names_nobody),
        TEST(what_a_request_has_too_much_makes_votes_void_and_casts_none),
        TEST(a_token_that_very_many_have_costs_a_bounded_look),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
