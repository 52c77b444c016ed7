/* SPDX-License-Identifier: Apache-2.0 */
#include "config/settings.h"

#include "base/macro.h"
#include "config/setting.h"
#include "stderr_capture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

DEFINE_CLEANUP(struct settings, settings_free)

static void the_defaults_are_those_of_the_table(void **state)
{
    _cleanup_(settings_freep) struct settings *settings = NULL;

    assert_int_equal(settings_load(NULL, NULL, 0, &settings), 0);
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

    assert_int_equal(settings_load(NULL, NULL, 0, &settings), 0);
    for (size_t i = 0; i < setting_count; i++) {
        assert_ptr_equal(setting_find(setting_rows[i].key), &setting_rows[i]);
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
                                   &settings), 0);
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
                           "capture.ring, capture.hooks, capture.udp, capture.unix)"},
        {"what=1", "there is no setting \"what\" (there are: source, exporters, record, capture, "
                   "limits, exchange, select, context, names, redact, batch, queue, send, drain, "
                   "status, log)"},
        {"capture=1", "there is no setting \"capture\""},
        {"capture.head=63", "capture.head takes a size (bytes, KiB, MiB, GiB) from 64 to 16KiB"},
        {"capture.ring=5MiB", "from 256KiB to 64MiB, a power of two"},
        {"exchange.grace=5", "takes a duration (ns, us, ms, s, m, h) from 0ns to 10s"},
        {"select.ports=80,http", "a list, each item a port or a range of ports"},
        {"exporters=console,", "NAME or NAME:TARGET"},
        {"status.listen=localhost:1", "a numeric ADDRESS:PORT"},
        {"capture.hooks=kprobe", "auto, tracepoints or fexit"},
        {"log.level=loud", "error, warning, info or debug"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct settings *settings = (struct settings *)state;
        struct stderr_capture capture;
        int r;

        stderr_capture_begin(&capture);
        r = settings_load(NULL, (char *const *)&cases[i].assignment, 1, &settings);
        stderr_capture_end(&capture);
        assert_true(r == -EINVAL || r == -ERANGE);
        assert_ptr_equal(settings, state);
        if (!strstr(capture.text, cases[i].said))
            fail_msg("%s does not say %s", capture.text, cases[i].said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_those_of_the_table),
        cmocka_unit_test(keys_are_unique_and_defaults_lie_within_their_bounds),
        cmocka_unit_test(the_last_assignment_wins),
        cmocka_unit_test(a_bad_assignment_is_told_with_what_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
