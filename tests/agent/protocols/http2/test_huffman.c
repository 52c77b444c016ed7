/* SPDX-License-Identifier: Apache-2.0 */
/* The code of RFC 7541, appendix B: its examples, and every byte as nghttp2 encodes it. */
#include "protocols/http2/huffman.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <nghttp2/nghttp2.h>

static void assert_decodes(struct bytes in, struct bytes expected)
{
    uint8_t out[4096];
    size_t len;

    assert_true(huffman_decode(in, out, sizeof(out), &len));
    assert_true(bytes_equal(bytes_make(out, len), expected));
    assert_true(expected.len <= HUFFMAN_BOUND(in.len));
}

static void the_examples_of_the_rfc_decode(void **state)
{
    assert_decodes(BYTES_LITERAL("\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff"),
                   BYTES_LITERAL("www.example.com"));
    assert_decodes(BYTES_LITERAL("\xa8\xeb\x10\x64\x9c\xbf"), BYTES_LITERAL("no-cache"));
    assert_decodes(BYTES_LITERAL("\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f"),
                   BYTES_LITERAL("custom-key"));
    assert_decodes(BYTES_LITERAL("\xd0\x7a\xbe\x94\x10\x54\xd4\x44\xa8\x20\x05\x95\x04\x0b\x81\x66"
                                 "\xe0\x82\xa6\x2d\x1b\xff"),
                   BYTES_LITERAL("Mon, 21 Oct 2013 20:13:21 GMT"));
}

/* The value's string in a block of one field; empty where nghttp2 found it shorter as it is. */
static struct bytes encode(struct bytes value, uint8_t out[4096])
{
    nghttp2_hd_deflater *deflater;
    nghttp2_nv field = {(uint8_t *)"a", (uint8_t *)value.ptr, 1, value.len,
                        NGHTTP2_NV_FLAG_NO_INDEX};
    ssize_t n;
    struct reader reader;
    uint8_t first;

    assert_int_equal(nghttp2_hd_deflate_new(&deflater, 0), 0);
    n = nghttp2_hd_deflate_hd(deflater, out, 4096, &field, 1);
    nghttp2_hd_deflate_del(deflater);
    assert_true(n > 0);
    reader = reader_make(bytes_make(out, (size_t)n));
    while (reader_u8(&reader) != 0x10) /* a change of the table's size stands in front */
        ;
    reader_take(&reader, 2);
    first = reader_u8(&reader);
    return first & 0x80 && (first & 0x7f) < 0x7f ? reader_rest(&reader) : BYTES_NULL;
}

static void every_byte_decodes_as_another_implementation_encodes_it(void **state)
{
    uint8_t memory[4096];
    unsigned n = 0;

    for (unsigned c = 0; c < 256; c++) {
        uint8_t text[41];
        struct bytes encoded;

        memset(text, '0', sizeof(text)); /* short codes, so that the whole is shorter */
        text[20] = (uint8_t)c;
        encoded = encode(bytes_make(text, sizeof(text)), memory);
        assert_true(encoded.len > 0);
        assert_decodes(encoded, bytes_make(text, sizeof(text)));
        n++;
    }
    assert_int_equal(n, 256);
}

static void a_wrong_end_is_refused(void **state)
{
    uint8_t out[16];
    size_t len;

    /* zeros as padding; eight bits of padding; the code for the end */
    assert_false(huffman_decode(BYTES_LITERAL("\xa8\xeb\x10\x64\x9c\xbe"), out, 16, &len));
    assert_false(huffman_decode(BYTES_LITERAL("\xa8\xeb\x10\x64\x9c\xbf\xff"), out, 16, &len));
    assert_false(huffman_decode(BYTES_LITERAL("\xff\xff\xff\xff"), out, 16, &len));
    assert_true(huffman_decode(BYTES_NULL, out, 16, &len));
    assert_int_equal(len, 0);
}

static void what_does_not_fit_is_counted(void **state)
{
    uint8_t out[4] = {0};
    size_t len;

    assert_true(huffman_decode(BYTES_LITERAL("\xa8\xeb\x10\x64\x9c\xbf"), out, 2, &len));
    assert_int_equal(len, 8);
    assert_memory_equal(out, "no\0\0", 4);
    assert_true(huffman_decode(BYTES_LITERAL("\xa8\xeb\x10\x64\x9c\xbf"), NULL, 0, &len));
    assert_int_equal(len, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfc_decode),
        cmocka_unit_test(every_byte_decodes_as_another_implementation_encodes_it),
        cmocka_unit_test(a_wrong_end_is_refused),
        cmocka_unit_test(what_does_not_fit_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
