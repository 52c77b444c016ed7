/* SPDX-License-Identifier: Apache-2.0 */
#include "config/settings.h"

#include "base/macro.h"
#include "config/setting.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

DEFINE_CLEANUP(struct settings, settings_free)

static void read_back(int fd, char *text, size_t size)
{
    ssize_t n = pread(fd, text, size - 1, 0);

    assert_true(n >= 0);
    text[n] = '\0';
}

static void what_is_printed_loads_to_the_same_values(void **state)
{
    _cleanup_(settings_freep) struct settings *first = NULL, *second = NULL;
    _cleanup_(closep) int fd = memfd_create("printed", MFD_CLOEXEC);
    _cleanup_(closep) int again = memfd_create("again", MFD_CLOEXEC);
    const char *const assignments[] = {
        "capture.head=1000", "exchange.grace=0ns", "batch.age=1500us", "status.listen=[::1]:0",
        "record=it's: #1, [a] \"b\" \\n", "exporters=console,file:a'b", "select.netns=1",
        "select.executables=*,&x,!y,- z",
    };
    char path[64], text[8192], text_again[8192];

    assert_int_equal(settings_load(NULL, (char *const *)assignments, ELEMENTSOF(assignments),
                                   NULL, &first), 0);
    assert_int_equal(settings_print(first, fd), 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    assert_int_equal(settings_load(path, NULL, 0, NULL, &second), 0);
    assert_int_equal(settings_print(second, again), 0);
    read_back(fd, text, sizeof(text));
    read_back(again, text_again, sizeof(text_again));
    assert_string_equal(text, text_again);
    assert_string_equal(second->record, "it's: #1, [a] \"b\" \\n");
    assert_string_equal(second->select_executables.items[3], "- z");
    assert_int_equal(second->select_executables.n, 4);
    assert_int_equal(second->batch_age, 1500000);
    assert_int_equal(second->capture_head, 1000);
    assert_int_equal(second->grace, 0);
}

static void the_reference_names_every_setting_with_its_default(void **state)
{
    _cleanup_(closep) int fd = memfd_create("reference", MFD_CLOEXEC);
    char text[32768], row[128];

    assert_int_equal(settings_print_reference(NULL, fd), 0);
    read_back(fd, text, sizeof(text));
    for (size_t i = 0; i < setting_count; i++) {
        snprintf(row, sizeof(row), "\n| `%s` | %s | ", setting_rows[i].key,
                 setting_type_name(setting_rows[i].type));
        assert_non_null(strstr(text, row));
    }
    assert_non_null(strstr(text, "| `capture.ring` | size | `4MiB` | "));
    assert_non_null(strstr(text, "OTEL_SERVICE_NAME"));
}

static void a_file_that_cannot_be_written_is_an_error(void **state)
{
    _cleanup_(settings_freep) struct settings *settings = NULL;
    _cleanup_(closep) int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    assert_int_equal(settings_load(NULL, NULL, 0, NULL, &settings), 0);
    assert_int_equal(settings_print(settings, full), -ENOSPC);
    assert_int_equal(settings_print_reference(NULL, full), -ENOSPC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_printed_loads_to_the_same_values),
        cmocka_unit_test(the_reference_names_every_setting_with_its_default),
        cmocka_unit_test(a_file_that_cannot_be_written_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
