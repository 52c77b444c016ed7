/* SPDX-License-Identifier: Apache-2.0 */
/* What the scan lets pass, and that deep, long and torn bytes never reach the unpacking. */
#include "otlp/scan.h"

#include "base/buffer.h"
#include "otlp/messages.h"
#include "otlp/unpack.h"
#include "otlp/wire.h"
#include "samples.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ONES_8 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
#define ANY_VALUE (&opentelemetry__proto__common__v1__any_value__descriptor)

static const struct scan_limits wide = {.depth = 16, .fields = 1000};

static int scan(const ProtobufCMessageDescriptor *descriptor, const void *ptr, size_t len)
{
    return scan_message(descriptor, bytes_make(ptr, len), &wide);
}

/* An AnyValue of `pairs` lists within each other, built from the inside. Exact size, for free(). */
static uint8_t *nest(size_t pairs, size_t *ret_len)
{
    size_t cap = 24 * (pairs + 1), len = 0;
    uint8_t *bytes = malloc(cap);

    for (size_t i = 0; i < pairs; i++) {
        /* AnyValue.array_value = 5 holds ArrayValue.values = 1 holds the AnyValue so far. */
        for (unsigned k = 0; k < 2; k++) {
            uint8_t head[WIRE_VARINT_MAX + 1];
            size_t n = (size_t)(wire_put_head(head, k ? 5 : 1, len) - head);

            memmove(bytes + n, bytes, len);
            memcpy(bytes, head, n);
            len += n;
        }
    }
    *ret_len = len;
    return bytes;
}

static void an_encoded_span_passes(void **state)
{
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(4096);
    struct span span;

    sample_full_span(&span);
    assert_int_equal(otlp_encode_span(&span, &buffer), 0);
    assert_int_equal(scan_message(OTLP_SPAN_DESCRIPTOR, buffer_bytes(&buffer), &wide), 0);
}

static void no_part_of_a_span_is_read_past_its_end(void **state)
{
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(4096);
    struct span span;

    sample_full_span(&span);
    assert_int_equal(otlp_encode_span(&span, &buffer), 0);
    for (size_t len = 0; len < buffer.len; len++) {
        uint8_t *copy = malloc(len + 1);
        ProtobufCMessage *message = NULL;

        memcpy(copy + 1, buffer.ptr, len);
        /* Cut between two fields, a span is still one; cut within a field, it is refused. */
        if (scan(OTLP_SPAN_DESCRIPTOR, copy + 1, len) == 0) {
            message = protobuf_c_message_unpack(OTLP_SPAN_DESCRIPTOR, NULL, len, copy + 1);
            assert_non_null(message);
        }
        message_free(message);
        free(copy);
    }
}

static void nesting_is_allowed_up_to_the_limit(void **state)
{
    size_t len;
    uint8_t *bytes = nest(7, &len);

    /* 7 pairs of messages within the outermost: a depth of 15. */
    assert_int_equal(
        scan_message(ANY_VALUE, bytes_make(bytes, len), &(struct scan_limits){15, 1000}), 0);
    assert_int_equal(
        scan_message(ANY_VALUE, bytes_make(bytes, len), &(struct scan_limits){14, 1000}), -EBADMSG);
    free(bytes);
}

static void nesting_that_would_overflow_the_stack_is_refused(void **state)
{
    ProtobufCMessage *message = NULL;
    size_t len;
    uint8_t *bytes = nest(20000, &len);

    assert_true(len > 58000);
    assert_int_equal(scan(ANY_VALUE, bytes, len), -EBADMSG);
    assert_int_equal(message_unpack(ANY_VALUE, bytes_make(bytes, len), &message), -EBADMSG);
    assert_null(message);
    free(bytes);
}

static void more_fields_than_the_limit_are_refused(void **state)
{
    /* Link.flags = 6, again and again; 7 is no field of Link and counts as well. */
    static const uint8_t fields[] = {0x35, 0, 0, 0, 0, 0x3d, 0, 0, 0, 0, 0x35, 0, 0, 0, 0};
    const ProtobufCMessageDescriptor *link =
        &opentelemetry__proto__trace__v1__span__link__descriptor;
    struct bytes b = bytes_make(fields, sizeof(fields));

    assert_int_equal(scan_message(link, b, &(struct scan_limits){1, 3}), 0);
    assert_int_equal(scan_message(link, b, &(struct scan_limits){1, 2}), -EBADMSG);
}

static void fields_within_fields_count_too(void **state)
{
    /* Two attributes (9) with a key (1) each: four fields. */
    static const uint8_t span[] = {0x4a, 3, 0x0a, 1, 'a', 0x4a, 3, 0x0a, 1, 'b'};
    struct bytes b = bytes_make(span, sizeof(span));

    assert_int_equal(scan_message(OTLP_SPAN_DESCRIPTOR, b, &(struct scan_limits){2, 4}), 0);
    assert_int_equal(scan_message(OTLP_SPAN_DESCRIPTOR, b, &(struct scan_limits){2, 3}), -EBADMSG);
}

static void torn_and_malformed_bytes_are_refused(void **state)
{
    static const struct {
        const char *what;
        uint8_t len;
        uint8_t bytes[16];
    } broken[] = {
        {"a length beyond the end", 3, {0x0a, 5, 'x'}},
        {"the largest length", 11, {0x0a, ONES_8, 0xff, 1}},
        {"a varint without an end", 12, {0x30, ONES_8, 0xff, 0xff, 1}},
        {"a varint cut short", 2, {0x30, 0xff}},
        {"a tag without value", 1, {0x0a}},
        {"a fixed64 cut short", 8, {0x39, 1, 2, 3, 4, 5, 6, 7}},
        {"a fixed32 cut short", 5, {0x85, 0x01, 1, 2, 3}},
        {"field number 0", 2, {0x00, 0}},
        {"a field number beyond 32 bits", 8, {0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0}},
        {"the start of a group", 1, {0x0b}},
        {"the end of a group", 1, {0x0c}},
        {"a wire type that is none", 1, {0x0e}},
        {"a number where text is due", 2, {0x28, 1}},
        {"text where a number is due", 3, {0x32, 1, 'x'}},
        {"an attribute that ends within its key", 5, {0x4a, 3, 0x0a, 9, 'a'}},
    };

    for (size_t i = 0; i < ELEMENTSOF(broken); i++)
        if (scan(OTLP_SPAN_DESCRIPTOR, broken[i].bytes, broken[i].len) != -EBADMSG)
            fail_msg("passed: %s", broken[i].what);
}

static void fields_of_later_versions_pass(void **state)
{
    /* Fields 100 to 103, one of each wire type. */
    static const uint8_t later[] = {0xa0, 0x06, 1, 0xa9, 0x06, 1, 2, 3, 4, 5, 6, 7, 8,
                                    0xb2, 0x06, 1, 'x', 0xbd, 0x06, 1, 2, 3, 4};

    assert_int_equal(scan(OTLP_SPAN_DESCRIPTOR, later, sizeof(later)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_encoded_span_passes),
        cmocka_unit_test(no_part_of_a_span_is_read_past_its_end),
        cmocka_unit_test(nesting_is_allowed_up_to_the_limit),
        cmocka_unit_test(nesting_that_would_overflow_the_stack_is_refused),
        cmocka_unit_test(more_fields_than_the_limit_are_refused),
        cmocka_unit_test(fields_within_fields_count_too),
        cmocka_unit_test(torn_and_malformed_bytes_are_refused),
        cmocka_unit_test(fields_of_later_versions_pass),
    };

    return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
