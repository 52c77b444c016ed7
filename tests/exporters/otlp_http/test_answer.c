/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/otlp_http/answer.h"

#include "base/clock.h"
#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static char reason[OTLP_REASON_MAX];

static struct export_outcome outcome_of(struct answer answer)
{
    return answer_outcome(&answer, "http://h:4318/v1/traces", reason);
}

/* opentelemetry-specification, protocol/otlp.md: "Retryable Response Codes". */
static void each_status_means_what_otlp_says(void **state)
{
    for (long status = 100; status < 600; status++) {
        enum export_result expected = EXPORT_REFUSED;

        if (status >= 200 && status < 300)
            expected = EXPORT_OK;
        else if (status == 413)
            expected = EXPORT_TOO_LARGE;
        else if (status == 429 || status == 502 || status == 503 || status == 504)
            expected = EXPORT_RETRY;
        assert_int_equal(outcome_of((struct answer){.status = status}).result, expected);
    }
}

static void retry_after_is_kept_where_to_come_again_makes_sense(void **state)
{
    struct answer answer = {.status = 503, .retry_after_s = 7};

    assert_true(outcome_of(answer).retry_after_ns == 7 * NS_PER_S);
    answer.retry_after_s = UINT64_MAX;
    assert_true(outcome_of(answer).retry_after_ns == 86400 * NS_PER_S);
    answer.status = 400;
    assert_true(outcome_of(answer).retry_after_ns == 0);
}

static void a_partial_success_is_read_in_both_encodings(void **state)
{
    static const struct {
        bool json;
        struct bytes body;
        uint64_t rejected;
    } cases[] = {
        {false, {(const uint8_t *)"\x0a\x02\x08\x02", 4}, 2},
        {true, {(const uint8_t *)"{\"partialSuccess\":{\"rejectedSpans\":\"3\"}}", 40}, 3},
        {true, {(const uint8_t *)"{\"partialSuccess\":{\"rejectedSpans\":4}}", 38}, 4},
        {true, {(const uint8_t *)"{\"partialSuccess\":{}}", 21}, 0},
        {true, {(const uint8_t *)"{\"partialSuccess\":{\"rejectedSpans\":-4}}", 39}, 0},
        {true, {(const uint8_t *)"not json", 8}, 0},
        {false, {(const uint8_t *)"\xff\xff", 2}, 0},
        {false, {NULL, 0}, 0},
        {true, {NULL, 0}, 0},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct export_outcome outcome = outcome_of(
            (struct answer){.status = 200, .type = cases[i].json ? ANSWER_JSON : ANSWER_PROTOBUF,
                            .body = cases[i].body});

        assert_int_equal(outcome.result, EXPORT_OK);
        assert_int_equal(outcome.rejected_spans, cases[i].rejected);
    }
}

static void the_reason_holds_what_of_the_body_can_be_read(void **state)
{
    static uint8_t large[4096];

    memset(large, 'x', sizeof(large));
    outcome_of((struct answer){.status = 400, .body = BYTES_LITERAL("\x12\x03no\x1b!\n")});
    assert_string_equal(reason, "http://h:4318/v1/traces: status 400: no!");
    outcome_of((struct answer){.status = 400, .body = {large, sizeof(large)}});
    assert_int_equal(strlen(reason), strlen("http://h:4318/v1/traces: status 400: ") + 120);
    outcome_of((struct answer){.status = 404});
    assert_string_equal(reason, "http://h:4318/v1/traces: status 404");
    answer_outcome(&(struct answer){.status = 404}, "http://h/x?api_key=hunter2", reason);
    assert_string_equal(reason, "http://h/x: status 404");
}

/* What Jaeger's own pages, and those of many others, answer to everything. */
static void a_web_page_is_no_receiver(void **state)
{
    struct export_outcome outcome = outcome_of(
        (struct answer){.status = 200, .type = answer_type_of("Text/HTML; charset=utf-8")});

    assert_int_equal(outcome.result, EXPORT_REFUSED);
    assert_non_null(strstr(outcome.reason, "no OTLP receiver is there"));
    assert_int_equal(answer_type_of("application/json;charset=utf-8"), ANSWER_JSON);
    assert_int_equal(answer_type_of("text/plain"), ANSWER_PROTOBUF);
    assert_int_equal(answer_type_of(NULL), ANSWER_PROTOBUF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_status_means_what_otlp_says),
        cmocka_unit_test(retry_after_is_kept_where_to_come_again_makes_sense),
        cmocka_unit_test(a_partial_success_is_read_in_both_encodings),
        cmocka_unit_test(a_web_page_is_no_receiver),
        cmocka_unit_test(the_reason_holds_what_of_the_body_can_be_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
