/* SPDX-License-Identifier: Apache-2.0 */
/* Reading secrets; the contract stands in secret.h. */
#include "exporters/secret.h"

#include "base/macro.h"

#include <errno.h>
#include <fcntl.h>

#define FROM_FILE "file:"
#define FROM_ENVIRONMENT "env:"

static int copy_line(const char *text, size_t len, char **ret_value)
{
    char *copy;

    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    if (memchr(text, '\0', len) || memchr(text, '\n', len) || memchr(text, '\r', len))
        return -EINVAL;
    copy = strndup(text, len);
    if (!copy)
        return -ENOMEM;
    *ret_value = copy;
    return 0;
}

static int read_file(const char *path, char **ret_value)
{
    _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    _cleanup_(freep) char *text = malloc(SECRET_MAX + 1);
    size_t len = 0;
    ssize_t n = 1;

    if (fd < 0)
        return -errno;
    if (!text)
        return -ENOMEM;
    while (len <= SECRET_MAX && (n = read(fd, text + len, SECRET_MAX + 1 - len)) > 0)
        len += (size_t)n;
    if (n < 0)
        return -errno;
    return len > SECRET_MAX ? -EFBIG : copy_line(text, len, ret_value);
}

int secret_read(const char *text, char **ret_value)
{
    const char *value = text;

    if (strncmp(text, FROM_FILE, strlen(FROM_FILE)) == 0)
        return read_file(text + strlen(FROM_FILE), ret_value);
    if (strncmp(text, FROM_ENVIRONMENT, strlen(FROM_ENVIRONMENT)) == 0)
        value = getenv(text + strlen(FROM_ENVIRONMENT));
    return value ? copy_line(value, strlen(value), ret_value) : -ENOENT;
}
