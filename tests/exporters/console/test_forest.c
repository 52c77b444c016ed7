/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/console/forest.h"

#include "sample.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct forest forest;

static int set_up(void **state)
{
    return forest_init(&forest, 3, 6);
}

static int tear_down(void **state)
{
    forest_done(&forest);
    return 0;
}

static bool add(uint8_t trace, uint8_t id, uint64_t now_ns)
{
    struct sample sample = {.trace = trace, .id = id, .parent = 0, .name = "GET"};
    struct span span;

    sample_span(&sample, &span);
    return forest_add(&forest, BYTES_LITERAL("shop"), &span, now_ns);
}

static void spans_of_one_trace_are_kept_together(void **state)
{
    struct held_trace *trace;

    assert_true(add(1, 1, 10));
    assert_true(add(2, 2, 20));
    assert_true(add(1, 3, 30));
    trace = forest_oldest(&forest);
    assert_int_equal(trace->id.bytes[0], 2);
    assert_int_equal(trace->n_spans, 1);
    trace = forest_after(&forest, trace);
    assert_int_equal(trace->id.bytes[0], 1);
    assert_int_equal(trace->n_spans, 2);
    assert_int_equal(trace->touched_ns, 30);
    assert_null(forest_after(&forest, trace));
}

static void a_full_forest_refuses_until_a_trace_is_given_back(void **state)
{
    assert_true(add(1, 1, 1));
    assert_true(add(2, 1, 2));
    assert_true(add(3, 1, 3));
    assert_false(add(4, 1, 4));
    assert_true(add(3, 2, 4));
    assert_true(add(3, 3, 4));
    assert_true(add(3, 4, 4));
    assert_false(add(3, 5, 4));
    forest_give(&forest, forest_oldest(&forest));
    assert_true(add(4, 1, 5));
    assert_int_equal(forest_oldest(&forest)->id.bytes[0], 2);
}

static void traces_whose_ids_end_alike_are_told_apart(void **state)
{
    struct sample sample = {.trace = 1, .id = 1, .name = "GET"};
    struct span span;

    sample_span(&sample, &span);
    assert_true(forest_add(&forest, BYTES_NULL, &span, 1));
    span.trace_id.bytes[0] = 9;
    assert_true(forest_add(&forest, BYTES_NULL, &span, 2));
    assert_int_equal(forest_oldest(&forest)->n_spans, 1);
}

static void texts_are_cut_between_characters_and_cannot_steer_a_terminal(void **state)
{
    static const char long_name[NODE_NAME_MAX + 8] = {[0 ... NODE_NAME_MAX - 3] = 'a',
                                                      (char)0xe2, (char)0x82, (char)0xac};
    struct sample sample = {.trace = 1, .id = 1, .name = "a\033[2Jb\177\302\233c\303\251"};
    struct span span;

    sample_span(&sample, &span);
    assert_true(forest_add(&forest, BYTES_NULL, &span, 1));
    assert_string_equal(forest_oldest(&forest)->nodes->name, "a?[2Jb???c\303\251");
    span.name = bytes_from_string(long_name);
    assert_true(forest_add(&forest, BYTES_NULL, &span, 1));
    assert_int_equal(strlen(forest_oldest(&forest)->nodes->name), NODE_NAME_MAX - 2);
}

static void a_span_without_an_error_shows_its_result_code(void **state)
{
    struct sample sample = {.trace = 1, .id = 1, .name = "GET"};
    struct span span;

    sample_span(&sample, &span);
    span_add_integer(&span, BYTES_LITERAL("http.response.status_code"), 204);
    assert_true(forest_add(&forest, BYTES_LITERAL("shop"), &span, 0));
    assert_string_equal(forest_oldest(&forest)->nodes->outcome, "204");
    sample.trace = 2;
    sample.error = "timeout";
    sample_span(&sample, &span);
    span_add_text(&span, BYTES_LITERAL("db.response.status_code"), BYTES_LITERAL("57014"));
    assert_true(forest_add(&forest, BYTES_LITERAL("shop"), &span, 0));
    assert_string_equal(forest_after(&forest, forest_oldest(&forest))->nodes->outcome, "timeout");
}

static void invisible_formatting_is_shown(void **state)
{
    struct sample sample = {.trace = 1, .id = 1,
                            .name = "a\342\200\256b\342\200\213c\342\201\246d\342\202\254"};
    struct span span;

    sample_span(&sample, &span);
    assert_true(forest_add(&forest, BYTES_LITERAL("shop"), &span, 0));
    assert_string_equal(forest_oldest(&forest)->nodes->name, "a???b???c???d\342\202\254");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(spans_of_one_trace_are_kept_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_forest_refuses_until_a_trace_is_given_back, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(traces_whose_ids_end_alike_are_told_apart, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            texts_are_cut_between_characters_and_cannot_steer_a_terminal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_span_without_an_error_shows_its_result_code, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(invisible_formatting_is_shown, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
