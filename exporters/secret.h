/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values that should not stand in a configuration file or on a command line: written there as
 * file:PATH or env:NAME, they are read from that file or variable. For headers, passwords, tokens.
 */
#pragma once

#include "base/bytes.h"

#define SECRET_MAX (64 * 1024) /* of a file */

/*
 * "file:PATH": the file's content, without the line break at its end; "env:NAME": the variable's;
 * any other text is itself. The caller owns *ret_value. Nothing is logged. Returns 0 or a negative
 * errno: -ENOENT also for a variable that is not set, -EFBIG, -EINVAL for a NUL or a line break.
 */
int secret_read(const char *text, char **ret_value);
