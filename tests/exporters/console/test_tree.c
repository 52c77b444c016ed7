/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/console/tree.h"

#include "sample.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SPANS_MAX 5000

static struct forest forest;
static struct node *order[SPANS_MAX];

static int set_up(void **state)
{
    setenv("TZ", "UTC", 1);
    return forest_init(&forest, 1, SPANS_MAX);
}

static int tear_down(void **state)
{
    forest_done(&forest);
    return 0;
}

static void add(const struct sample *samples, size_t n)
{
    struct span span;

    for (size_t i = 0; i < n; i++) {
        sample_span(&samples[i], &span);
        assert_true(forest_add(&forest, bytes_from_string(samples[i].service), &span, 0));
    }
}

static void prints(size_t n_orphans, size_t max_lines, bool color, const char *wanted)
{
    _cleanup_(buffer_done) struct buffer out = buffer_make(1 << 20);
    struct held_trace *trace = forest_oldest(&forest);
    struct node *first;

    assert_int_equal(tree_link(trace, order, &first), n_orphans);
    tree_print(trace, first, max_lines, color, &out);
    buffer_append(&out, "", 1);
    assert_string_equal((const char *)out.ptr, wanted);
}

/* In the order in which they end, as they come. */
static const struct sample shop[] = {
    {"stock", 1, 3, 2, SPAN_KIND_SERVER, "GET /items", 3000, 13300, "wire", "500"},
    {"shop", 1, 2, 1, SPAN_KIND_CLIENT, "GET", 2000, 14100, "thread", "500"},
    {"shop", 1, 5, 1, SPAN_KIND_CLIENT, "GET", 20000, 23000, "thread", NULL},
    {"price", 1, 6, 5, SPAN_KIND_SERVER, "GET /price", 20500, 20900, "wire", NULL},
    {"shop", 1, 1, 0, SPAN_KIND_SERVER, "GET /cart", 0, 45200, NULL, NULL},
};

static void a_trace_is_a_tree_in_the_order_of_time(void **state)
{
    add(shop, ELEMENTSOF(shop));
    prints(0, 100, false,
           "22:13:20.000 trace 01010101010101010101010101010101, 5 spans, 45.2 ms\n"
           "shop server GET /cart  45.2 ms\n"
           "├─ shop client GET  12.1 ms ERROR 500 (thread)\n"
           "│  └─ stock server GET /items  10.3 ms ERROR 500 (wire)\n"
           "└─ shop client GET  3.00 ms (thread)\n"
           "   └─ price server GET /price  400 us (wire)\n"
           "\n");
}

static void color_dims_evidence_and_reddens_errors(void **state)
{
    add(shop, 1);
    prints(1, 100, true,
           "\033[2m22:13:20.003 trace 01010101010101010101010101010101, 1 span, 10.3 ms\033[0m\n"
           "stock server \033[1mGET /items\033[0m  10.3 ms \033[31mERROR 500\033[0m "
           "\033[2m(wire)\033[0m \033[2m[its parent 0202020202020202 was not seen]\033[0m\n"
           "\n");
}

static void a_child_without_its_parent_stands_at_the_top_with_a_note(void **state)
{
    add(shop, ELEMENTSOF(shop));
    add(&(struct sample){"mail", 1, 7, 9, SPAN_KIND_CONSUMER, "process mail", 50000, 1050000,
                         "header", NULL},
        1);
    prints(1, 100, false,
           "22:13:20.000 trace 01010101010101010101010101010101, 6 spans, 1.05 s\n"
           "shop server GET /cart  45.2 ms\n"
           "├─ shop client GET  12.1 ms ERROR 500 (thread)\n"
           "│  └─ stock server GET /items  10.3 ms ERROR 500 (wire)\n"
           "└─ shop client GET  3.00 ms (thread)\n"
           "   └─ price server GET /price  400 us (wire)\n"
           "mail consumer process mail  1.00 s (header) "
           "[its parent 0909090909090909 was not seen]\n"
           "\n");
}

static void a_long_trace_is_cut_and_says_so(void **state)
{
    add(shop, ELEMENTSOF(shop));
    prints(0, 1, false,
           "22:13:20.000 trace 01010101010101010101010101010101, 5 spans, 45.2 ms\n"
           "shop server GET /cart  45.2 ms\n"
           "... 4 more spans of this trace\n"
           "\n");
}

static void a_circle_of_parents_is_cut_open(void **state)
{
    static const struct sample circle[] = {
        {"a", 1, 1, 2, SPAN_KIND_INTERNAL, "x", 0, 1000, NULL, NULL},
        {"a", 1, 2, 1, SPAN_KIND_INTERNAL, "y", 0, 1000, NULL, NULL},
        {"a", 1, 3, 3, SPAN_KIND_INTERNAL, "z", 5, 1005, NULL, NULL},
    };

    add(circle, ELEMENTSOF(circle));
    prints(2, 100, false,
           "22:13:20.000 trace 01010101010101010101010101010101, 3 spans, 1.00 ms\n"
           "a internal y  1.00 ms [its parent 0101010101010101 was not seen]\n"
           "└─ a internal x  1.00 ms\n"
           "a internal z  1.00 ms [its parent 0303030303030303 was not seen]\n"
           "\n");
}

/* Every span is printed exactly once, however long the chain is. */
static void a_chain_as_long_as_the_trace_is_printed_whole(void **state)
{
    _cleanup_(buffer_done) struct buffer out = buffer_make(1 << 22);
    struct sample sample = {.service = "a", .trace = 1, .name = "n"};
    struct node *first;
    struct span span;
    size_t lines = 0;

    for (uint32_t i = 0; i < SPANS_MAX; i++) {
        uint32_t id = i + 1;

        sample_span(&sample, &span);
        memcpy(span.span_id.bytes, &id, sizeof(id));
        memcpy(span.parent_span_id.bytes, &i, sizeof(i));
        assert_true(forest_add(&forest, BYTES_LITERAL("a"), &span, 0));
    }
    tree_link(forest_oldest(&forest), order, &first);
    tree_print(forest_oldest(&forest), first, SIZE_MAX, false, &out);
    assert_false(out.failed);
    for (size_t i = 0; i < out.len; i++)
        lines += out.ptr[i] == '\n';
    assert_int_equal(lines, SPANS_MAX + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_trace_is_a_tree_in_the_order_of_time, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(color_dims_evidence_and_reddens_errors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_child_without_its_parent_stands_at_the_top_with_a_note,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_trace_is_cut_and_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_circle_of_parents_is_cut_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_chain_as_long_as_the_trace_is_printed_whole, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
