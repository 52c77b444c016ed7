/* SPDX-License-Identifier: Apache-2.0 */
#include "status/status.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_metric_has_its_help_and_type(void **state)
{
    _cleanup_(buffer_done) struct buffer out = buffer_make(4096);

    status_metric(&out, "spans_total", "counter", "spans made", NULL, UINT64_MAX);
    assert_true(bytes_equal(buffer_bytes(&out),
                            BYTES_LITERAL("# HELP spans_total spans made\n"
                                          "# TYPE spans_total counter\n"
                                          "spans_total 18446744073709551615\n")));
}

static void samples_of_one_name_share_them(void **state)
{
    _cleanup_(buffer_done) struct buffer out = buffer_make(4096);

    status_metric(&out, "sent", "gauge", "all", "exporter=\"file\"", 1);
    status_metric(&out, "sent", "gauge", "all", "exporter=\"console\"", 2);
    status_metric(&out, "sen", "gauge", "other", NULL, 3);
    assert_true(bytes_equal(buffer_bytes(&out), BYTES_LITERAL("# HELP sent all\n"
                                                              "# TYPE sent gauge\n"
                                                              "sent{exporter=\"file\"} 1\n"
                                                              "sent{exporter=\"console\"} 2\n"
                                                              "# HELP sen other\n"
                                                              "# TYPE sen gauge\n"
                                                              "sen 3\n")));
}

static void a_full_buffer_is_marked_failed(void **state)
{
    _cleanup_(buffer_done) struct buffer out = buffer_make(16);

    status_metric(&out, "spans_total", "counter", "spans made", NULL, 1);
    assert_true(out.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_metric_has_its_help_and_type),
        cmocka_unit_test(samples_of_one_name_share_them),
        cmocka_unit_test(a_full_buffer_is_marked_failed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
