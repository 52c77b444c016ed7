/* SPDX-License-Identifier: Apache-2.0 */
/* What is packed here, zlib's own reader unpacks. */
#include "exporters/otlp_http/gzip.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <zlib.h>

#include <cmocka.h>

static struct bytes inflated(struct bytes packed, uint8_t *out, size_t size)
{
    z_stream stream = {.next_in = (uint8_t *)packed.ptr, .avail_in = (uInt)packed.len,
                       .next_out = out, .avail_out = (uInt)size};

    assert_int_equal(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.avail_in, 0);
    inflateEnd(&stream);
    return bytes_make(out, stream.total_out);
}

static void each_stream_is_whole_and_on_its_own(void **state)
{
    _cleanup_(buffer_done) struct buffer packed = buffer_make(1 << 20);
    static uint8_t data[100000], out[100001];
    struct gzip *gzip;

    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i / 7 * 13);
    assert_int_equal(gzip_new(&gzip), 0);
    for (size_t n = 1; n <= sizeof(data); n *= 10) {
        buffer_reset(&packed);
        assert_int_equal(gzip_append(gzip, bytes_make(data, n), &packed), 0);
        assert_true(bytes_equal(inflated(buffer_bytes(&packed), out, sizeof(out)),
                                bytes_make(data, n)));
    }
    assert_true(packed.len < sizeof(data) / 4);
    gzip_free(gzip);
}

static void a_full_buffer_is_told(void **state)
{
    _cleanup_(buffer_done) struct buffer packed = buffer_make(8);
    struct gzip *gzip;

    assert_int_equal(gzip_new(&gzip), 0);
    assert_int_equal(gzip_append(gzip, BYTES_LITERAL("spans"), &packed), -ENOBUFS);
    gzip_free(gzip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_stream_is_whole_and_on_its_own),
        cmocka_unit_test(a_full_buffer_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
