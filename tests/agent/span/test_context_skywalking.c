/* SPDX-License-Identifier: Apache-2.0 */
/* The ids expected here were computed by the rule of the Collector's receiver, not by this code. */
#include "carrier.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* base64 of 56a5e1c519ae4c76a2b8b11d92cead7f, of the same with .12.16563474296430001 behind it, and
 * of de5980b8-fce3-4a37-aab9-b4ac3af7eedd. */
#define SHORT "NTZhNWUxYzUxOWFlNGM3NmEyYjhiMTFkOTJjZWFkN2Y="
#define LONG "NTZhNWUxYzUxOWFlNGM3NmEyYjhiMTFkOTJjZWFkN2YuMTIuMTY1NjM0NzQyOTY0MzAwMDE="
#define UUID "ZGU1OTgwYjgtZmNlMy00YTM3LWFhYjktYjRhYzNhZjdlZWRk"
#define REST "-c2VydmljZQ==-aW5zdGFuY2U=-L2E=-YjoxMA=="

static void each_form_of_id_is_read(void **state)
{
    assert_gives("sw8", "1-" LONG "-" LONG "-3" REST, "56a5e1c515ae4c7613e51e7cf616977f",
                 "4640ffb9e3b8db09", 1);
    assert_gives("SW8", "0-" SHORT "-" SHORT "-0" REST, "56a5e1c519ae4c76a2b8b11d92cead7f",
                 "f41d50d88b60e109", 0);
    assert_gives("sw8", "1-" UUID "-" SHORT "-0" REST, "de5980b8fce34a37aab9b4ac3af7eedd",
                 "f41d50d88b60e109", 1);
}

static void what_is_not_of_this_form_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "1", "2-" LONG "-" LONG "-3" REST, "1-" LONG "-" LONG "-3",
        "1-" LONG "-" LONG "-x" REST,
        "1-" LONG "-" LONG "-4294967296" REST, "1-!!!!-" LONG "-3" REST, "1--" LONG "-3" REST,
        "1-YWJj-" LONG "-3" REST, "1-" LONG "-YWJj-3" REST,
        "1-" LONG LONG LONG LONG "-" LONG "-3" REST,
    };

    for (size_t i = 0; i < ELEMENTSOF(bad); i++)
        assert_invalid("sw8", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_of_id_is_read),
        cmocka_unit_test(what_is_not_of_this_form_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
