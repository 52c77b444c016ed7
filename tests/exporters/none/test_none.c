/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/exporter.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

extern const struct exporter_ops exporter_none;

static void every_batch_is_taken_at_once(void **state)
{
    struct exporter_options options = {.target = ""};
    struct batch batch = {.n_spans = 7};
    void *exporter = &options;

    assert_int_equal(exporter_none.open(&options, &exporter), 0);
    struct export_outcome outcome = exporter_none.send(exporter, &batch);
    assert_int_equal(outcome.result, EXPORT_OK);
    assert_int_equal(outcome.rejected_spans, 0);
    exporter_none.close(exporter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_batch_is_taken_at_once)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
