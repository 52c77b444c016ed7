/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of messages: counted, and the trailers of gRPC-Web read, however they are cut. */
#include "protocols/http/grpc_body.h"
#include "protocols/http/grpc.h"

#include "base/hash.h"
#include "base/macro.h"
#include "protocols/protocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static uint8_t text[8192];

/* RFC 4648, with padding; returns what it wrote behind `at`. */
static size_t encode(struct bytes data, size_t at)
{
    for (size_t i = 0; i < data.len; i += 3) {
        unsigned bits = 0;

        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (i + j < data.len ? data.ptr[i + j] : 0u);
        for (size_t j = 0; j < 4; j++)
            text[at++] = i + j > data.len ? '=' : (uint8_t)alphabet[bits >> (18 - 6 * j) & 63];
    }
    return at;
}

/* Feeds a frame's bytes in pieces, as a parser does: what is needed at once is waited for. */
static void read_frame(struct grpc_body *body, struct bytes frame, size_t piece)
{
    static uint8_t memory[SCRATCH_SIZE];
    struct arena scratch = arena_over(memory, sizeof(memory));
    size_t at = 0, end = 0;

    while (at < frame.len) {
        size_t need = grpc_body_need(body, frame.len - at);

        if (at == end || at + need > end)
            end = MIN(end + piece, frame.len);
        if (need == 0)
            at += (size_t)grpc_body_pass(body, end - at);
        else if (at + need <= end)
            at += grpc_body_read(body, bytes_slice(frame, at, end - at), &scratch);
    }
    assert_int_equal(scratch.used, 0);
}

static struct grpc_body read_body(enum grpc_body_kind kind, struct bytes bytes, size_t piece)
{
    struct grpc_body body = {.kind = (uint8_t)kind};

    read_frame(&body, bytes, piece);
    return body;
}

static void expect(const struct grpc_body *body, unsigned n_messages, const char *status)
{
    static uint8_t memory[256];
    struct arena scratch = arena_over(memory, sizeof(memory));
    struct message message = {0};
    struct bytes count, told;

    grpc_body_tell(NULL, body, &scratch, &message);
    count = message_field(&message, GRPC_FIELD_RESPONSES);
    told = message_field(&message, GRPC_FIELD_STATUS);
    assert_int_equal(count.len, 4);
    assert_int_equal(count.ptr[3], n_messages);
    assert_int_equal(told.ptr != NULL, status != NULL);
    if (status)
        assert_true(bytes_equal(told, bytes_from_string(status)));
}

#define MESSAGES "\0\0\0\0\2ab" "\0\0\0\0\0" "\1\0\0\0\3xyz"
#define TRAILERS(length, lines) "\x80\0\0\0" length lines

static void messages_are_counted_however_they_are_cut(void **state)
{
    uint8_t bytes[400] = MESSAGES "\0\0\0\1\54"; /* 300 bytes more */
    struct bytes whole = bytes_make(bytes, sizeof(MESSAGES) - 1 + 5 + 300);

    for (size_t piece = 1; piece <= whole.len; piece++) {
        struct grpc_body body = read_body(GRPC_BODY_MESSAGES, whole, piece);

        assert_int_equal(body.left, 0);
        expect(&body, 4, NULL);
    }
}

static void the_trailers_of_grpc_web_are_no_message_and_tell_the_status(void **state)
{
    static const struct {
        struct bytes bytes;
        const char *status;
    } cases[] = {
        {BYTES_LITERAL(TRAILERS("\17", "grpc-status:0\r\n")), "0"},
        {BYTES_LITERAL(TRAILERS("\40", "grpc-message:no\r\nGRPC-Status: 14")), "14"},
        {BYTES_LITERAL(TRAILERS("\42", "x-grpc-status:3\r\ngrpc-status:  5\r\n")), "5"},
        {BYTES_LITERAL(TRAILERS("\36", "grpc-status:7\r\ngrpc-status:8\r\n")), "7"},
        {BYTES_LITERAL(TRAILERS("\20", "grpc-status:1x\r\n")), NULL},
        {BYTES_LITERAL(TRAILERS("\20", "grpc-status:-1\r\n")), NULL},
        {BYTES_LITERAL(TRAILERS("\22", "grpc-status:9999\r\n")), NULL},
        {BYTES_LITERAL(TRAILERS("\30", "grpc-status:1")), NULL}, /* not whole */
        {BYTES_LITERAL("\x81\0\0\0\17grpc-status:0\r\n"), NULL}, /* not compressed at all */
        {BYTES_LITERAL(TRAILERS("\0", "")), NULL},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        uint8_t bytes[256] = MESSAGES;
        size_t len = sizeof(MESSAGES) - 1 + cases[i].bytes.len;

        memcpy(bytes + sizeof(MESSAGES) - 1, cases[i].bytes.ptr, cases[i].bytes.len);
        for (size_t piece = 1; piece <= len; piece++) {
            struct grpc_body body = read_body(GRPC_BODY_WEB, bytes_make(bytes, len), piece);

            expect(&body, 3, cases[i].status);
        }
    }
}

/* By zlib itself; returns the length of all, flags and length in front. */
static size_t compress_trailers(struct bytes lines, int form, uint8_t *out, size_t size)
{
    z_stream stream = {.next_in = (uint8_t *)lines.ptr, .avail_in = (uInt)lines.len,
                       .next_out = out + 5, .avail_out = (uInt)size - 5};
    size_t len;

    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, form, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    len = stream.total_out;
    deflateEnd(&stream);
    memcpy(out, (const uint8_t[]){0x81, 0, 0, (uint8_t)(len >> 8), (uint8_t)len}, 5);
    return 5 + len;
}

#define GZIP (MAX_WBITS + 16)
#define ZLIB MAX_WBITS

static void compressed_trailers_tell_the_status_however_they_are_cut(void **state)
{
    const struct bytes lines = BYTES_LITERAL("grpc-message: no\r\ngrpc-status: 13\r\n");

    for (size_t i = 0; i < 2; i++) {
        uint8_t bytes[512] = MESSAGES;
        size_t len = sizeof(MESSAGES) - 1;

        len += compress_trailers(lines, i ? ZLIB : GZIP, bytes + len, sizeof(bytes) - len);
        for (size_t piece = 1; piece <= len; piece++) {
            struct grpc_body body = read_body(GRPC_BODY_WEB, bytes_make(bytes, len), piece);

            expect(&body, 3, "13");
        }
    }
}

/* Nothing is guessed from trailers that two frames share, but the messages are counted. */
static void compressed_trailers_that_a_frame_ends_in_tell_nothing(void **state)
{
    uint8_t bytes[512] = MESSAGES;
    size_t begin = sizeof(MESSAGES) - 1, len;

    len = begin + compress_trailers(BYTES_LITERAL("grpc-status: 13\r\n"), GZIP, bytes + begin,
                                    sizeof(bytes) - begin);
    for (size_t cut = 1; cut < len; cut++) {
        struct grpc_body body = {.kind = GRPC_BODY_WEB};

        read_frame(&body, bytes_make(bytes, cut), cut);
        read_frame(&body, bytes_make(bytes + cut, len - cut), len);
        assert_int_equal(body.left, 0);
        expect(&body, 3, cut > begin + 5 ? NULL : "13");
    }
}

/* A bit that is wrong fails its checksum; what becomes too long, or is too long, is not read. */
static void compressed_trailers_that_are_damaged_or_huge_tell_nothing(void **state)
{
    static uint8_t bytes[8192], lines[1 << 18] = "grpc-status: 13\r\n";
    struct bytes small = BYTES_LITERAL("grpc-status: 13\r\n");
    size_t len = compress_trailers(small, GZIP, bytes, sizeof(bytes));
    const size_t checksum = len - 8;
    struct grpc_body body;

    bytes[checksum] ^= 1;
    body = read_body(GRPC_BODY_WEB, bytes_make(bytes, len), 7);
    expect(&body, 0, NULL);
    len = compress_trailers(bytes_make(lines, sizeof(lines)), GZIP, bytes, sizeof(bytes));
    assert_in_range(len, 0, 1024); /* a bomb */
    body = read_body(GRPC_BODY_WEB, bytes_make(bytes, len), 7);
    expect(&body, 0, NULL);
    for (size_t i = small.len; i < 4096; i++)
        lines[i] = (uint8_t)hash_mix(i);
    len = compress_trailers(bytes_make(lines, 4096), GZIP, bytes, sizeof(bytes));
    body = read_body(GRPC_BODY_WEB, bytes_make(bytes, len), 7);
    assert_int_equal(body.left, 0);
    expect(&body, 0, NULL);
}

/* In one piece, and each part with its own padding, as servers that flush write it. */
static void base64_is_read_in_one_piece_or_in_several(void **state)
{
    const struct bytes messages = BYTES_LITERAL(MESSAGES);
    const struct bytes trailers = BYTES_LITERAL(TRAILERS("\17", "grpc-status:0\r\n"));
    const struct bytes both = BYTES_LITERAL(MESSAGES TRAILERS("\17", "grpc-status:0\r\n"));
    size_t one = encode(both, 0), several;

    for (size_t piece = 1; piece <= one; piece++) {
        struct grpc_body body = read_body(GRPC_BODY_WEB_TEXT, bytes_make(text, one), piece);

        expect(&body, 3, "0");
    }
    for (size_t cut = 0; cut < messages.len; cut++) {
        several = encode(bytes_slice(messages, 0, cut), 0);
        several = encode(bytes_skip(messages, cut), several);
        several = encode(trailers, several);
        struct grpc_body body = read_body(GRPC_BODY_WEB_TEXT, bytes_make(text, several), 7);

        expect(&body, 3, "0");
    }
}

static void what_is_not_of_this_form_is_not_counted(void **state)
{
    static const struct {
        enum grpc_body_kind kind;
        struct bytes bytes;
    } cases[] = {
        {GRPC_BODY_MESSAGES, BYTES_LITERAL("\x1f\x8b\x08\0\0\0\0\0\0\3")}, /* gzip */
        {GRPC_BODY_WEB, BYTES_LITERAL("\x28\xb5\x2f\xfd\x04\x58")},         /* zstd */
        {GRPC_BODY_MESSAGES, BYTES_LITERAL(TRAILERS("\17", "grpc-status:0\r\n"))},
        {GRPC_BODY_MESSAGES, BYTES_LITERAL("<html>")},
        {GRPC_BODY_WEB_TEXT, BYTES_LITERAL("AAAA<html>")},
        {GRPC_BODY_LOST, BYTES_LITERAL(MESSAGES)},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        static uint8_t memory[256];
        struct arena scratch = arena_over(memory, sizeof(memory));
        struct grpc_body body = read_body(cases[i].kind, cases[i].bytes, 3);
        struct message message = {0};

        grpc_body_tell(&body, &body, &scratch, &message);
        assert_int_equal(message.n_fields, 0);
    }
}

static void the_content_type_says_how_a_body_is_read(void **state)
{
    static const struct {
        struct bytes value;
        enum grpc_body_kind kind;
    } cases[] = {
        {BYTES_LITERAL("application/grpc"), GRPC_BODY_MESSAGES},
        {BYTES_LITERAL("application/grpc+proto"), GRPC_BODY_MESSAGES},
        {BYTES_LITERAL("Application/gRPC-Web+proto; charset=utf-8"), GRPC_BODY_WEB},
        {BYTES_LITERAL("application/grpc-web"), GRPC_BODY_WEB},
        {BYTES_LITERAL("application/grpc-web-text+proto"), GRPC_BODY_WEB_TEXT},
        {BYTES_LITERAL("application/json"), GRPC_BODY_OTHER},
        {BYTES_LITERAL("application/grp"), GRPC_BODY_OTHER},
        {BYTES_LITERAL(""), GRPC_BODY_OTHER},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        assert_int_equal(grpc_body_kind_of(cases[i].value), cases[i].kind);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_counted_however_they_are_cut),
        cmocka_unit_test(the_trailers_of_grpc_web_are_no_message_and_tell_the_status),
        cmocka_unit_test(compressed_trailers_tell_the_status_however_they_are_cut),
        cmocka_unit_test(compressed_trailers_that_a_frame_ends_in_tell_nothing),
        cmocka_unit_test(compressed_trailers_that_are_damaged_or_huge_tell_nothing),
        cmocka_unit_test(base64_is_read_in_one_piece_or_in_several),
        cmocka_unit_test(what_is_not_of_this_form_is_not_counted),
        cmocka_unit_test(the_content_type_says_how_a_body_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
