/* SPDX-License-Identifier: Apache-2.0 */
#include "config/settings.h"

#include "base/macro.h"
#include "config/setting.h"
#include "stderr_capture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

DEFINE_CLEANUP(struct settings, settings_free)

static void the_defaults_are_those_of_the_table(void **state)
{
    _cleanup_(settings_freep) struct settings *settings = NULL;

    assert_int_equal(settings_load(NULL, NULL, 0, NULL, &settings), 0);
    assert_string_equal(settings->source, "bpf");
    assert_string_equal(settings->record, "");
    assert_int_equal(settings->exporters.n, 0);
    assert_int_equal(settings->capture_head, 4096);
    assert_int_equal(settings->capture_ring, 4 << 20);
    assert_int_equal(settings->max_connections, 65536);
    assert_int_equal(settings->max_windows, 4096);
    assert_int_equal(settings->exchange_timeout, UINT64_C(60000000000));
    assert_int_equal(settings->grace, 50000000);
    assert_int_equal(settings->batch_age, 200000000);
    assert_int_equal(settings->queue_bytes, 16 << 20);
    assert_int_equal(settings->redact_query_keys.n, 13);
    assert_string_equal(settings->redact_query_keys.items[12], "jwt");
    assert_string_equal(settings->status_listen, "127.0.0.1:9465");
}

static void keys_are_unique_and_defaults_lie_within_their_bounds(void **state)
{
    struct settings *settings = NULL;
    struct setting_place place;

    assert_int_equal(settings_load(NULL, NULL, 0, NULL, &settings), 0);
    for (size_t i = 0; i < setting_count; i++) {
        assert_true(setting_find(settings, setting_rows[i].key, &place));
        assert_ptr_equal(place.row, &setting_rows[i]);
        assert_int_equal(setting_assign_text(&setting_rows[i], settings,
                                             setting_rows[i].default_text), 0);
        assert_true(strlen(setting_rows[i].description) > 0);
    }
    settings_free(settings);
}

static void the_last_assignment_wins(void **state)
{
    _cleanup_(settings_freep) struct settings *settings = NULL;
    const char *const assignments[] = {"capture.head=2KiB", "log.level=debug", "capture.head=8KiB",
                                 "select.ports=80,8000-8099", "status.listen="};

    assert_int_equal(settings_load(NULL, (char *const *)assignments, ELEMENTSOF(assignments),
                                   NULL, &settings), 0);
    assert_int_equal(settings->capture_head, 8192);
    assert_string_equal(settings->log_level, "debug");
    assert_int_equal(settings->select_ports.n, 2);
    assert_string_equal(settings->select_ports.items[1], "8000-8099");
    assert_string_equal(settings->status_listen, "");
}

static void a_bad_assignment_is_told_with_what_is_allowed(void **state)
{
    static const struct {
        const char *assignment;
        const char *said;
    } cases[] = {
        {"capture.head", "\"capture.head\" is not of the form KEY=VALUE"},
        {"capture.heed=1", "there is no setting \"capture.heed\" (there are: capture.head, "
                           "capture.ring, capture.hooks, capture.udp, capture.unix, capture.tls)"},
        {"what=1", "there is no setting \"what\" (there are: source, exporters, record, capture, "
                   "limits, exchange, select, context, names, span, resource, redact, batch, queue, "
                   "send, drain, receivers, status, log)"},
        {"capture=1", "there is no setting \"capture\""},
        {"capture.head=63", "capture.head takes a size (bytes, KiB, MiB, GiB) from 64 to 16KiB"},
        {"capture.ring=5MiB", "from 256KiB to 64MiB, a power of two"},
        {"exchange.grace=5", "takes a duration (ns, us, ms, s, m, h) from 0ns to 10s"},
        {"select.ports=80,http", "a list, each item a port or a range of ports"},
        {"exporters=console,", "NAME or NAME:TARGET"},
        {"status.listen=localhost:1", "a numeric ADDRESS:PORT"},
        {"capture.hooks=kprobe", "auto, tracepoints, fexit or syscalls"},
        {"log.level=loud", "error, warning, info or debug"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct settings *settings = (struct settings *)state;
        struct stderr_capture capture;
        int r;

        stderr_capture_begin(&capture);
        r = settings_load(NULL, (char *const *)&cases[i].assignment, 1, NULL, &settings);
        stderr_capture_end(&capture);
        assert_true(r == -EINVAL || r == -ERANGE);
        assert_ptr_equal(settings, state);
        if (!strstr(capture.text, cases[i].said))
            fail_msg("%s does not say %s", capture.text, cases[i].said);
    }
}

/* A section as an exporter brings it. */
struct shop {
    char *name;
    struct string_list tokens;
    uint64_t wait;
};

static const struct setting shop_rows[] = {
    {"name", SETTING_TEXT, "corner", .offset = offsetof(struct shop, name), .description = "?"},
    {"tokens", SETTING_LIST, "", .offset = offsetof(struct shop, tokens), .secret = true,
     .description = "?"},
    {"wait", SETTING_DURATION, "1s", 0, UINT64_C(5000000000), .offset = offsetof(struct shop, wait),
     .description = "?"},
};

static const struct setting_section shop_section = {
    .name = "shop", .rows = shop_rows, .n_rows = 3, .size = sizeof(struct shop)};
static const struct setting_section *const sections[] = {&shop_section, NULL};

static int load_shop(const char *const *assignments, size_t n, struct settings **ret_settings)
{
    return settings_load(NULL, (char *const *)assignments, n, sections, ret_settings);
}

static void a_section_has_defaults_and_takes_assignments_under_its_name(void **state)
{
    static const char *const assignments[] = {"shop.wait=2s", "batch.spans=7"};
    struct settings *settings = NULL;
    const struct shop *shop;

    assert_int_equal(load_shop(assignments, 2, &settings), 0);
    shop = settings_section(settings, &shop_section);
    assert_string_equal(shop->name, "corner");
    assert_true(shop->wait == UINT64_C(2000000000));
    assert_int_equal(settings->batch_spans, 7);
    settings_free(settings);
}

static void one_more_item_of_a_list_keeps_its_commas(void **state)
{
    static const char *const assignments[] = {"shop.tokens=a,b", "shop.tokens+=c,d"};
    static const char *const no_list[] = {"shop.name+=x"};
    struct settings *settings = NULL;
    const struct shop *shop;

    assert_int_equal(load_shop(assignments, 2, &settings), 0);
    shop = settings_section(settings, &shop_section);
    assert_int_equal(shop->tokens.n, 3);
    assert_string_equal(shop->tokens.items[2], "c,d");
    settings_free(settings);
    assert_int_equal(load_shop(no_list, 1, &settings), -EINVAL);
}

static void a_struct_of_its_own_differs_where_it_is_told(void **state)
{
    static const char *const assignments[] = {"shop.tokens=a,b", "shop.wait=2s"};
    struct settings *settings = NULL;
    struct shop *own = NULL, *none = NULL;
    const struct shop *shop;

    assert_int_equal(load_shop(assignments, 2, &settings), 0);
    assert_int_equal(settings_section_new(settings, &shop_section, ";name=c,d;tokens+=c=d;",
                                          (void **)&own), 0);
    assert_string_equal(own->name, "c,d");
    assert_true(own->wait == UINT64_C(2000000000));
    assert_int_equal(own->tokens.n, 3);
    assert_string_equal(own->tokens.items[2], "c=d");
    settings_section_free(&shop_section, own);
    shop = settings_section(settings, &shop_section);
    assert_string_equal(shop->name, "corner");
    assert_int_equal(shop->tokens.n, 2);
    assert_int_equal(settings_section_new(settings, &shop_section, ";batch.spans=3",
                                          (void **)&none), -EINVAL);
    assert_int_equal(settings_section_new(settings, &shop_section, ";wait=9s", (void **)&none),
                     -ERANGE);
    assert_null(none);
    settings_free(settings);
}

static void an_unknown_key_of_a_section_names_those_that_there_are(void **state)
{
    static const char *const assignments[] = {"shop.window=3"};
    struct stderr_capture capture;
    struct settings *settings = NULL;

    stderr_capture_begin(&capture);
    assert_int_equal(load_shop(assignments, 1, &settings), -EINVAL);
    stderr_capture_end(&capture);
    assert_non_null(strstr(capture.text, "(there are: shop.name, shop.tokens, shop.wait)"));
}

static void a_secret_is_neither_printed_nor_quoted(void **state)
{
    static const char *const good[] = {"shop.tokens=hunter2",
                                       "exporters+=shop:there;wait=1s;tokens=hunter2"};
    static const char *const bad[] = {"shop.tokens=hunter2,\n", "shop.token=hunter2"};
    static const char *const options[] = {";token=hunter2", ";tokens=a;hunter2"};
    struct settings *own;
    struct stderr_capture capture;
    struct settings *settings = NULL;
    char text[8192] = "";
    FILE *file = tmpfile();

    assert_int_equal(load_shop(good, 2, &settings), 0);
    assert_int_equal(settings_print(settings, fileno(file)), 0);
    settings_free(settings);
    rewind(file);
    assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
    fclose(file);
    assert_non_null(strstr(text, "shop:\n  name: 'corner'\n  # tokens: is set, and not shown\n"));
    assert_null(strstr(text, "hunter2"));
    assert_int_equal(load_shop(NULL, 0, &settings), 0);
    stderr_capture_begin(&capture);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(load_shop(&bad[i], 1, &own), -EINVAL);
        assert_int_equal(settings_section_new(settings, &shop_section, options[i], (void **)&own),
                         -EINVAL);
    }
    stderr_capture_end(&capture);
    settings_free(settings);
    assert_non_null(strstr(capture.text, "there is no setting \"shop.token\""));
    assert_null(strstr(capture.text, "hunter2"));
}

static void what_may_be_a_secret_in_a_target_is_not_printed(void **state)
{
    static const char *const urls[] = {
        "exporters+=shop:https://h/x?api_key=hunter2", "exporters+=shop:https://u:hunter2@h/x",
        "exporters+=shop:h/x?api_key=hunter2",         "exporters+=shop:u:hunter2@h",
        "exporters+=shop:h;token=hunter2",             "exporters+=shop:h; tokens=hunter2",
    };
    static const char *const plain[] = {"exporters+=shop:https://h/x;wait=1s"};

    for (size_t i = 0; i <= ELEMENTSOF(urls); i++) {
        struct settings *settings = NULL;
        char text[8192] = "";
        FILE *file = tmpfile();

        assert_int_equal(load_shop(i < ELEMENTSOF(urls) ? &urls[i] : plain, 1, &settings), 0);
        assert_int_equal(settings_print(settings, fileno(file)), 0);
        settings_free(settings);
        rewind(file);
        assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
        fclose(file);
        assert_null(strstr(text, "hunter2"));
        assert_true(!strstr(text, "shop:https://h/x;wait=1s") == (i < ELEMENTSOF(urls)));
    }
}

/* Of rows that may be not set at all. */
struct optional {
    char *text;
    struct string_list list;
    uint64_t number;
};

static const struct setting optional_rows[] = {
    {"text", SETTING_TEXT, "", .offset = offsetof(struct optional, text), .optional = true,
     .description = "?"},
    {"list", SETTING_LIST, "", .offset = offsetof(struct optional, list), .optional = true,
     .secret = true, .description = "?"},
    {"number", SETTING_INTEGER, "", 0, 9, .offset = offsetof(struct optional, number),
     .optional = true, .description = "?"},
};

static const struct setting_section optional_section = {
    .name = "optional", .rows = optional_rows, .n_rows = 3, .size = sizeof(struct optional)};
static const struct setting_section *const optional_sections[] = {&optional_section, NULL};

static void what_is_set_to_nothing_is_told_from_what_is_not_set(void **state)
{
    static const char *const assignments[] = {"optional.text=", "optional.list=",
                                              "optional.number=0"};
    struct settings *settings = NULL;
    struct optional *own = NULL;
    const struct optional *values;

    assert_int_equal(settings_load(NULL, NULL, 0, optional_sections, &settings), 0);
    values = settings_section(settings, &optional_section);
    assert_true(!values->text && !values->list.items && values->number == SETTING_NOT_SET);
    assert_int_equal(settings_section_new(settings, &optional_section, ";list=",
                                          (void **)&own), 0);
    assert_true(!own->text && own->list.items && own->list.n == 0);
    assert_true(own->number == SETTING_NOT_SET);
    settings_section_free(&optional_section, own);
    settings_free(settings);
    assert_int_equal(settings_load(NULL, (char *const *)assignments, 3, optional_sections,
                                   &settings), 0);
    values = settings_section(settings, &optional_section);
    assert_string_equal(values->text, "");
    assert_true(values->list.items && values->list.n == 0 && values->number == 0);
    settings_free(settings);
}

static void what_is_not_set_is_a_comment_of_what_is_printed(void **state)
{
    static const char *const assignments[] = {"optional.number=3", "optional.list="};
    struct settings *settings = NULL;
    char text[8192] = "";
    FILE *file = tmpfile();

    assert_int_equal(settings_load(NULL, (char *const *)assignments, 2, optional_sections,
                                   &settings), 0);
    assert_int_equal(settings_print(settings, fileno(file)), 0);
    settings_free(settings);
    rewind(file);
    assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
    fclose(file);
    assert_non_null(strstr(text, "optional:\n  # text: is not set\n  list: []\n  number: 3\n"));
}

static void assert_span_attributes(const char *assignment, uint64_t expected)
{
    char *const assignments[] = {(char *)assignment};
    _cleanup_(settings_freep) struct settings *settings = NULL;

    assert_int_equal(settings_load(NULL, assignments, assignment ? 1 : 0, NULL, &settings), 0);
    assert_int_equal(settings->span_attributes, expected);
}

static void a_limit_is_the_settings_else_the_spans_variable_else_the_general_one(void **state)
{
    struct stderr_capture capture;

    assert_span_attributes(NULL, 128);
    setenv("OTEL_ATTRIBUTE_COUNT_LIMIT", "20", 1);
    assert_span_attributes(NULL, 20);
    setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "", 1);
    assert_span_attributes(NULL, 20);
    setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "0", 1);
    assert_span_attributes(NULL, 0);
    setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "100000", 1);
    assert_span_attributes(NULL, 128);
    assert_span_attributes("span.attributes=7", 7);
    setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many", 1);
    stderr_capture_begin(&capture);
    assert_span_attributes(NULL, 20);
    stderr_capture_end(&capture);
    assert_non_null(strstr(capture.text, "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT is ignored"));
    unsetenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT");
    unsetenv("OTEL_ATTRIBUTE_COUNT_LIMIT");
}

static void the_length_of_values_has_variables_of_its_own(void **state)
{
    _cleanup_(settings_freep) struct settings *settings = NULL;

    setenv("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "12", 1);
    assert_int_equal(settings_load(NULL, NULL, 0, NULL, &settings), 0);
    unsetenv("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT");
    assert_int_equal(settings->span_value_length, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_those_of_the_table),
        cmocka_unit_test(keys_are_unique_and_defaults_lie_within_their_bounds),
        cmocka_unit_test(the_last_assignment_wins),
        cmocka_unit_test(a_bad_assignment_is_told_with_what_is_allowed),
        cmocka_unit_test(a_section_has_defaults_and_takes_assignments_under_its_name),
        cmocka_unit_test(one_more_item_of_a_list_keeps_its_commas),
        cmocka_unit_test(a_struct_of_its_own_differs_where_it_is_told),
        cmocka_unit_test(an_unknown_key_of_a_section_names_those_that_there_are),
        cmocka_unit_test(a_secret_is_neither_printed_nor_quoted),
        cmocka_unit_test(what_may_be_a_secret_in_a_target_is_not_printed),
        cmocka_unit_test(what_is_set_to_nothing_is_told_from_what_is_not_set),
        cmocka_unit_test(what_is_not_set_is_a_comment_of_what_is_printed),
        cmocka_unit_test(a_limit_is_the_settings_else_the_spans_variable_else_the_general_one),
        cmocka_unit_test(the_length_of_values_has_variables_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
