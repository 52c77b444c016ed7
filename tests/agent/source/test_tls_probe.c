/* SPDX-License-Identifier: Apache-2.0 */
/* Which files have TLS that is not seen; e2e/test_tls_blind.py has real ones of each kind. */
#include "source/tls_probe.h"

#include "base/macro.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

/* The marks of such files are in this program too, since it can tell them. */
static void who_tells_such_files_is_none(void **state)
{
    _cleanup_(closep) int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_null(tls_library_of(fd));
    assert_null(tls_blind_of(fd, "flowtrace-agent"));
}

static void a_file_is_told_by_its_name_whatever_is_in_it(void **state)
{
    _cleanup_(closep) int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    assert_string_equal(tls_blind_of(fd, "libjvm.so")->library, "Java");
    assert_string_equal(tls_blind_of(fd, "libssl3.so")->library, "NSS");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_tells_such_files_is_none),
        cmocka_unit_test(a_file_is_told_by_its_name_whatever_is_in_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
