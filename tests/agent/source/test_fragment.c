/* SPDX-License-Identifier: Apache-2.0 */
#include "source/fragment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz";

static int setup(void **state)
{
    struct fragments *fragments = NULL;
    int r = fragments_new(&fragments);

    *state = fragments;
    return r;
}

static int teardown(void **state)
{
    fragments_free(*state);
    return 0;
}

/* Bytes from..end of the text; the last fragment where `end` is the text's. */
static struct fragment part(uint32_t id, size_t from, size_t end)
{
    return (struct fragment){
        .id = id,
        .transport = 17,
        .last = end == sizeof(text) - 1,
        .offset = from,
        .data = bytes_make(text + from, end - from),
    };
}

static bool add(struct fragments *fragments, struct fragment fragment)
{
    struct bytes datagram;

    if (!fragments_add(fragments, &fragment, &datagram))
        return false;
    assert_true(bytes_equal(datagram, bytes_from_string(text)));
    return true;
}

static void fragments_in_any_order_are_one_datagram(void **state)
{
    static const size_t cuts[] = {0, 8, 24, 32, sizeof(text) - 1};
    static const unsigned orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}};

    for (uint32_t i = 0; i < 3; i++)
        for (unsigned j = 0; j < 4; j++) {
            unsigned k = orders[i][j];

            assert_int_equal(add(*state, part(i, cuts[k], cuts[k + 1])), j == 3);
        }
    assert_int_equal(fragments_lost(*state), 0);
}

static void datagrams_are_told_apart(void **state)
{
    struct fragment other = part(1, 8, 36);

    other.source[0] = 1;
    assert_false(add(*state, part(1, 0, 8)));
    assert_false(add(*state, part(2, 0, 8)));
    assert_false(add(*state, other));
    assert_true(add(*state, part(1, 8, 36)));
    assert_true(add(*state, part(2, 8, 36)));
}

static void overlapping_fragments_give_the_datagram_up(void **state)
{
    assert_false(add(*state, part(1, 0, 16)));
    assert_false(add(*state, part(1, 8, 24)));
    assert_int_equal(fragments_lost(*state), 1);
}

static void impossible_fragments_are_refused(void **state)
{
    struct fragment far = part(1, 0, 8), odd = part(2, 0, 8), empty = part(3, 0, 0);
    struct fragment behind = part(4, 0, 8);

    far.offset = 65535 / 8 * 8;
    odd.data.len = 7;
    assert_false(add(*state, far));
    assert_false(add(*state, odd));
    assert_false(add(*state, empty));
    assert_false(add(*state, part(4, 24, 36)));
    behind.offset = 40;
    assert_false(add(*state, behind));
    assert_int_equal(fragments_lost(*state), 4);
}

static void the_oldest_datagram_gives_way(void **state)
{
    for (uint32_t id = 0; id < 1000; id++)
        assert_false(add(*state, part(id, 0, 8)));
    assert_true(add(*state, part(999, 8, 36)));
    assert_false(add(*state, part(0, 8, 36)));
    assert_true(fragments_lost(*state) > 900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(fragments_in_any_order_are_one_datagram),
        TEST(datagrams_are_told_apart),
        TEST(overlapping_fragments_give_the_datagram_up),
        TEST(impossible_fragments_are_refused),
        TEST(the_oldest_datagram_gives_way),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
