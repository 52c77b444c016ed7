/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/otlp_grpc/outcome.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ENDPOINT "backend:4317"

/* opentelemetry-specification, protocol/otlp.md: "Failures", but for RESOURCE_EXHAUSTED. */
static const enum export_result results[RPC_STATUS_COUNT] = {
    [RPC_OK] = EXPORT_OK,
    [RPC_CANCELLED] = EXPORT_RETRY,
    [RPC_UNKNOWN] = EXPORT_REFUSED,
    [RPC_INVALID_ARGUMENT] = EXPORT_REFUSED,
    [RPC_DEADLINE_EXCEEDED] = EXPORT_RETRY,
    [RPC_NOT_FOUND] = EXPORT_REFUSED,
    [RPC_ALREADY_EXISTS] = EXPORT_REFUSED,
    [RPC_PERMISSION_DENIED] = EXPORT_REFUSED,
    [RPC_RESOURCE_EXHAUSTED] = EXPORT_REFUSED,
    [RPC_FAILED_PRECONDITION] = EXPORT_REFUSED,
    [RPC_ABORTED] = EXPORT_RETRY,
    [RPC_OUT_OF_RANGE] = EXPORT_RETRY,
    [RPC_UNIMPLEMENTED] = EXPORT_REFUSED,
    [RPC_INTERNAL] = EXPORT_REFUSED,
    [RPC_UNAVAILABLE] = EXPORT_RETRY,
    [RPC_DATA_LOSS] = EXPORT_RETRY,
    [RPC_UNAUTHENTICATED] = EXPORT_REFUSED,
};

static struct export_outcome outcome_of(const struct rpc_response *response)
{
    static char reason[OTLP_REASON_MAX];

    return outcome_make(response, ENDPOINT, reason);
}

static void each_status_means_what_otlp_says(void **state)
{
    for (unsigned status = 0; status < RPC_STATUS_COUNT; status++) {
        struct rpc_response response = {.status = (enum rpc_status)status};

        assert_int_equal(outcome_of(&response).result, results[status]);
    }
}

static void a_request_that_is_too_large_is_told_by_its_words(void **state)
{
    static const struct {
        const char *text;
        enum export_result result;
    } cases[] = {
        {"SERVER: Received message larger than max (5 vs. 4)", EXPORT_TOO_LARGE},
        {"grpc: received message larger than max (5 vs. 4)", EXPORT_TOO_LARGE},
        {"gRPC message exceeds maximum size 4: 5", EXPORT_TOO_LARGE},
        {"CLIENT: Received message larger than max (5 vs. 4)", EXPORT_REFUSED},
        {"quota is used up", EXPORT_REFUSED},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct rpc_response response = {.status = RPC_RESOURCE_EXHAUSTED};

        strcpy(response.text, cases[i].text);
        assert_int_equal(outcome_of(&response).result, cases[i].result);
    }
}

static void an_exhausted_backend_is_retried_only_if_it_says_when(void **state)
{
    struct rpc_response response = {.status = RPC_RESOURCE_EXHAUSTED};
    struct export_outcome outcome;

    assert_int_equal(outcome_of(&response).result, EXPORT_REFUSED);
    response.has_retry_delay = true;
    response.retry_delay_ns = 1234;
    outcome = outcome_of(&response);
    assert_int_equal(outcome.result, EXPORT_RETRY);
    assert_int_equal(outcome.retry_after_ns, 1234);
}

static void the_wish_of_a_backend_that_is_away_is_passed_on(void **state)
{
    struct rpc_response response = {.status = RPC_UNAVAILABLE,
                                    .has_retry_delay = true,
                                    .retry_delay_ns = 7};

    assert_int_equal(outcome_of(&response).retry_after_ns, 7);
    response.status = RPC_INTERNAL;
    assert_int_equal(outcome_of(&response).retry_after_ns, 0);
}

static void the_reason_names_endpoint_status_and_text(void **state)
{
    struct rpc_response response = {.status = RPC_UNAVAILABLE, .text = "going down"};

    assert_string_equal(outcome_of(&response).reason, "backend:4317: UNAVAILABLE: going down");
    response.text[0] = '\0';
    assert_string_equal(outcome_of(&response).reason, "backend:4317: UNAVAILABLE");
}

static uint64_t rejected(struct bytes message)
{
    struct rpc_response response = {.status = RPC_OK,
                                    .message = {.ptr = (uint8_t *)message.ptr,
                                                .len = message.len}};
    struct export_outcome outcome = outcome_of(&response);

    assert_int_equal(outcome.result, EXPORT_OK);
    return outcome.rejected_spans;
}

static void a_partial_success_counts_the_rejected_spans(void **state)
{
    assert_int_equal(rejected(BYTES_NULL), 0);
    assert_int_equal(rejected(BYTES_LITERAL("\x0a\x00")), 0);
    assert_int_equal(rejected(BYTES_LITERAL("\x0a\x02\x08\x05")), 5);
    assert_int_equal(rejected(BYTES_LITERAL("\x0a\x07\x08\xac\x02\x12\x02no")), 300);
}

static void a_response_that_is_none_rejects_nothing(void **state)
{
    assert_int_equal(rejected(BYTES_LITERAL("\x0a\x7f\x08")), 0);
    assert_int_equal(
        rejected(BYTES_LITERAL("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_status_means_what_otlp_says),
        cmocka_unit_test(a_request_that_is_too_large_is_told_by_its_words),
        cmocka_unit_test(an_exhausted_backend_is_retried_only_if_it_says_when),
        cmocka_unit_test(the_wish_of_a_backend_that_is_away_is_passed_on),
        cmocka_unit_test(the_reason_names_endpoint_status_and_text),
        cmocka_unit_test(a_partial_success_counts_the_rejected_spans),
        cmocka_unit_test(a_response_that_is_none_rejects_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
