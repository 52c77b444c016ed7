/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/worker.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_word_and_its_target_are_told_apart(void **state)
{
    static const struct {
        const char *spec, *name, *target;
    } cases[] = {
        {"file:/tmp/x", "file", "/tmp/x"},
        {"file:C:/x:y", "file", "C:/x:y"},
        {"console", "console", ""},
        {"console:", "console", ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct exporter_ops *ops = NULL;
        const char *target = NULL;

        assert_int_equal(exporter_find(cases[i].spec, &ops, &target), 0);
        assert_string_equal(ops->settings.name, cases[i].name);
        assert_string_equal(target, cases[i].target);
    }
}

static void other_words_are_not_found(void **state)
{
    static const char *const specs[] = {"", ":", "fil", "files", "FILE", "file /x", ":file"};
    const struct exporter_ops *ops = NULL;
    const char *target = NULL;

    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++)
        assert_int_equal(exporter_find(specs[i], &ops, &target), -ENOENT);
    assert_null(ops);
    assert_null(target);
}

static void every_exporter_is_whole_and_has_a_name_of_its_own(void **state)
{
    for (const struct exporter_ops *const *ops = exporters; *ops; ops++) {
        const struct exporter_ops *found = NULL;
        const char *target;

        assert_non_null((*ops)->open);
        assert_non_null((*ops)->send);
        assert_non_null((*ops)->close);
        assert_true(bytes_starts_with(bytes_from_string((*ops)->usage),
                                      bytes_from_string((*ops)->settings.name)));
        assert_int_equal(exporter_find((*ops)->settings.name, &found, &target), 0);
        assert_ptr_equal(found, *ops);
        (*ops)->close(NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_and_its_target_are_told_apart),
        cmocka_unit_test(other_words_are_not_found),
        cmocka_unit_test(every_exporter_is_whole_and_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
