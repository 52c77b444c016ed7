/* SPDX-License-Identifier: Apache-2.0 */
/* Grouping, bounds and shared ownership of batches. */
#include "otlp/batch.h"

#include "base/macro.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct batch_builder *builder_of(size_t max_spans, size_t max_bytes)
{
    struct batch_builder *builder;

    assert_int_equal(batch_builder_new(max_spans, max_bytes, &builder), 0);
    return builder;
}

static int add(struct batch_builder *builder, uint64_t key, const char *resource, const char *span)
{
    struct batch_origin origin = {.resource = bytes_from_string(resource)};

    return batch_builder_add(builder, key, &origin, bytes_from_string(span));
}

static struct batch *seal(struct batch_builder *builder)
{
    struct batch *batch;

    assert_int_equal(batch_builder_seal(builder, &batch), 0);
    return batch;
}

static void assert_bytes(struct bytes b, const char *expected)
{
    assert_int_equal(b.len, strlen(expected));
    assert_memory_equal(b.ptr, expected, b.len);
}

static void spans_are_grouped_by_resource_in_their_order(void **state)
{
    struct batch_builder *builder = builder_of(8, 100);
    struct batch *batch;

    assert_int_equal(add(builder, 1, "A", "a1"), 0);
    assert_int_equal(add(builder, 2, "B", "b1"), 0);
    assert_int_equal(add(builder, 1, "A", "a2"), 0);
    assert_int_equal(add(builder, 3, "", "c1"), 0);
    assert_int_equal(add(builder, 2, "B", "b22"), 0);
    assert_int_equal(batch_builder_count(builder), 5);
    batch = seal(builder);
    assert_int_equal(batch->n_groups, 3);
    assert_int_equal(batch->n_spans, 5);
    assert_int_equal(batch->n_bytes, 13);
    assert_bytes(batch->groups[0].origin.resource, "A");
    assert_int_equal(batch->groups[0].n_spans, 2);
    assert_bytes(batch->groups[0].spans[0], "a1");
    assert_bytes(batch->groups[0].spans[1], "a2");
    assert_bytes(batch->groups[1].origin.resource, "B");
    assert_int_equal(batch->groups[1].n_spans, 2);
    assert_bytes(batch->groups[1].spans[0], "b1");
    assert_bytes(batch->groups[1].spans[1], "b22");
    assert_int_equal(batch->groups[2].origin.resource.len, 0);
    assert_bytes(batch->groups[2].spans[0], "c1");
    batch_unref(batch);
    batch_builder_free(builder);
}

static void the_first_resource_of_a_key_stands_for_all(void **state)
{
    struct batch_builder *builder = builder_of(8, 100);
    struct batch *batch;

    assert_int_equal(add(builder, 1, "first", "1"), 0);
    assert_int_equal(add(builder, 1, "second", "2"), 0);
    batch = seal(builder);
    assert_int_equal(batch->n_groups, 1);
    assert_bytes(batch->groups[0].origin.resource, "first");
    batch_unref(batch);
    batch_builder_free(builder);
}

static void a_batch_holds_no_more_spans_than_allowed(void **state)
{
    struct batch_builder *builder = builder_of(2, 100);

    assert_int_equal(add(builder, 1, "A", "1"), 0);
    assert_int_equal(add(builder, 1, "A", "2"), 0);
    assert_int_equal(add(builder, 1, "A", "3"), -ENOBUFS);
    assert_int_equal(batch_builder_count(builder), 2);
    batch_unref(seal(builder));
    assert_int_equal(add(builder, 1, "A", "3"), 0);
    batch_builder_free(builder);
}

static void a_batch_holds_no_more_bytes_than_allowed(void **state)
{
    struct batch_builder *builder = builder_of(10, 10);
    struct batch *batch;

    assert_int_equal(add(builder, 1, "AAAA", "111"), 0);
    assert_int_equal(add(builder, 2, "B", "222"), -ENOBUFS);
    /* The resource is there already, so three bytes suffice. */
    assert_int_equal(add(builder, 1, "AAAA", "222"), 0);
    assert_int_equal(add(builder, 1, "AAAA", "3"), -ENOBUFS);
    batch = seal(builder);
    assert_int_equal(batch->n_bytes, 10);
    assert_int_equal(batch->n_groups, 1);
    batch_unref(batch);
    batch_builder_free(builder);
}

static void what_no_batch_can_hold_is_refused_for_good(void **state)
{
    struct batch_builder *builder = builder_of(10, 10);

    assert_int_equal(add(builder, 1, "AAAA", "1234567"), -E2BIG);
    assert_int_equal(add(builder, 1, "", "12345678901"), -E2BIG);
    assert_int_equal(add(builder, 1, "12345678901", ""), -E2BIG);
    assert_int_equal(add(builder, 1, "AAAA", "123456"), 0);
    /* Too large even though the resource is there: the next batch starts without it. */
    assert_int_equal(add(builder, 1, "AAAA", "1234567"), -E2BIG);
    assert_int_equal(batch_builder_count(builder), 1);
    batch_builder_free(builder);
}

static void a_builder_starts_anew_after_each_seal(void **state)
{
    struct batch_builder *builder = builder_of(4, 64);
    char span[16];

    for (unsigned i = 0; i < 100; i++) {
        struct batch *batch;

        snprintf(span, sizeof(span), "%u", i);
        assert_int_equal(add(builder, i % 3, "A", span), 0);
        assert_int_equal(add(builder, 7, "B", "x"), 0);
        batch = seal(builder);
        assert_int_equal(batch_builder_count(builder), 0);
        assert_int_equal(batch->n_groups, 2);
        assert_bytes(batch->groups[0].spans[0], span);
        batch_unref(batch);
    }
    batch_builder_free(builder);
}

static void an_empty_batch_can_be_sealed(void **state)
{
    struct batch_builder *builder = builder_of(1, 1);
    struct batch *batch = seal(builder);

    assert_int_equal(batch->n_groups, 0);
    assert_int_equal(batch->n_spans, 0);
    assert_int_equal(batch->n_bytes, 0);
    batch_unref(batch);
    batch_builder_free(builder);
}

static void a_batch_outlives_its_builder_until_the_last_reference(void **state)
{
    struct batch_builder *builder = builder_of(4, 64);
    struct batch *batch;

    assert_int_equal(add(builder, 1, "A", "span"), 0);
    batch = seal(builder);
    batch_builder_free(builder);
    assert_int_equal(batch->references, 1);
    assert_ptr_equal(batch_ref(batch), batch);
    assert_int_equal(batch->references, 2);
    batch_unref(batch);
    assert_bytes(batch->groups[0].spans[0], "span");
    batch_unref(batch);
    batch_unref(NULL);
    batch_builder_free(NULL);
}

static void *ref_and_unref(void *arg)
{
    struct batch *batch = arg;

    for (unsigned i = 0; i < 20000; i++)
        batch_unref(batch_ref(batch));
    batch_unref(batch);
    return NULL;
}

static void references_are_counted_across_threads(void **state)
{
    struct batch_builder *builder = builder_of(4, 64);
    pthread_t threads[4];
    struct batch *batch;

    assert_int_equal(add(builder, 1, "A", "span"), 0);
    batch = seal(builder);
    batch_builder_free(builder);
    for (size_t i = 0; i < ELEMENTSOF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ref_and_unref, batch_ref(batch)), 0);
    for (size_t i = 0; i < ELEMENTSOF(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(batch->references, 1);
    batch_unref(batch);
}

/* a1 a2 | b1 b2: every part of it, and all parts together are the whole. */
static void a_slice_holds_its_spans_under_their_resources(void **state)
{
    struct batch_builder *builder = builder_of(8, 100);
    struct batch *batch, *slice;

    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(add(builder, i / 2, i < 2 ? "A" : "B",
                             ((const char *const[]){"a1", "a22", "b1", "b2"})[i]), 0);
    batch = seal(builder);
    batch_builder_free(builder);
    assert_int_equal(batch_slice(batch, 1, 2, &slice), 0);
    assert_int_equal(slice->n_groups, 2);
    assert_int_equal(slice->n_spans, 2);
    assert_int_equal(slice->n_bytes, 7);
    assert_bytes(slice->groups[0].origin.resource, "A");
    assert_bytes(slice->groups[0].spans[0], "a22");
    assert_bytes(slice->groups[1].spans[0], "b1");
    batch_unref(slice);
    assert_int_equal(batch_slice(batch, 3, 1, &slice), 0);
    assert_int_equal(slice->n_groups, 1);
    assert_bytes(slice->groups[0].origin.resource, "B");
    assert_bytes(slice->groups[0].spans[0], "b2");
    batch_unref(slice);
    batch_unref(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_grouped_by_resource_in_their_order),
        cmocka_unit_test(the_first_resource_of_a_key_stands_for_all),
        cmocka_unit_test(a_batch_holds_no_more_spans_than_allowed),
        cmocka_unit_test(a_batch_holds_no_more_bytes_than_allowed),
        cmocka_unit_test(what_no_batch_can_hold_is_refused_for_good),
        cmocka_unit_test(a_builder_starts_anew_after_each_seal),
        cmocka_unit_test(an_empty_batch_can_be_sealed),
        cmocka_unit_test(a_batch_outlives_its_builder_until_the_last_reference),
        cmocka_unit_test(a_slice_holds_its_spans_under_their_resources),
        cmocka_unit_test(references_are_counted_across_threads),
    };

    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
