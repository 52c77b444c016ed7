/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/kafka/partition.h"

#include "sample.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct seen {
    size_t n;
    uint8_t ids[8];
    size_t spans[8], groups[8];
    int answer; /* of each call */
};

static int take_part(void *arg, const struct trace_id *id, const struct batch *part)
{
    struct seen *seen = arg;
    size_t n = 0, bytes = 0;

    for (size_t i = 0; i < part->n_groups; i++) {
        bytes += part->groups[i].origin.resource.len;
        n += part->groups[i].n_spans;
        for (size_t j = 0; j < part->groups[i].n_spans; j++) {
            bytes += part->groups[i].spans[j].len;
            assert_memory_equal(part->groups[i].spans[j].ptr + 2, id, sizeof(*id));
        }
    }
    assert_int_equal(part->n_spans, n);
    assert_int_equal(part->n_bytes, bytes);
    seen->ids[seen->n] = id->bytes[0];
    seen->spans[seen->n] = n;
    seen->groups[seen->n++] = part->n_groups;
    return seen->answer;
}

static struct batch *mixed(void)
{
    static const struct sample samples[] = {
        {.service = "shop", .trace = 2, .id = 1, .name = "a"},
        {.service = "shop", .trace = 1, .id = 2, .name = "b"},
        {.service = "stock", .trace = 2, .id = 3, .name = "c"},
        {.service = "shop", .trace = 2, .id = 4, .name = "d"},
        {.service = "stock", .trace = 3, .id = 5, .name = "e"},
    };

    return sample_batch(samples, ELEMENTSOF(samples));
}

static void each_trace_is_one_part_under_its_resources(void **state)
{
    _cleanup_(batch_unrefp) struct batch *batch = mixed();
    struct seen seen = {0};

    assert_int_equal(partition_by_trace(batch, take_part, &seen), 0);
    assert_int_equal(seen.n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(seen.ids[i], i + 1);
        assert_int_equal(seen.spans[i], ((const size_t[]){1, 3, 1})[i]);
        assert_int_equal(seen.groups[i], ((const size_t[]){1, 2, 1})[i]);
    }
}

static void the_first_error_ends_it(void **state)
{
    _cleanup_(batch_unrefp) struct batch *batch = mixed();
    struct seen seen = {.answer = -EMSGSIZE};

    assert_int_equal(partition_by_trace(batch, take_part, &seen), -EMSGSIZE);
    assert_int_equal(seen.n, 1);
}

static void an_empty_batch_has_no_parts(void **state)
{
    const struct batch batch = {0};
    struct seen seen = {0};

    assert_int_equal(partition_by_trace(&batch, take_part, &seen), 0);
    assert_int_equal(seen.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_trace_is_one_part_under_its_resources),
        cmocka_unit_test(the_first_error_ends_it),
        cmocka_unit_test(an_empty_batch_has_no_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
