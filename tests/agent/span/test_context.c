/* SPDX-License-Identifier: Apache-2.0 */
#include "carrier.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define W3C "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#define W3C_TRACE "0af7651916cd43dd8448eb211c80319c"
#define W3C_SPAN "b7ad6b7169203331"
#define B3 "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1"
#define B3_TRACE "80f198ee56343ba864fe8b2a57d3eff7"
#define B3_SPAN "e457b5a2e4d86bd1"

/* One valid header of each format, from the worst to the best. */
static const struct {
    struct header headers[3];
    const char *span_id;
} formats[] = {
    {{{"grpc-trace-bin", "AAAKrwEFmAEjRWeJq83vEjRWAQEjRWeJq83vAgE="}}, "0123456789abcdef"},
    {{{"x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8"}},
     "53995c3f42cd8ad8"},
    {{{"sw8", "1-NTZhNWUxYzUxOWFlNGM3NmEyYjhiMTFkOTJjZWFkN2Y=-"
              "NTZhNWUxYzUxOWFlNGM3NmEyYjhiMTFkOTJjZWFkN2Y=-0-c2VydmljZQ==-aW5zdGFuY2U=-L2E="
              "-YjoxMA=="}},
     "f41d50d88b60e109"},
    {{{"x-datadog-trace-id", "1"}, {"x-datadog-parent-id", "2"}}, "0000000000000002"},
    {{{"uber-trace-id", "4bf92f3577b34da6a3ce929d0e0e4736:f067aa0ba902b7:0:1"}},
     "00f067aa0ba902b7"},
    {{{"x-b3-traceid", "463ac35c9f6413ad48485a3953bb6124"}, {"x-b3-spanid", "a2fb4a1d1a96d312"}},
     "a2fb4a1d1a96d312"},
    {{{"b3", B3}}, B3_SPAN},
    {{{"traceparent", W3C}}, W3C_SPAN},
};

static void precedence_does_not_hang_on_the_order_on_the_wire(void **state)
{
    struct header headers[3 * ELEMENTSOF(formats)] = {0};
    unsigned n = 0;

    for (size_t i = 0; i < ELEMENTSOF(formats); i++) {
        struct trace_context context;
        unsigned invalid;
        char hex[17];

        for (const struct header *h = formats[i].headers; h->name; h++)
            headers[n++] = *h;
        assert_true(read_headers(headers, &context, &invalid));
        assert_int_equal(invalid, 0);
        bytes_to_hex(bytes_make(context.span_id.bytes, 8), hex);
        assert_string_equal(hex, formats[i].span_id);
    }
}

static void an_invalid_context_is_counted_and_the_next_format_is_read(void **state)
{
    const struct header headers[] = {
        {"traceparent", "00-short"}, {"uber-trace-id", "nonsense"}, {"b3", B3}, {0}};
    struct trace_context context;
    unsigned invalid;

    assert_true(read_headers(headers, &context, &invalid));
    assert_int_equal(context.name, CONTEXT_B3);
    assert_int_equal(invalid, 1);
}

static void names_are_found_in_any_case_and_only_whole(void **state)
{
    assert_int_equal(context_name_of(BYTES_LITERAL("TraceParent")), CONTEXT_TRACEPARENT);
    assert_int_equal(context_name_of(BYTES_LITERAL("X-DATADOG-SAMPLING-PRIORITY")),
                     CONTEXT_DATADOG_PRIORITY);
    assert_int_equal(context_name_of(BYTES_LITERAL("Sw8")), CONTEXT_SKYWALKING);
    assert_int_equal(context_name_of(BYTES_LITERAL("trace-parent")), CONTEXT_NONE);
    assert_int_equal(context_name_of(BYTES_LITERAL("traceparen")), CONTEXT_NONE);
    assert_int_equal(context_name_of(BYTES_LITERAL("traceparent ")), CONTEXT_NONE);
    assert_int_equal(context_name_of(BYTES_LITERAL("")), CONTEXT_NONE);
    assert_int_equal(context_name_of(BYTES_LITERAL("a-name-longer-than-any-in-the-table")),
                     CONTEXT_NONE);
}

/* Every name of the table is found, so its length and its first letter are in the indexes. */
static void every_name_is_found(void **state)
{
    static const char *const names[] = {
        "b3", "sw8", "baggage", "tracestate", "x-b3-flags", "traceparent", "x-b3-spanid",
        "x-b3-traceid", "x-b3-sampled", "uber-trace-id", "grpc-trace-bin", "x-datadog-tags",
        "x-amzn-trace-id", "x-datadog-trace-id", "x-datadog-parent-id",
        "x-datadog-sampling-priority",
    };
    uint32_t found = 0;

    for (size_t i = 0; i < ELEMENTSOF(names); i++) {
        found |= UINT32_C(1) << context_name_of(bytes_from_string(names[i]));
        assert_true(context_name_letters >> (names[i][0] & 31) & 1);
    }
    assert_int_equal(found, (UINT32_C(1) << CONTEXT_NAME_COUNT) - 2);
}

static void a_name_that_comes_twice_must_say_the_same(void **state)
{
    const struct header same[] = {{"b3", B3}, {"B3", " " B3}, {0}};
    const struct header other[] = {{"b3", B3}, {"b3", "0"}, {0}};
    const struct header halves[] = {{"x-b3-traceid", B3_TRACE}, {"x-b3-spanid", B3_SPAN},
                                    {"x-b3-spanid", W3C_SPAN}, {0}};
    struct trace_context context;
    unsigned invalid;

    assert_all_give(same, B3_TRACE, B3_SPAN, 1);
    assert_false(read_headers(other, &context, &invalid));
    assert_int_equal(invalid, 1);
    assert_false(read_headers(halves, &context, &invalid));
    assert_int_equal(invalid, 1);
}

static void without_any_name_there_is_nothing(void **state)
{
    const struct header headers[] = {{"host", "shop"}, {"tracestate", "a=1"}, {"baggage", "b=2"},
                                     {0}};
    struct trace_context context;
    unsigned invalid;

    assert_false(read_headers(headers, &context, &invalid));
    assert_int_equal(invalid, 0);
}

/* A valid value of each format, cut anywhere and damaged anywhere, does no harm. */
static void damaged_values_are_harmless(void **state)
{
    for (size_t i = 0; i < ELEMENTSOF(formats); i++)
        for (size_t len = 0; len <= strlen(formats[i].headers[0].value); len++)
            for (unsigned c = 0; c < 256; c += 5) {
                char *value = strndup(formats[i].headers[0].value, len);
                struct header headers[3] = {{formats[i].headers[0].name, value},
                                            formats[i].headers[1]};
                struct trace_context context;
                unsigned invalid;

                assert_non_null(value);
                if (len)
                    value[len / 2] = (char)(c ? c : 1);
                if (read_headers(headers, &context, &invalid)) {
                    assert_false(trace_id_is_zero(&context.trace_id));
                    assert_false(span_id_is_zero(&context.span_id));
                }
                free(value);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(precedence_does_not_hang_on_the_order_on_the_wire),
        cmocka_unit_test(an_invalid_context_is_counted_and_the_next_format_is_read),
        cmocka_unit_test(names_are_found_in_any_case_and_only_whole),
        cmocka_unit_test(every_name_is_found),
        cmocka_unit_test(a_name_that_comes_twice_must_say_the_same),
        cmocka_unit_test(without_any_name_there_is_nothing),
        cmocka_unit_test(damaged_values_are_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
