/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a TLS connection: the authorities, and for mutual TLS a certificate and its key, all
 * PEM. They are read when a channel is made, and whoever replaces them gets a new channel with the
 * next call.
 */
#pragma once

#include "rpc/client.h"

#include <sys/types.h>
#include <time.h>

/* What tells a file from the one that was there before. */
struct tls_stamp {
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct tls_files {
    const struct rpc_tls *tls;
    struct tls_stamp stamps[3];
};

/* The content of each file, or NULL where there is none. */
struct tls_content {
    char *ca, *certificate, *key;
};

/* Whether a file is not what it was when it was read; one that is gone has not changed. */
bool tls_changed(const struct tls_files *files);

/* Reads all files and notes their stamps. 0, or a negative errno and in *ret_path whose. */
int tls_read(struct tls_files *files, struct tls_content *ret_content, const char **ret_path);
void tls_content_done(struct tls_content *content);
