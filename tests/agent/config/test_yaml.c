/* SPDX-License-Identifier: Apache-2.0 */
#include "config/settings.h"

#include "base/macro.h"
#include "stderr_capture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

DEFINE_CLEANUP(struct settings, settings_free)

static int load(const char *yaml, struct settings **ret_settings)
{
    _cleanup_(closep) int fd = memfd_create("yaml", MFD_CLOEXEC);
    char path[64];

    assert_true(fd >= 0);
    assert_int_equal(write(fd, yaml, strlen(yaml)), strlen(yaml));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return settings_load(path, NULL, 0, NULL, ret_settings);
}

static void mappings_nest_as_the_dots_of_a_key(void **state)
{
    _cleanup_(settings_freep) struct settings *settings = NULL;

    assert_int_equal(load("# a comment\n"
                          "capture:\n"
                          "  head: 2KiB\n"
                          "  ring: 1M\n"
                          "exporters: [console, 'file:/tmp/a,b']\n"
                          "select:\n"
                          "  ports:\n"
                          "    - 80\n"
                          "    - 8000-8099\n"
                          "record:\n"
                          "exchange: {grace: 20ms}\n", &settings), 0);
    assert_int_equal(settings->capture_head, 2048);
    assert_int_equal(settings->capture_ring, 1 << 20);
    assert_int_equal(settings->exporters.n, 2);
    assert_string_equal(settings->exporters.items[1], "file:/tmp/a,b");
    assert_int_equal(settings->select_ports.n, 2);
    assert_string_equal(settings->select_ports.items[0], "80");
    assert_string_equal(settings->record, "");
    assert_int_equal(settings->grace, 20000000);
    assert_int_equal(settings->batch_spans, 512);
}

static void an_empty_file_gives_the_defaults(void **state)
{
    _cleanup_(settings_freep) struct settings *settings = NULL;

    assert_int_equal(load("", &settings), 0);
    assert_int_equal(settings->batch_spans, 512);
    settings_freep(&settings);
    assert_int_equal(load("# nothing\n---\ncapture:\n  # head: 4KiB\n", &settings), 0);
    assert_int_equal(settings->batch_spans, 512);
    settings_freep(&settings);
    assert_int_equal(load("---\n", &settings), 0);
    assert_int_equal(settings->batch_spans, 512);
}

static void an_error_names_its_line_and_what_is_allowed(void **state)
{
    static const struct {
        const char *yaml;
        const char *said;
    } cases[] = {
        {"capture:\n  head: 4KiB\n  heed: 1\n", ":3: there is no setting \"capture.heed\" "
                                                "(there are: capture.head, capture.ring, "
                                                "capture.hooks, capture.udp, capture.unix, "
                                                "capture.tls)"},
        {"\nwhat: 1\n", ":2: there is no setting \"what\" (there are: source,"},
        {"capture.head: 4KiB\n", ":1: there is no setting \"capture.head\""},
        {"capture:\n  head: big\n", ":2: capture.head takes a size (bytes, KiB, MiB, GiB) from 64 "
                                    "to 16KiB; it is \"big\""},
        {"capture:\n  head: 17KiB\n", ":2: capture.head takes a size"},
        {"capture:\n  head: [1]\n", ":2: capture.head takes a size: "},
        {"capture:\n  head: \"1024\\0\"\n", ":2: capture.head takes a size"},
        {"capture: 4KiB\n", ":1: \"capture\" holds settings"},
        {"exporters: console\n", ":1: exporters takes a list: "},
        {"exporters:\n- console\n- ''\n", ":2: exporters takes a list, each item NAME"},
        {"exporters:\n- [console]\n", ":2: exporters takes a list"},
        {"source: bpf\nrecord: a\nsource: bpf\n", ":3: \"source\" is set twice, first in line 1"},
        {"capture:\n  head: 1K\ncapture:\n  ring: 1M\n", ":3: \"capture\" is set twice"},
        {"? [a]\n: 1\n", ":1: a key must be a plain name"},
        {"- a\n", ":1: settings of the form"},
        {"source: bpf\n  x: [\n", ":2: "},
        {"source: bpf\n---\nsource: bpf\n", ": only one YAML document is expected"},
        {"capture: &a\n  head: *a\n", ":1: capture.head takes a size: "},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct settings *settings = (struct settings *)state;
        struct stderr_capture capture;
        int r;

        stderr_capture_begin(&capture);
        r = load(cases[i].yaml, &settings);
        stderr_capture_end(&capture);
        if (!strstr(capture.text, cases[i].said))
            fail_msg("%s does not say %s", capture.text, cases[i].said);
        assert_true(r == -EINVAL || r == -ERANGE);
        assert_ptr_equal(settings, state);
    }
}

static void a_missing_file_is_named(void **state)
{
    struct settings *settings = NULL;
    struct stderr_capture capture;
    int r;

    stderr_capture_begin(&capture);
    r = settings_load("/nonexistent/flowtrace.yaml", NULL, 0, NULL, &settings);
    stderr_capture_end(&capture);
    assert_int_equal(r, -ENOENT);
    assert_non_null(strstr(capture.text, "/nonexistent/flowtrace.yaml"));
    assert_null(settings);
}

static void a_file_that_is_too_large_for_a_configuration_is_refused(void **state)
{
    static char brackets[100000];
    struct settings *settings = NULL;
    struct stderr_capture capture;
    int r;

    memset(brackets, '[', sizeof(brackets) - 1);
    stderr_capture_begin(&capture);
    r = load(brackets, &settings);
    stderr_capture_end(&capture);
    assert_int_equal(r, -EFBIG);
    assert_null(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mappings_nest_as_the_dots_of_a_key),
        cmocka_unit_test(an_empty_file_gives_the_defaults),
        cmocka_unit_test(an_error_names_its_line_and_what_is_allowed),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(a_file_that_is_too_large_for_a_configuration_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
