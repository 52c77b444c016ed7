/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/secret.h"

#include "base/macro.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void assert_secret(const char *text, const char *expected)
{
    _cleanup_(freep) char *value = NULL;

    assert_int_equal(secret_read(text, &value), 0);
    assert_string_equal(value, expected);
}

static void assert_no_secret(const char *text, int error)
{
    char *value = NULL;

    assert_int_equal(secret_read(text, &value), error);
    assert_null(value);
}

static void any_other_text_is_itself(void **state)
{
    assert_secret("hunter2", "hunter2");
    assert_secret("", "");
    assert_secret("files:x", "files:x");
}

static void a_variable_is_read_and_one_that_is_not_set_is_an_error(void **state)
{
    setenv("FLOWTRACE_TEST_SECRET", "from there", 1);
    assert_secret("env:FLOWTRACE_TEST_SECRET", "from there");
    unsetenv("FLOWTRACE_TEST_SECRET");
    assert_no_secret("env:FLOWTRACE_TEST_SECRET", -ENOENT);
}

static void a_file_is_read_without_its_last_line_break(void **state)
{
    char path[] = "/tmp/flowtrace-test-XXXXXX", text[64];
    int fd = mkstemp(path);

    snprintf(text, sizeof(text), "file:%s", path);
    assert_int_equal(write(fd, "token\r\n", 7), 7);
    assert_secret(text, "token");
    assert_int_equal(write(fd, "more", 4), 4);
    assert_no_secret(text, -EINVAL);
    assert_int_equal(ftruncate(fd, SECRET_MAX + 1), 0);
    assert_no_secret(text, -EFBIG);
    close(fd);
    unlink(path);
    assert_no_secret(text, -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_other_text_is_itself),
        cmocka_unit_test(a_variable_is_read_and_one_that_is_not_set_is_an_error),
        cmocka_unit_test(a_file_is_read_without_its_last_line_break),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
