/* SPDX-License-Identifier: Apache-2.0 */
/* Streams that zlib itself, or a hostile hand, made. */
#include "rpc/gunzip.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <zlib.h>

#include <cmocka.h>

static struct bytes gzip_of(struct bytes text, uint8_t *out, size_t size)
{
    z_stream stream = {.next_in = (uint8_t *)text.ptr, .avail_in = (uInt)text.len,
                       .next_out = out, .avail_out = (uInt)size};

    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY),
                     Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return bytes_make(out, stream.total_out);
}

static void what_was_deflated_is_found_again(void **state)
{
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(64);
    uint8_t packed[128];

    assert_int_equal(gunzip(gzip_of(BYTES_LITERAL("answer"), packed, sizeof(packed)), &buffer), 0);
    assert_true(bytes_equal(buffer_bytes(&buffer), BYTES_LITERAL("answer")));
}

static void a_bomb_ends_at_the_cap(void **state)
{
    static uint8_t zeros[8 << 20], packed[64 << 10];
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(64 << 10);
    struct bytes bomb = gzip_of(bytes_make(zeros, sizeof(zeros)), packed, sizeof(packed));

    assert_int_equal(gunzip(bomb, &buffer), -ENOBUFS);
    assert_true(buffer.allocated <= buffer.cap);
}

static void what_is_cut_or_followed_by_more_is_refused(void **state)
{
    uint8_t packed[128];
    struct bytes whole = gzip_of(BYTES_LITERAL("answer"), packed, sizeof(packed));

    for (size_t len = 0; len <= whole.len + 1; len++) {
        _cleanup_(buffer_done) struct buffer buffer = buffer_make(64);

        assert_int_equal(gunzip(bytes_make(packed, len), &buffer), len == whole.len ? 0 : -EBADMSG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_deflated_is_found_again),
        cmocka_unit_test(a_bomb_ends_at_the_cap),
        cmocka_unit_test(what_is_cut_or_followed_by_more_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
