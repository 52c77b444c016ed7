/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/otlp/common.h"

#include "base/macro.h"
#include "sample.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

extern const struct exporter_ops exporter_otlp_grpc;

static char seen[64]; /* the endpoints that the sink was given, one after the other */
static enum otlp_origin seen_origin;

static int see(struct otlp_common *common, const char *text, enum otlp_origin origin,
               bool *ret_tls, const char **ret_problem)
{
    seen_origin = origin;
    if (strcmp(text, "bad") == 0) {
        *ret_problem = "is no endpoint";
        return -EINVAL;
    }
    strcat(seen, text);
    strcat(seen, ";");
    return 0;
}

static int open_endpoints(const char *target, struct otlp_common *ret_common)
{
    static const _Atomic bool never;
    const struct exporter_options options = {
        .target = target, .settings = sample_settings(&exporter_otlp_grpc, NULL),
        .stopping = &never};

    seen[0] = '\0';
    assert_int_equal(otlp_common_open("otlp", &options, ret_common), 0);
    return otlp_open_endpoints(ret_common, target, "fallback", see);
}

static void endpoints_are_the_targets_the_signals_the_general_ones_or_the_default(void **state)
{
    _cleanup_(otlp_common_done) struct otlp_common common;

    assert_int_equal(open_endpoints("", &common), 0);
    assert_string_equal(seen, "fallback;");
    assert_int_equal(seen_origin, OTLP_GENERAL);
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "a,b", 1);
    assert_int_equal(open_endpoints("", &common), 0);
    assert_string_equal(seen, "a;b;");
    assert_int_equal(seen_origin, OTLP_GENERAL);
    setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "c", 1);
    assert_int_equal(open_endpoints("", &common), 0);
    assert_string_equal(seen, "c;");
    assert_int_equal(seen_origin, OTLP_OF_SIGNAL);
    assert_int_equal(open_endpoints("d, e", &common), 0);
    assert_string_equal(seen, "d;e;");
    assert_int_equal(seen_origin, OTLP_GIVEN);
    assert_int_equal(common.n_endpoints, 2);
    unsetenv("OTEL_EXPORTER_OTLP_ENDPOINT");
    unsetenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
}

static void no_endpoint_a_bad_one_and_too_many_are_refused(void **state)
{
    _cleanup_(otlp_common_done) struct otlp_common common;

    assert_int_equal(open_endpoints(",", &common), -EINVAL);
    assert_int_equal(open_endpoints("a,bad", &common), -EINVAL);
    assert_int_equal(open_endpoints("1,2,3,4,5,6,7,8", &common), 0);
    assert_int_equal(open_endpoints("1,2,3,4,5,6,7,8,9", &common), -E2BIG);
}

static void neither_a_query_nor_more_than_200_bytes_are_shown(void **state)
{
    char longer[300];

    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(otlp_shown("http://h/x?key=1"), 10);
    assert_int_equal(otlp_shown("http://h/x"), 10);
    assert_int_equal(otlp_shown(longer), 200);
}

static void want_of_memory_may_pass_and_nothing_else(void **state)
{
    struct otlp_common common;
    struct export_outcome outcome = otlp_failed(&common, "cannot", -ENOBUFS);

    assert_int_equal(outcome.result, EXPORT_FAILED);
    assert_string_equal(outcome.reason, "cannot: No buffer space available");
    assert_int_equal(otlp_failed(&common, "cannot", -ENOMEM).result, EXPORT_RETRY);
}

/* What each of three endpoints answers, and how often each was tried. */
struct script {
    struct export_outcome answers[3];
    unsigned tries[3];
};

static struct export_outcome attempt(struct otlp_common *common, void *arg)
{
    struct script *script = arg;

    script->tries[common->current]++;
    return script->answers[common->current];
}

static void a_batch_goes_on_to_the_endpoint_that_answers_which_stays_in_use(void **state)
{
    const _Atomic bool stopping = false;
    struct otlp_common common = {.n_endpoints = 3, .stopping = &stopping};
    struct script script = {.answers = {{.result = EXPORT_RETRY}, {.result = EXPORT_OK}}};
    struct export_outcome outcome = otlp_send_anywhere(&common, 7, NULL, attempt, &script);

    assert_int_equal(outcome.result, EXPORT_OK);
    assert_int_equal(outcome.bytes, 14);
    assert_int_equal(otlp_send_anywhere(&common, 7, NULL, attempt, &script).bytes, 7);
    assert_int_equal(script.tries[0], 1);
    assert_int_equal(script.tries[1], 2);
    assert_int_equal(script.tries[2], 0);
}

static void who_says_when_to_come_again_is_asked_again(void **state)
{
    const _Atomic bool stopping = false;
    struct otlp_common common = {.n_endpoints = 3, .stopping = &stopping};
    struct script script = {.answers = {{.result = EXPORT_RETRY, .retry_after_ns = 1}}};

    assert_int_equal(otlp_send_anywhere(&common, 7, NULL, attempt, &script).retry_after_ns, 1);
    assert_int_equal(common.current, 0);
    assert_int_equal(script.tries[1], 0);
}

static void nobody_is_tried_once_it_is_to_stop(void **state)
{
    const _Atomic bool stopping = true;
    struct otlp_common common = {.n_endpoints = 3, .stopping = &stopping};
    struct script script = {.answers = {{.result = EXPORT_OK}}};

    assert_int_equal(otlp_send_anywhere(&common, 7, NULL, attempt, &script).result, EXPORT_RETRY);
    assert_int_equal(script.tries[0], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endpoints_are_the_targets_the_signals_the_general_ones_or_the_default),
        cmocka_unit_test(no_endpoint_a_bad_one_and_too_many_are_refused),
        cmocka_unit_test(neither_a_query_nor_more_than_200_bytes_are_shown),
        cmocka_unit_test(want_of_memory_may_pass_and_nothing_else),
        cmocka_unit_test(a_batch_goes_on_to_the_endpoint_that_answers_which_stays_in_use),
        cmocka_unit_test(who_says_when_to_come_again_is_asked_again),
        cmocka_unit_test(nobody_is_tried_once_it_is_to_stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
