/* SPDX-License-Identifier: Apache-2.0 */
/* Whole pieces and nothing else, within the scratch; the pieces are those of Python's gzip and zlib. */
#include "protocols/http/inflate.h"

#include "base/macro.h"
#include "protocols/protocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define GZIP_PIECE \
    "\037\213\010\000\000\000\000\000\002\003\113\057\052\110\326\055\056" \
    "\111\054\051\055\266\122\060\064\346\345\002\000\146\225\170\050\021" \
    "\000\000\000"
#define ZLIB_PIECE \
    "\170\234\113\057\052\110\326\055\056\111\054\051\055\266\122\060\064" \
    "\346\345\002\000\070\323\005\123"
#define BOMB \
    "\037\213\010\000\000\000\000\000\002\003\355\301\001\015\000\000\000" \
    "\302\240\052\357\237\322\036\016\050\000\000\000\340\336\000\111\255" \
    "\251\074\001\020\000\000"

static const struct bytes pieces[] = {
    {(const uint8_t *)GZIP_PIECE, sizeof(GZIP_PIECE) - 1},
    {(const uint8_t *)ZLIB_PIECE, sizeof(ZLIB_PIECE) - 1},
};

static uint8_t memory[SCRATCH_SIZE];

static bool inflates(struct bytes in, size_t scratch_size, struct bytes *ret_out)
{
    struct arena scratch = arena_over(memory, scratch_size);

    return inflate_piece(in, &scratch, ret_out);
}

static void a_whole_piece_of_either_form_is_inflated(void **state)
{
    struct bytes out;

    for (size_t i = 0; i < ELEMENTSOF(pieces); i++) {
        assert_true(inflates(pieces[i], SCRATCH_SIZE, &out));
        assert_true(bytes_equal(out, BYTES_LITERAL("grpc-status: 13\r\n")));
    }
}

static void a_part_of_a_piece_or_more_than_one_is_refused(void **state)
{
    struct bytes out;

    for (size_t i = 0; i < ELEMENTSOF(pieces); i++) {
        uint8_t more[128] = {0};

        for (size_t len = 0; len < pieces[i].len; len++)
            assert_false(inflates(bytes_slice(pieces[i], 0, len), SCRATCH_SIZE, &out));
        memcpy(more, pieces[i].ptr, pieces[i].len);
        assert_false(inflates(bytes_make(more, pieces[i].len + 1), SCRATCH_SIZE, &out));
    }
}

/* 4,097 blanks. */
static void what_becomes_too_long_is_refused(void **state)
{
    const struct bytes bomb = BYTES_LITERAL(BOMB);
    struct bytes out;

    assert_false(inflates(bomb, SCRATCH_SIZE, &out));
}

static void a_scratch_without_room_is_an_answer(void **state)
{
    struct bytes out;

    for (size_t size = 0; size <= INFLATE_OUTPUT + 64; size += 8)
        assert_false(inflates(pieces[0], size, &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_piece_of_either_form_is_inflated),
        cmocka_unit_test(a_part_of_a_piece_or_more_than_one_is_refused),
        cmocka_unit_test(what_becomes_too_long_is_refused),
        cmocka_unit_test(a_scratch_without_room_is_an_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
