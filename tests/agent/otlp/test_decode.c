/* SPDX-License-Identifier: Apache-2.0 */
/* Spans from a batch, against the spans that went in. */
#include "base/macro.h"
#include "samples.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

DEFINE_CLEANUP(struct batch, batch_unref)

static void assert_same_text(struct bytes a, struct bytes b)
{
    assert_true(bytes_equal(a, b));
}

/* The third item of the sample is not UTF-8. */
static void assert_same_texts(const struct attribute *a, const struct attribute *b)
{
    assert_int_equal(a->texts.n, b->texts.n);
    for (size_t i = 0; i < a->texts.n; i++)
        assert_same_text(a->texts.items[i],
                         i == 2 ? BYTES_LITERAL("\xef\xbf\xbd") : b->texts.items[i]);
}

static void assert_same_attribute(const struct attribute *a, const struct attribute *b)
{
    assert_same_text(a->key, b->key);
    assert_int_equal(a->type, b->type);
    if (a->type == ATTRIBUTE_TEXT)
        assert_same_text(a->text, b->text);
    else if (a->type == ATTRIBUTE_BOOLEAN)
        assert_int_equal(a->boolean, b->boolean);
    else if (a->type == ATTRIBUTE_TEXTS)
        assert_same_texts(a, b);
    else
        assert_memory_equal(&a->integer, &b->integer, sizeof(a->integer));
}

static void check_full_span(const struct span *span)
{
    struct span expected;

    sample_full_span(&expected);
    assert_memory_equal(&span->trace_id, &expected.trace_id, sizeof(expected.trace_id));
    assert_true(span_id_equal(&span->span_id, &expected.span_id));
    assert_true(span_id_equal(&span->parent_span_id, &expected.parent_span_id));
    assert_same_text(span->trace_state, expected.trace_state);
    assert_int_equal(span->flags, expected.flags);
    assert_int_equal(span->kind, expected.kind);
    assert_same_text(span->name, BYTES_LITERAL("GET /caf\xc3\xa9/\xef\xbf\xbd"));
    assert_true(span->start_ns == expected.start_ns && span->end_ns == expected.end_ns);
    assert_int_equal(span->status, expected.status);
    assert_same_text(span->status_message, BYTES_LITERAL("broken \xef\xbf\xbd pipe"));
    assert_int_equal(span->dropped_attributes, expected.dropped_attributes);
    assert_int_equal(span->n_links, 1);
    assert_memory_equal(&span->links[0], &expected.links[0], sizeof(expected.links[0]));
    /* And one that tells of the text that was repaired. */
    assert_int_equal(span->n_attributes, expected.n_attributes + 1);
    for (unsigned i = 0; i < expected.n_attributes; i++)
        assert_same_attribute(&span->attributes[i], &expected.attributes[i]);
}

/* The sample batch: shop's full span, shop's bare one, cart's bare one. */
static void check_sample(void *arg, const struct attribute *resource, size_t n_resource,
                         const struct span *span)
{
    unsigned *calls = arg;

    assert_same_text(resource[0].key, BYTES_LITERAL("service.name"));
    if (*calls < 2) {
        assert_int_equal(n_resource, 2);
        assert_same_text(resource[0].text, BYTES_LITERAL("shop"));
        assert_int_equal(resource[1].integer, 4711);
    } else {
        assert_int_equal(n_resource, 1);
        assert_same_text(resource[0].text, BYTES_LITERAL("cart"));
    }
    if (*calls == 0) {
        check_full_span(span);
    } else {
        assert_same_text(span->name, BYTES_LITERAL("GET"));
        assert_true(span_id_is_zero(&span->parent_span_id));
        assert_int_equal(span->n_attributes, 0);
    }
    ++*calls;
}

static void count_call(void *arg, const struct attribute *resource, size_t n_resource,
                       const struct span *span)
{
    ++*(unsigned *)arg;
}

static void every_span_comes_back_with_its_resource(void **state)
{
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch();
    unsigned calls = 0;

    assert_int_equal(otlp_decode_batch(batch, check_sample, &calls), 0);
    assert_int_equal(calls, 3);
}

/* A batch of one span of these bytes, and how its decoding ends. */
static int decode_bytes(struct bytes resource, struct bytes span)
{
    struct batch_group group = {.origin.resource = resource, .spans = &span, .n_spans = 1};
    struct batch batch = {.groups = &group, .n_groups = 1, .n_spans = 1};
    unsigned calls = 0;
    int r = otlp_decode_batch(&batch, count_call, &calls);

    assert_int_equal(calls, r == 0 ? 1 : 0);
    return r;
}

#define IDS                                                                                        \
    "\x0a\x10" "0123456789abcdef" "\x12\x08" "01234567"

static void the_least_a_span_needs_is_its_ids(void **state)
{
    assert_int_equal(decode_bytes(BYTES_NULL, BYTES_LITERAL(IDS)), 0);
    assert_int_equal(decode_bytes(BYTES_NULL, BYTES_NULL), -EBADMSG);
}

static void ids_of_other_lengths_are_refused(void **state)
{
    assert_int_equal(decode_bytes(BYTES_NULL, BYTES_LITERAL("\x0a\x10" "0123456789abcdef"
                                                            "\x12\x07" "0123456")), -EBADMSG);
    assert_int_equal(decode_bytes(BYTES_NULL, BYTES_LITERAL(IDS "\x22\x01" "0")), -EBADMSG);
}

static void take_copy(void *arg, const struct attribute *resource, size_t n_resource,
                      const struct span *span)
{
    *(struct span *)arg = *span;
}

/* Strings in it are gone; numbers are there. */
static void decode_to_span(struct bytes bytes, struct span *ret_span)
{
    struct batch_group group = {.spans = &bytes, .n_spans = 1};
    struct batch batch = {.groups = &group, .n_groups = 1, .n_spans = 1};

    assert_int_equal(otlp_decode_batch(&batch, take_copy, ret_span), 0);
}

static void what_a_span_cannot_hold_is_left_out_and_counted(void **state)
{
    _cleanup_(buffer_done) struct buffer many = buffer_make(4096);
    struct span span;

    /* An attribute without value, one with a list of numbers, and a link without ids. */
    decode_to_span(BYTES_LITERAL(IDS "\x4a\x03\x0a\x01k"), &span);
    assert_int_equal(span.n_attributes, 0);
    assert_int_equal(span.dropped_attributes, 1);
    decode_to_span(BYTES_LITERAL(IDS "\x4a\x0b\x0a\x01k\x12\x06\x2a\x04\x0a\x02\x10\x01"), &span);
    assert_int_equal(span.dropped_attributes, 1);
    decode_to_span(BYTES_LITERAL(IDS "\x6a\x00"), &span);
    assert_int_equal(span.n_links, 0);
    /* More attributes than the table has places. */
    buffer_append_bytes(&many, BYTES_LITERAL(IDS));
    for (unsigned i = 0; i <= SPAN_ATTRIBUTES_MAX; i++)
        buffer_append_bytes(&many, BYTES_LITERAL("\x4a\x07\x0a\x01k\x12\x02\x10\x01"));
    decode_to_span(buffer_bytes(&many), &span);
    assert_int_equal(span.n_attributes, SPAN_ATTRIBUTES_MAX);
    assert_int_equal(span.dropped_attributes, 1);
}

static void torn_bytes_are_refused(void **state)
{
    assert_int_equal(decode_bytes(BYTES_LITERAL("\x0a\x05"), BYTES_LITERAL(IDS)), -EBADMSG);
    assert_int_equal(decode_bytes(BYTES_NULL, BYTES_LITERAL(IDS "\x2a\x05" "GET")), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_span_comes_back_with_its_resource),
        cmocka_unit_test(the_least_a_span_needs_is_its_ids),
        cmocka_unit_test(ids_of_other_lengths_are_refused),
        cmocka_unit_test(what_a_span_cannot_hold_is_left_out_and_counted),
        cmocka_unit_test(torn_bytes_are_refused),
    };

    return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
