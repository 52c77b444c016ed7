/* SPDX-License-Identifier: Apache-2.0 */
/* What the settings say, what the environment says, and which of them counts. */
#include "exporters/otlp/settings.h"

#include "base/clock.h"
#include "base/macro.h"
#include "sample.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const char *const names[] = {
    "CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY", "COMPRESSION", "HEADERS", "INSECURE",
    "TIMEOUT",
};

static void set(const char *form, const char *name, const char *value)
{
    char variable[80];

    snprintf(variable, sizeof(variable), form, name);
    if (value)
        setenv(variable, value, 1);
    else
        unsetenv(variable);
}

static int clear(void **state)
{
    for (size_t i = 0; i < ELEMENTSOF(names); i++) {
        set("OTEL_EXPORTER_OTLP_%s", names[i], NULL);
        set("OTEL_EXPORTER_OTLP_TRACES_%s", names[i], NULL);
    }
    return 0;
}

extern const struct exporter_ops exporter_otlp_grpc;

static int choose(const char *const *assignments, struct otlp_choice *ret_choice)
{
    return otlp_choose("otlp", sample_settings(&exporter_otlp_grpc, assignments), NS_PER_S,
                       ret_choice);
}

static void assert_header(const struct otlp_choice *choice, size_t i, const char *name,
                          const char *value)
{
    assert_true(i < choice->n_headers);
    assert_string_equal(choice->headers[i].name, name);
    assert_string_equal(choice->headers[i].value, value);
}

static void without_anything_the_defaults_hold(void **state)
{
    _cleanup_(otlp_choice_done) struct otlp_choice choice;

    assert_int_equal(choose(NULL, &choice), 0);
    assert_string_equal(choice.ca, "");
    assert_false(choice.gzip || choice.insecure);
    assert_int_equal(choice.n_headers, 0);
    assert_true(choice.timeout_ns == NS_PER_S);
    assert_int_equal(choice.max_message, 4 << 20);
}

static void the_signals_variable_wins_over_the_general_one(void **state)
{
    _cleanup_(otlp_choice_done) struct otlp_choice choice;

    set("OTEL_EXPORTER_OTLP_%s", "CERTIFICATE", "/all.pem");
    set("OTEL_EXPORTER_OTLP_TRACES_%s", "CERTIFICATE", "/traces.pem");
    set("OTEL_EXPORTER_OTLP_%s", "COMPRESSION", "gzip");
    set("OTEL_EXPORTER_OTLP_TRACES_%s", "COMPRESSION", "");
    set("OTEL_EXPORTER_OTLP_%s", "HEADERS", "a=all");
    set("OTEL_EXPORTER_OTLP_TRACES_%s", "HEADERS", "b=traces");
    set("OTEL_EXPORTER_OTLP_%s", "TIMEOUT", "1500");
    set("OTEL_EXPORTER_OTLP_%s", "INSECURE", "true");
    assert_int_equal(choose(NULL, &choice), 0);
    assert_string_equal(choice.ca, "/traces.pem");
    assert_true(choice.gzip && choice.insecure);
    assert_int_equal(choice.n_headers, 1);
    assert_header(&choice, 0, "b", "traces");
    assert_true(choice.timeout_ns == 1500 * NS_PER_MS);
}

static void a_setting_wins_over_both(void **state)
{
    static const char *const assignments[] = {"otlp.ca=/set.pem", "otlp.compression=none",
                                              "otlp.headers=a=set", "otlp.timeout=3s",
                                              "otlp.insecure=false", NULL};
    _cleanup_(otlp_choice_done) struct otlp_choice choice;

    for (size_t i = 0; i < ELEMENTSOF(names); i++)
        set("OTEL_EXPORTER_OTLP_TRACES_%s", names[i], "gzip");
    set("OTEL_EXPORTER_OTLP_%s", "INSECURE", "true");
    set("OTEL_EXPORTER_OTLP_TRACES_%s", "INSECURE", "true");
    assert_int_equal(choose(assignments, &choice), 0);
    assert_string_equal(choice.ca, "/set.pem");
    assert_string_equal(choice.certificate, "gzip");
    assert_false(choice.gzip || choice.insecure);
    assert_int_equal(choice.n_headers, 1);
    assert_header(&choice, 0, "a", "set");
    assert_true(choice.timeout_ns == 3 * NS_PER_S);
}

/* "headers=" is said, and so is "timeout=0". */
static void a_setting_that_is_set_to_nothing_wins_too(void **state)
{
    static const char *const assignments[] = {
        "otlp.ca=", "otlp.certificate=", "otlp.key=", "otlp.headers=", "otlp.compression=",
        "otlp.insecure=", "otlp.timeout=0s", NULL};
    _cleanup_(otlp_choice_done) struct otlp_choice choice;

    for (size_t i = 0; i < ELEMENTSOF(names); i++)
        set("OTEL_EXPORTER_OTLP_%s", names[i], "gzip");
    set("OTEL_EXPORTER_OTLP_%s", "INSECURE", "true");
    set("OTEL_EXPORTER_OTLP_%s", "HEADERS", "a=b");
    set("OTEL_EXPORTER_OTLP_%s", "TIMEOUT", "77");
    assert_int_equal(choose(assignments, &choice), 0);
    assert_true(!*choice.ca && !*choice.certificate && !*choice.key);
    assert_false(choice.gzip || choice.insecure);
    assert_int_equal(choice.n_headers, 0);
    assert_true(choice.timeout_ns == NS_PER_S);
}

static void headers_of_the_environment_are_decoded_and_in_lower_case(void **state)
{
    _cleanup_(otlp_choice_done) struct otlp_choice choice;

    set("OTEL_EXPORTER_OTLP_%s", "HEADERS", "Authorization=Basic%20eA%3D%3D , x-y=1=2,,z=%zz");
    assert_int_equal(choose(NULL, &choice), 0);
    assert_int_equal(choice.n_headers, 3);
    assert_header(&choice, 0, "authorization", "Basic eA==");
    assert_header(&choice, 1, "x-y", "1=2");
    assert_header(&choice, 2, "z", "%zz");
}

static void headers_of_the_settings_come_from_where_they_say(void **state)
{
    static const char *const assignments[] = {"otlp.headers+=X-Token=env:FLOWTRACE_TEST_TOKEN",
                                              "otlp.headers+=plain=a,b%20", NULL};
    _cleanup_(otlp_choice_done) struct otlp_choice choice;

    setenv("FLOWTRACE_TEST_TOKEN", "s3cret", 1);
    assert_int_equal(choose(assignments, &choice), 0);
    assert_header(&choice, 0, "x-token", "s3cret");
    assert_header(&choice, 1, "plain", "a,b%20");
}

static void a_variable_that_is_no_good_counts_as_unset(void **state)
{
    static const struct {
        const char *name, *value;
    } cases[] = {
        {"COMPRESSION", "snappy"}, {"HEADERS", "no value"},   {"HEADERS", "a b=c"},
        {"HEADERS", "a=b%0d%0ac: d"}, {"TIMEOUT", "soon"},    {"TIMEOUT", "0"},
        {"HEADERS", "a=b,=nameless"}, {"INSECURE", "maybe"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        _cleanup_(otlp_choice_done) struct otlp_choice choice;

        clear(NULL);
        set("OTEL_EXPORTER_OTLP_TRACES_%s", cases[i].name, cases[i].value);
        assert_int_equal(choose(NULL, &choice), 0);
        assert_false(choice.gzip || choice.insecure);
        assert_int_equal(choice.n_headers, 0);
        assert_true(choice.timeout_ns == NS_PER_S);
    }
}

static void behind_a_variable_that_is_no_good_the_general_one_counts(void **state)
{
    _cleanup_(otlp_choice_done) struct otlp_choice choice;

    set("OTEL_EXPORTER_OTLP_TRACES_%s", "TIMEOUT", "0");
    set("OTEL_EXPORTER_OTLP_%s", "TIMEOUT", "1500");
    set("OTEL_EXPORTER_OTLP_TRACES_%s", "HEADERS", "a");
    set("OTEL_EXPORTER_OTLP_%s", "HEADERS", "b=all");
    assert_int_equal(choose(NULL, &choice), 0);
    assert_true(choice.timeout_ns == 1500 * NS_PER_MS);
    assert_int_equal(choice.n_headers, 1);
    assert_header(&choice, 0, "b", "all");
}

static void what_is_wrong_is_refused(void **state)
{
    static const char *const no_file[] = {"otlp.headers=a=file:/nowhere/token", NULL};
    struct otlp_choice choice;

    set("OTEL_EXPORTER_OTLP_%s", "CLIENT_KEY", "/key.pem");
    assert_int_equal(choose(NULL, &choice), -EINVAL);
    otlp_choice_done(&choice);
    clear(NULL);
    assert_int_equal(choose(no_file, &choice), -ENOENT);
    otlp_choice_done(&choice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_anything_the_defaults_hold, clear),
        cmocka_unit_test_setup(the_signals_variable_wins_over_the_general_one, clear),
        cmocka_unit_test_setup(a_setting_wins_over_both, clear),
        cmocka_unit_test_setup(a_setting_that_is_set_to_nothing_wins_too, clear),
        cmocka_unit_test_setup(headers_of_the_environment_are_decoded_and_in_lower_case, clear),
        cmocka_unit_test_setup(headers_of_the_settings_come_from_where_they_say, clear),
        cmocka_unit_test_setup(a_variable_that_is_no_good_counts_as_unset, clear),
        cmocka_unit_test_setup(behind_a_variable_that_is_no_good_the_general_one_counts, clear),
        cmocka_unit_test_setup(what_is_wrong_is_refused, clear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
