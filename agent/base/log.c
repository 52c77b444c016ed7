/* SPDX-License-Identifier: Apache-2.0 */
/* Logging; its contract stands in log.h. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LOG_LINE_MAX 1024

static const char *const level_names[] = {"error", "warning", "info", "debug"};
static _Atomic int current_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&current_level, (int)level, memory_order_relaxed);
}

int log_level_from_string(const char *name, enum log_level *ret_level)
{
    for (size_t i = 0; i < ELEMENTSOF(level_names); i++)
        if (strcmp(name, level_names[i]) == 0) {
            *ret_level = (enum log_level)i;
            return 0;
        }
    return -EINVAL;
}

static void write_line(enum log_level level, int error, const char *format, va_list args)
{
    char line[LOG_LINE_MAX];
    struct timespec now;
    struct tm tm;
    size_t n;

    if ((int)level > atomic_load_explicit(&current_level, memory_order_relaxed))
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &tm);
    n = strftime(line, sizeof(line), "%H:%M:%S ", &tm);
    n += (size_t)snprintf(line + n, sizeof(line) - n, "%s: ", level_names[level]);
    n += (size_t)MAX(vsnprintf(line + n, sizeof(line) - n, format, args), 0);
    n = MIN(n, sizeof(line) - 2);
    if (error < 0)
        n += (size_t)snprintf(line + n, sizeof(line) - n, ": %s", strerror(-error));
    n = MIN(n, sizeof(line) - 2);
    line[n++] = '\n';
    /* Nothing sensible can be done where standard error itself fails. */
    if (write(STDERR_FILENO, line, n) < 0)
        return;
}

void log_line(enum log_level level, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    write_line(level, 0, format, args);
    va_end(args);
}

int log_error(int error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    write_line(LOG_LEVEL_ERROR, error, format, args);
    va_end(args);
    return error;
}
