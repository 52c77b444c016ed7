/* SPDX-License-Identifier: Apache-2.0 */
/* The contract stands in socket.h. */
#include "source/receiver/socket.h"

#include "base/log.h"
#include "config/forms.h"

#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>

#define BACKLOG 128
#define SOCKET_MODE 0660
#define DIRECTORY_MODE 0755

/* -EADDRINUSE where somebody answers on the path, else 0. */
static int remove_stale(const struct sockaddr_un *address, int type)
{
    _cleanup_(closep) int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    struct stat info;

    if (lstat(address->sun_path, &info) < 0)
        return 0;
    if (!S_ISSOCK(info.st_mode) ||
        connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
        return -EADDRINUSE;
    return unlink(address->sun_path) < 0 ? -errno : 0;
}

static int give_to_group(const struct settings *settings, const char *path)
{
    const char *name = settings->receivers_group;
    const struct group *group;

    if (chmod(path, SOCKET_MODE) < 0)
        return log_error(-errno, "cannot set the mode of %s", path);
    if (!*name)
        return 0;
    group = getgrnam(name);
    if (!group)
        return log_error(-ENOENT, "receivers.group: there is no group \"%s\"", name);
    if (chown(path, (uid_t)-1, group->gr_gid) < 0)
        return log_error(-errno, "receivers.group: cannot give %s to \"%s\"", path, name);
    return 0;
}

/* Nobody else can open it between bind and chmod: the umask is the process's, so the mode is 0. */
static int bind_path(int fd, const struct sockaddr_un *address)
{
    int r = fchmod(fd, 0) < 0 ? -errno : 0;

    if (r == 0 && bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
        r = -errno;
    return r;
}

int local_socket_open(const struct settings *settings, const char *name, int type,
                      struct local_socket *ret_socket)
{
    const char *directory = settings->receivers_directory;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct local_socket local = {.fd = -1};
    struct stat info;
    int r, n = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", directory, name);

    if ((size_t)n >= sizeof(address.sun_path))
        return log_error(-ENAMETOOLONG, "receivers.directory: %s is too long for a socket's path",
                         directory);
    if (mkdir(directory, DIRECTORY_MODE) < 0 && errno != EEXIST)
        return log_error(-errno, "receivers.directory: cannot make %s", directory);
    local.fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    r = local.fd < 0 ? -errno : remove_stale(&address, type);
    if (r == 0)
        r = bind_path(local.fd, &address);
    if (r < 0) {
        closep(&local.fd);
        return log_error(r, "receivers.directory: cannot listen on %s%s", address.sun_path,
                         r == -EADDRINUSE ? " (another agent does, or it is no socket)" : "");
    }
    snprintf(local.path, sizeof(local.path), "%s", address.sun_path);
    if (stat(local.path, &info) == 0) {
        local.device = info.st_dev;
        local.inode = info.st_ino;
    }
    r = give_to_group(settings, local.path);
    if (r == 0 && type == SOCK_STREAM && listen(local.fd, BACKLOG) < 0)
        r = log_error(-errno, "cannot listen on %s", local.path);
    if (r < 0) {
        local_socket_done(&local);
        return r;
    }
    *ret_socket = local;
    return 0;
}

void local_socket_done(struct local_socket *local)
{
    struct stat info;

    if (*local->path && stat(local->path, &info) == 0 && info.st_dev == local->device &&
        info.st_ino == local->inode)
        unlink(local->path);
    *local->path = '\0';
    closep(&local->fd);
}

int tcp_socket_open(const struct settings *settings, int *ret_fd, uint16_t *ret_port)
{
    const char *listen_on = settings->receivers_http;
    struct sockaddr_storage address;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address;
    const struct sockaddr_in *in = (const struct sockaddr_in *)&address;
    _cleanup_(closep) int fd = -1;
    const int one = 1;
    socklen_t length;

    if (form_parse_address(listen_on, &address, &length) < 0)
        return log_error(-EINVAL, "receivers.http: %s is not a numeric ADDRESS:PORT", listen_on);
    fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return log_error(-errno, "receivers.http: no socket for %s", listen_on);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, BACKLOG) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        return log_error(-errno, "receivers.http: cannot listen on %s", listen_on);
    *ret_port = ntohs(address.ss_family == AF_INET6 ? in6->sin6_port : in->sin_port);
    *ret_fd = TAKE_FD(fd);
    return 0;
}
