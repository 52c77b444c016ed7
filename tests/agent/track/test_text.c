/* SPDX-License-Identifier: Apache-2.0 */
#include "track/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void a_block_has_the_room_asked_for_and_none_more_than_the_largest(void **state)
{
    static const size_t sizes[] = {0, 1, 128, 129, 384, 385, TEXT_MAX, TEXT_MAX + 1, 1 << 20};
    struct text_block *chain = NULL;
    struct texts texts;

    assert_int_equal(texts_init(&texts, 10), 0);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        size_t room = sizes[i] < TEXT_MAX ? sizes[i] : TEXT_MAX;
        struct arena arena = texts_take(&texts, sizes[i], &chain);

        assert_true(arena.size >= room && arena.size <= TEXT_MAX);
        assert_int_equal(arena.used, 0);
        memset(arena.base, 0xff, arena.size);
    }
    texts_give(&texts, &chain);
    texts_done(&texts);
}

static void small_texts_cost_small_blocks(void **state)
{
    struct text_block *chain = NULL;
    struct texts texts;

    assert_int_equal(texts_init(&texts, 10), 0);
    assert_true(texts_take(&texts, 100, &chain).size < 256);
    assert_true(texts_take(&texts, 300, &chain).size < 512);
    texts_give(&texts, &chain);
    texts_done(&texts);
}

static void a_chain_gives_back_all_that_it_took(void **state)
{
    struct text_block *chain = NULL;
    struct texts texts;

    assert_int_equal(texts_init(&texts, 2), 0);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 4; i++)
            assert_non_null(texts_take(&texts, 1000, &chain).base);
        assert_int_equal(texts_take(&texts, 1000, &chain).size, 0);
        assert_non_null(texts_take(&texts, 10, &chain).base);
        texts_give(&texts, &chain);
        assert_null(chain);
        for (unsigned i = 0; i < TEXT_CLASSES; i++)
            assert_int_equal(texts.pools[i].in_use, 0);
    }
    texts_done(&texts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_has_the_room_asked_for_and_none_more_than_the_largest),
        cmocka_unit_test(small_texts_cost_small_blocks),
        cmocka_unit_test(a_chain_gives_back_all_that_it_took),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
