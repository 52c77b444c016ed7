/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/http1/header.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void assert_text(struct bytes found, const char *expected)
{
    assert_non_null(found.ptr);
    assert_int_equal(found.len, strlen(expected));
    assert_memory_equal(found.ptr, expected, found.len);
}

static struct http1_headers read_whole(const char *text)
{
    struct http1_headers headers;

    assert_true(headers_read(bytes_from_string(text), 0, &headers));
    assert_int_equal(headers.len, strlen(text));
    return headers;
}

static void each_known_header_is_kept_whatever_its_case(void **state)
{
    struct http1_headers headers = read_whole(
        "HOST: shop\r\nuser-agent:\tcurl \r\nTraceParent:00-1\r\nTRACESTATE: a=1\r\n"
        "Transfer-Encoding: chunked\r\ncontent-LENGTH: 12\r\n\r\n");

    assert_text(headers.host, "shop");
    assert_text(headers.user_agent, "curl");
    assert_int_equal(headers.n_contexts, 2);
    assert_int_equal(headers.contexts[0].id, CONTEXT_TRACEPARENT);
    assert_text(headers.contexts[0].value, "00-1");
    assert_int_equal(headers.contexts[1].id, CONTEXT_TRACESTATE);
    assert_text(headers.contexts[1].value, "a=1");
    assert_text(headers.transfer_encoding, "chunked");
    assert_text(headers.content_length, "12");
    assert_int_equal(headers.length, 12);
}

static void other_lines_are_passed_over(void **state)
{
    struct http1_headers headers = read_whole(
        "Hos: a\r\nHostt: b\r\nXHost: c\r\nno colon here\r\n: empty\r\nhost\r\nCookie: Host: d\r\n"
        " Host: folded\r\n\r\n");

    assert_null(headers.host.ptr);
}

static void no_header_at_all_is_fine(void **state)
{
    struct http1_headers headers = read_whole("\r\n");

    assert_null(headers.host.ptr);
    assert_int_equal(headers.length_state, LENGTH_NONE);
    read_whole("\n");
}

static void of_repeated_headers_the_rule_of_the_name_decides(void **state)
{
    struct http1_headers headers = read_whole(
        "Host: first\r\nHost: second\r\nTransfer-Encoding: gzip\r\n"
        "Transfer-Encoding: chunked\r\n\r\n");

    assert_text(headers.host, "first");
    assert_text(headers.transfer_encoding, "chunked");
}

static void append(char *text, unsigned n, const char *line)
{
    while (n-- > 0)
        strcat(text, line);
}

static void no_list_crowds_out_another_context(void **state)
{
    static const struct {
        unsigned n_baggage, n_tracestate;
        bool has_baggage, has_tracestate;
    } cases[] = {
        {1, 1, true, true},    {14, 1, true, true},   {1, 13, true, true},   {15, 1, false, true},
        {40, 1, false, true},  {1, 40, true, false},  {40, 40, false, false}, {8, 8, true, false},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        char text[4096] = "traceparent: 00-1\r\n";
        unsigned n[CONTEXT_NAME_COUNT] = {0}, n_bytes[CONTEXT_NAME_COUNT] = {0};
        struct http1_headers headers;

        append(text, cases[i].n_baggage, "baggage: a=1\r\n");
        append(text, cases[i].n_tracestate, "tracestate: b=2\r\n");
        append(text, 1, "traceparent: 00-2\r\n\r\n");
        headers = read_whole(text);
        for (unsigned j = 0; j < headers.n_contexts; j++) {
            n[headers.contexts[j].id]++;
            n_bytes[headers.contexts[j].id] += (unsigned)headers.contexts[j].value.len;
        }
        assert_int_equal(n[CONTEXT_TRACEPARENT], 2);
        assert_int_equal(n[CONTEXT_BAGGAGE], cases[i].has_baggage ? cases[i].n_baggage : 1);
        assert_int_equal(n[CONTEXT_TRACESTATE],
                         cases[i].has_tracestate ? cases[i].n_tracestate : 1);
        assert_int_equal(n_bytes[CONTEXT_BAGGAGE],
                         cases[i].has_baggage ? 3 * cases[i].n_baggage : 1);
        assert_int_equal(n_bytes[CONTEXT_TRACESTATE],
                         cases[i].has_tracestate ? 3 * cases[i].n_tracestate : 1);
    }
}

static void of_a_repeated_context_the_first_and_one_that_differs_are_kept(void **state)
{
    struct http1_headers headers = read_whole(
        "traceparent: 00-1\r\ntraceparent: 00-1\r\ntraceparent: 00-2\r\ntraceparent: 00-3\r\n"
        "\r\n");

    assert_int_equal(headers.n_contexts, 2);
    assert_text(headers.contexts[0].value, "00-1");
    assert_text(headers.contexts[1].value, "00-2");
}

static void one_context_of_each_name_always_fits(void **state)
{
    static const char *const names[] = {
        "tracestate", "baggage", "traceparent", "b3", "x-b3-traceid", "x-b3-spanid",
        "x-b3-sampled", "x-b3-flags", "uber-trace-id", "x-datadog-trace-id",
        "x-datadog-parent-id", "x-datadog-sampling-priority", "x-datadog-tags", "sw8",
        "x-amzn-trace-id", "grpc-trace-bin",
    };
    char text[4096] = "";
    struct http1_headers headers;
    uint32_t seen = 0;

    assert_int_equal(ELEMENTSOF(names), CONTEXT_NAME_COUNT - 1);
    for (size_t i = 0; i < ELEMENTSOF(names); i++)
        for (unsigned j = 0; j < 3; j++)
            sprintf(text + strlen(text), "%s: %u\r\n", names[i], j);
    strcat(text, "\r\n");
    headers = read_whole(text);
    for (unsigned i = 0; i < headers.n_contexts; i++)
        seen |= UINT32_C(1) << headers.contexts[i].id;
    assert_int_equal(seen, (UINT32_C(1) << CONTEXT_NAME_COUNT) - 2);
}

static void a_folded_value_spans_its_lines(void **state)
{
    struct http1_headers headers = read_whole(
        "User-Agent: one\r\n two\r\n\tthree\r\nHost:\r\n shop\r\nContent-Length:\r\n 7\r\n\r\n");

    assert_text(headers.user_agent, "one\r\n two\r\n\tthree");
    assert_text(headers.host, "shop");
    assert_int_equal(headers.length, 7);
}

static void a_blank_before_the_colon_hides_no_framing(void **state)
{
    assert_int_equal(read_whole("Content-Length \t: 9\r\n\r\n").length, 9);
}

static void content_lengths_must_be_one_number(void **state)
{
    static const struct {
        const char *text;
        enum length_state state;
        uint64_t length;
    } cases[] = {
        {"Content-Length: 0\r\n\r\n", LENGTH_KNOWN, 0},
        {"Content-Length: 5\r\nContent-Length: 5\r\n\r\n", LENGTH_KNOWN, 5},
        {"Content-Length: 5, 5,5\r\n\r\n", LENGTH_KNOWN, 5},
        {"Content-Length: 9223372036854775807\r\n\r\n", LENGTH_KNOWN, INT64_MAX},
        {"Content-Length: 9223372036854775808\r\n\r\n", LENGTH_INVALID, 0},
        {"Content-Length: 99999999999999999999\r\n\r\n", LENGTH_INVALID, 0},
        {"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", LENGTH_INVALID, 0},
        {"Content-Length: 6\r\nContent-Length: x\r\nContent-Length: 6\r\n\r\n", LENGTH_INVALID, 0},
        {"Content-Length: 5, 6\r\n\r\n", LENGTH_INVALID, 0},
        {"Content-Length: 5,\r\n\r\n", LENGTH_INVALID, 0},
        {"Content-Length: \r\n\r\n", LENGTH_INVALID, 0},
        {"Content-Length: +5\r\n\r\n", LENGTH_INVALID, 0},
        {"Content-Length: -5\r\n\r\n", LENGTH_INVALID, 0},
        {"Content-Length: 5 5\r\n\r\n", LENGTH_INVALID, 0},
        {"Content-Length: 0x5\r\n\r\n", LENGTH_INVALID, 0},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct http1_headers headers = read_whole(cases[i].text);

        assert_int_equal(headers.length_state, cases[i].state);
        if (cases[i].state == LENGTH_KNOWN)
            assert_int_equal(headers.length, cases[i].length);
        else
            assert_null(headers.content_length.ptr);
    }
}

static void without_the_empty_line_the_complete_lines_count(void **state)
{
    struct http1_headers headers;

    assert_false(headers_read(BYTES_LITERAL("Host: a\r\nUser-Agent: cu"), 0, &headers));
    assert_text(headers.host, "a");
    assert_null(headers.user_agent.ptr);
    assert_int_equal(headers.len, strlen("Host: a\r\n"));
    assert_false(headers_read(BYTES_NULL, 0, &headers));
    assert_int_equal(headers.len, 0);
}

static void only_the_last_coding_decides_on_chunks(void **state)
{
    assert_true(header_ends_chunked(BYTES_LITERAL("chunked")));
    assert_true(header_ends_chunked(BYTES_LITERAL("gzip, Chunked ")));
    assert_true(header_ends_chunked(BYTES_LITERAL("gzip,\r\n chunked")));
    assert_false(header_ends_chunked(BYTES_LITERAL("chunked, gzip")));
    assert_false(header_ends_chunked(BYTES_LITERAL("xchunked")));
    assert_false(header_ends_chunked(BYTES_LITERAL("")));
    assert_true(header_chunks_early(BYTES_LITERAL("chunked, gzip")));
    assert_true(header_chunks_early(BYTES_LITERAL("gzip, chunked,chunked")));
    assert_false(header_chunks_early(BYTES_LITERAL("gzip, chunked")));
    assert_false(header_chunks_early(BYTES_LITERAL("chunked")));
}

static void what_is_spare_says_nothing_and_nothing_odd(void **state)
{
    static const struct {
        const char *lines, *spare;
    } cases[] = {
        {"", ""},
        {"Cookie: a\r\n", ""}, /* it may go on */
        {"Cookie: a\r\nX", "Cookie: a\r\n"},
        {"Cookie: a\r\n b\r\nX", ""},
        {"Host: a\r\nCookie: a\r\nX: y\r\nHost: b\r\nX: y\r\nX", "Cookie: a\r\nX: y\r\n"},
        {"traceparent: a\r\nTransfer-Encoding: b\r\nX", ""},
        {"X : a\r\nY\r\nZ: b\rc\r\nV: w\nX", ""},
        {"Cookie: abc", " ab"},
        {"Cookie: abc\r", " abc"},
        {"Cookie: a\rc", ""},
        {"Cookie:", ""},
        {"Cookie", ""},
        {"Content-Length: 12", ""},
        {" folded: abc", ""},
        {"X: y\r\nCookie: abcdefgh", " abcdefg"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct bytes spare = headers_spare(bytes_from_string(cases[i].lines));

        if (!bytes_equal(spare, bytes_from_string(cases[i].spare)))
            fail_msg("%s: %.*s", cases[i].lines, (int)spare.len, (const char *)spare.ptr);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_spare_says_nothing_and_nothing_odd),
        cmocka_unit_test(each_known_header_is_kept_whatever_its_case),
        cmocka_unit_test(other_lines_are_passed_over),
        cmocka_unit_test(no_header_at_all_is_fine),
        cmocka_unit_test(of_repeated_headers_the_rule_of_the_name_decides),
        cmocka_unit_test(no_list_crowds_out_another_context),
        cmocka_unit_test(of_a_repeated_context_the_first_and_one_that_differs_are_kept),
        cmocka_unit_test(one_context_of_each_name_always_fits),
        cmocka_unit_test(a_folded_value_spans_its_lines),
        cmocka_unit_test(a_blank_before_the_colon_hides_no_framing),
        cmocka_unit_test(content_lengths_must_be_one_number),
        cmocka_unit_test(without_the_empty_line_the_complete_lines_count),
        cmocka_unit_test(only_the_last_coding_decides_on_chunks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
