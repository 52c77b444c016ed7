/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets that a receiver listens on: opened with the rights that the settings say. */
#pragma once

#include "config/settings.h"

#include <sys/types.h>

/* A socket in the file system; a path of "" is none. */
struct local_socket {
    int fd;
    char path[108];
    dev_t device; /* of the path, so that nobody else's is removed */
    ino_t inode;
};

/*
 * A UNIX socket of this type (SOCK_STREAM: listening) as receivers.directory/NAME, mode 0660, of
 * the group receivers.group. A stale one is replaced; one that somebody answers on is an error.
 * Logs what failed. Returns 0 or a negative errno.
 */
int local_socket_open(const struct settings *settings, const char *name, int type,
                      struct local_socket *ret_socket);
void local_socket_done(struct local_socket *local); /* removes the path; the fd may be gone */

/* Listens on receivers.http. Logs what failed. Returns 0 or a negative errno. */
int tcp_socket_open(const struct settings *settings, int *ret_fd, uint16_t *ret_port);
