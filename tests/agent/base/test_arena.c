/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void allocations_are_aligned_and_do_not_overlap(void **state)
{
    struct arena arena;
    uint8_t *a, *b;

    assert_int_equal(arena_init(&arena, 64), 0);
    a = arena_alloc(&arena, 3);
    b = arena_alloc(&arena, 8);
    assert_int_equal((uintptr_t)a % 8, 0);
    assert_ptr_equal(b, a + 8);
    assert_int_equal(arena.used, 16);
    arena_done(&arena);
    assert_null(arena.base);
}

static void a_full_arena_says_null_and_stays_as_it_was(void **state)
{
    uint64_t memory[2];
    struct arena arena = arena_over(memory, sizeof(memory));

    assert_null(arena_alloc(&arena, 17));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_non_null(arena_alloc(&arena, 16));
    assert_null(arena_alloc(&arena, 1));
    assert_int_equal(arena.used, 16);
    arena_reset(&arena);
    assert_ptr_equal(arena_alloc(&arena, 1), memory);
}

static void alignment_counts_against_the_size(void **state)
{
    uint64_t memory[2];
    struct arena arena = arena_over(memory, 12);

    assert_non_null(arena_alloc(&arena, 9));
    assert_null(arena_alloc(&arena, 0));
}

static void a_copy_is_shortened_to_the_room(void **state)
{
    uint8_t memory[5];
    struct arena arena = arena_over(memory, sizeof(memory));
    struct bytes copy = arena_copy(&arena, BYTES_LITERAL("abc"));

    assert_true(bytes_equal(copy, BYTES_LITERAL("abc")));
    copy = arena_copy(&arena, BYTES_LITERAL("def"));
    assert_true(bytes_equal(copy, BYTES_LITERAL("de")));
    assert_int_equal(arena_copy(&arena, BYTES_LITERAL("g")).len, 0);
    assert_int_equal(arena_copy(&arena, BYTES_NULL).len, 0);
}

static void printed_text_is_cut_where_the_arena_ends(void **state)
{
    uint8_t memory[8];
    struct arena arena = arena_over(memory, sizeof(memory));

    assert_true(bytes_equal(arena_printf(&arena, "%d", 42), BYTES_LITERAL("42")));
    assert_true(bytes_equal(arena_printf(&arena, "%s", "abcdefgh"), BYTES_LITERAL("abcde")));
    assert_int_equal(arena.used, 7);
    assert_int_equal(arena_printf(&arena, "x").len, 0);
    arena.used = arena.size;
    assert_int_equal(arena_printf(&arena, "x").len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_do_not_overlap),
        cmocka_unit_test(a_full_arena_says_null_and_stays_as_it_was),
        cmocka_unit_test(alignment_counts_against_the_size),
        cmocka_unit_test(a_copy_is_shortened_to_the_room),
        cmocka_unit_test(printed_text_is_cut_where_the_arena_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
