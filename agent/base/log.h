/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line per event to standard error: time, level, text. A line is one write(2), so threads do
 * not mix. The level is the only mutable global of the program. Rooms that never log: base (but
 * this file), span, protocols, causality, track, policy.
 */
#pragma once

#include "base/macro.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);

/* "error", "warning", "info", "debug". Returns 0 or -EINVAL. */
int log_level_from_string(const char *name, enum log_level *ret_level);

void log_line(enum log_level level, const char *format, ...) _printf_(2, 3);

/* Logs, with the name of `error` (0 or a negative errno) at the end, and returns `error`. */
int log_error(int error, const char *format, ...) _printf_(2, 3);

#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)
