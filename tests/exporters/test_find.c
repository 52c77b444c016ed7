/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/find.h"

#include "base/macro.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int load(void **state)
{
    return settings_load(NULL, NULL, 0, exporter_sections, (struct settings **)state);
}

static int unload(void **state)
{
    settings_free(*state);
    return 0;
}

static void a_word_its_target_and_its_settings_are_told_apart(void **state)
{
    static const struct {
        const char *spec, *name, *target;
    } cases[] = {
        {"file:/tmp/x", "file", "/tmp/x"},
        {"file:C:/x:y", "file", "C:/x:y"},
        {"console", "console", ""},
        {"console:", "console", ""},
        {"otlp;timeout=1s", "otlp", ""},
        {"otlp:http://a:1,http://b:2;timeout=1s;insecure=true", "otlp", "http://a:1,http://b:2"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        _cleanup_(exporter_choice_done) struct exporter_choice choice = {0};

        assert_int_equal(exporter_choose(cases[i].spec, *state, &choice), 0);
        assert_string_equal(choice.ops->settings.name, cases[i].name);
        assert_string_equal(choice.target, cases[i].target);
        assert_non_null(choice.settings);
    }
}

static void other_words_and_settings_are_refused(void **state)
{
    static const char *const specs[] = {"", ":", "fil", "files", "FILE", "file /x", ":file"};
    struct exporter_choice choice = {0};

    for (size_t i = 0; i < ELEMENTSOF(specs); i++)
        assert_int_equal(exporter_choose(specs[i], *state, &choice), -ENOENT);
    assert_int_equal(exporter_choose("console;color=red", *state, &choice), -EINVAL);
    assert_int_equal(exporter_choose("otlp;timeout=soon", *state, &choice), -EINVAL);
    assert_null(choice.ops);
}

static void every_exporter_is_whole_and_has_a_name_of_its_own(void **state)
{
    for (const struct exporter_ops *const *ops = exporters; *ops; ops++) {
        _cleanup_(exporter_choice_done) struct exporter_choice choice = {0};

        assert_non_null((*ops)->open);
        assert_non_null((*ops)->send);
        assert_non_null((*ops)->close);
        assert_true(bytes_starts_with(bytes_from_string((*ops)->usage),
                                      bytes_from_string((*ops)->settings.name)));
        assert_int_equal(exporter_choose((*ops)->settings.name, *state, &choice), 0);
        assert_ptr_equal(choice.ops, *ops);
        (*ops)->close(NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_its_target_and_its_settings_are_told_apart),
        cmocka_unit_test(other_words_and_settings_are_refused),
        cmocka_unit_test(every_exporter_is_whole_and_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
