/* SPDX-License-Identifier: Apache-2.0 */
/* The files of TLS; the contracts stand in tls.h. */
#include "rpc/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define FILE_MAX ((size_t)4 << 20)

static const char *path_of(const struct rpc_tls *tls, size_t i)
{
    const char *path = i == 0 ? tls->ca : i == 1 ? tls->certificate : tls->key;

    return path && *path ? path : NULL;
}

static struct tls_stamp stamp_of(const struct stat *info)
{
    return (struct tls_stamp){info->st_ino, info->st_size, info->st_mtim};
}

static bool is_same(const struct tls_stamp *a, const struct tls_stamp *b)
{
    return a->inode == b->inode && a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
           a->changed.tv_nsec == b->changed.tv_nsec;
}

bool tls_changed(const struct tls_files *files)
{
    for (size_t i = 0; i < ELEMENTSOF(files->stamps); i++) {
        const char *path = path_of(files->tls, i);
        struct tls_stamp stamp;
        struct stat info;

        if (!path || stat(path, &info) < 0)
            continue;
        stamp = stamp_of(&info);
        if (!is_same(&stamp, &files->stamps[i]))
            return true;
    }
    return false;
}

static int read_file(const char *path, struct tls_stamp *ret_stamp, char **ret_text)
{
    _cleanup_(buffer_done) struct buffer text = buffer_make(FILE_MAX);
    _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    char block[4096];
    ssize_t n;

    if (fd < 0 || fstat(fd, &info) < 0)
        return -errno;
    while ((n = read(fd, block, sizeof(block))) > 0)
        buffer_append(&text, block, (size_t)n);
    if (n < 0)
        return -errno;
    buffer_append(&text, "", 1);
    if (text.failed)
        return -EFBIG;
    *ret_stamp = stamp_of(&info);
    *ret_text = (char *)TAKE_PTR(text.ptr);
    return 0;
}

int tls_read(struct tls_files *files, struct tls_content *ret_content, const char **ret_path)
{
    _cleanup_(tls_content_done) struct tls_content content = {0};
    char **const texts[] = {&content.ca, &content.certificate, &content.key};

    for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
        const char *path = path_of(files->tls, i);
        int r = path ? read_file(path, &files->stamps[i], texts[i]) : 0;

        if (r < 0) {
            *ret_path = path;
            return r;
        }
    }
    *ret_content = content;
    content = (struct tls_content){0};
    return 0;
}

void tls_content_done(struct tls_content *content)
{
    free(content->ca);
    free(content->certificate);
    free(content->key);
}
