/* SPDX-License-Identifier: Apache-2.0 */
#include "events/flow_event.h"

#include "base/macro.h"
#include "span/semconv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static uint8_t text[4096];

static void set(struct flow_event *event, const char *name, const char *value)
{
    flow_event_set(event, &(struct attribute){.key = bytes_from_string(name),
                                              .text = bytes_from_string(value)});
}

static struct flow_event shipped(void)
{
    struct flow_event event = {0};

    set(&event, "specversion", "1.0");
    set(&event, "type", "order.shipped");
    set(&event, "source", "/shop");
    set(&event, "id", "17");
    return event;
}

static void make(const struct flow_event *event, struct span *ret_span)
{
    static struct arena arena;

    arena = arena_over(text, sizeof(text));
    flow_event_span(event, 7, 1, &arena, ret_span);
}

static void assert_attribute(const struct span *span, const char *key, const char *expected)
{
    const struct attribute *attribute = span_find(span, bytes_from_string(key));

    assert_non_null(attribute);
    assert_true(bytes_equal(attribute->text, bytes_from_string(expected)));
}

static void an_event_is_a_span_of_its_time_that_is_called_as_its_type(void **state)
{
    struct flow_event event = shipped();
    struct span span;

    set(&event, "subject", "4711");
    set(&event, "time", "2018-04-05T17:31:00Z");
    set(&event, "correlationid", "c-1");
    set(&event, "bamprocess", "checkout");
    set(&event, "secret", "x");
    make(&event, &span);
    assert_true(bytes_equal(span.name, BYTES_LITERAL("order.shipped")));
    assert_int_equal(span.kind, SPAN_KIND_INTERNAL);
    assert_int_equal(span.start_ns, UINT64_C(1522949460000000000));
    assert_int_equal(span.end_ns, span.start_ns);
    assert_attribute(&span, "cloudevents.event_id", "17");
    assert_attribute(&span, "cloudevents.event_source", "/shop");
    assert_attribute(&span, "cloudevents.event_type", "order.shipped");
    assert_attribute(&span, "cloudevents.event_subject", "4711");
    assert_attribute(&span, "cloudevents.correlationid", "c-1");
    assert_attribute(&span, "cloudevents.bamprocess", "checkout");
    assert_attribute(&span, "flowtrace.parent.evidence", "unknown");
    assert_null(span_find(&span, BYTES_LITERAL("cloudevents.secret")));
}

static void an_event_without_time_is_of_when_it_came(void **state)
{
    struct flow_event event = shipped();
    struct span span;

    make(&event, &span);
    assert_int_equal(span.start_ns, 7);
}

static void the_same_event_twice_is_the_same_span_and_another_is_another(void **state)
{
    struct flow_event event = shipped();
    struct span first, again, other;

    make(&event, &first);
    make(&event, &again);
    set(&event, "id", "18");
    make(&event, &other);
    assert_true(span_id_equal(&first.span_id, &again.span_id));
    assert_memory_equal(&first.trace_id, &again.trace_id, sizeof(first.trace_id));
    assert_false(span_id_equal(&first.span_id, &other.span_id));
    assert_memory_not_equal(&first.trace_id, &other.trace_id, sizeof(first.trace_id));
}

static void a_traceparent_makes_it_a_child_and_a_broken_one_does_not(void **state)
{
    struct flow_event event = shipped();
    struct span span;

    set(&event, "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    set(&event, "tracestate", "vendor=1");
    make(&event, &span);
    assert_memory_equal(&span.trace_id, "\x0a\xf7\x65\x19\x16\xcd\x43\xdd\x84\x48\xeb\x21\x1c\x80"
                                        "\x31\x9c", 16);
    assert_memory_equal(&span.parent_span_id, "\xb7\xad\x6b\x71\x69\x20\x33\x31", 8);
    assert_true(bytes_equal(span.trace_state, BYTES_LITERAL("vendor=1")));
    assert_attribute(&span, "flowtrace.parent.evidence", "header");
    set(&event, "traceparent", "00-0af7-b7ad-01");
    make(&event, &span);
    assert_true(span_id_is_zero(&span.parent_span_id));
    assert_attribute(&span, "flowtrace.parent.evidence", "unknown");
}

static void what_the_specification_requires_is_asked_for(void **state)
{
    static const char *const needed[] = {"specversion", "type", "source", "id"};
    struct flow_event_rules rules = {0};
    struct flow_event event = shipped();

    assert_null(flow_event_problem(&event, &rules));
    for (size_t i = 0; i < ELEMENTSOF(needed); i++) {
        event = shipped();
        set(&event, needed[i], "");
        assert_non_null(flow_event_problem(&event, &rules));
    }
    event = shipped();
    set(&event, "specversion", "0.3");
    assert_non_null(flow_event_problem(&event, &rules));
    event = shipped();
    set(&event, "time", "yesterday");
    assert_non_null(flow_event_problem(&event, &rules));
}

static void a_flood_of_extensions_is_bounded(void **state)
{
    struct flow_event event = shipped();
    struct span span;

    for (int i = 0; i < 1000; i++)
        set(&event, "bamx", "y");
    assert_int_equal(event.n_extensions, FLOW_EVENT_EXTENSIONS_MAX);
    make(&event, &span);
    assert_int_equal(span.dropped_attributes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_a_span_of_its_time_that_is_called_as_its_type),
        cmocka_unit_test(an_event_without_time_is_of_when_it_came),
        cmocka_unit_test(the_same_event_twice_is_the_same_span_and_another_is_another),
        cmocka_unit_test(a_traceparent_makes_it_a_child_and_a_broken_one_does_not),
        cmocka_unit_test(what_the_specification_requires_is_asked_for),
        cmocka_unit_test(a_flood_of_extensions_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
