/* SPDX-License-Identifier: Apache-2.0 */
/* Capture of standard error; its contract stands in stderr_capture.h. */
#include "stderr_capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

void stderr_capture_begin(struct stderr_capture *capture)
{
    capture->saved = dup(STDERR_FILENO);
    capture->memory = memfd_create("stderr", MFD_CLOEXEC);
    assert_true(capture->saved >= 0 && capture->memory >= 0);
    assert_int_equal(dup2(capture->memory, STDERR_FILENO), STDERR_FILENO);
}

void stderr_capture_end(struct stderr_capture *capture)
{
    ssize_t n = pread(capture->memory, capture->text, sizeof(capture->text) - 1, 0);

    assert_int_equal(dup2(capture->saved, STDERR_FILENO), STDERR_FILENO);
    assert_true(n >= 0);
    capture->text[n] = '\0';
    close(capture->memory);
    close(capture->saved);
}
