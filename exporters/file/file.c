/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans into a file: each batch is one line, an ExportTraceServiceRequest in OTLP/JSON, as the
 * OpenTelemetry Collector's file receiver reads it (specification/protocol/file-exporter.md). The
 * file is made for its owner alone and appended to. A line is one write; what is left of a partial
 * write is kept and written first, so that a line is neither torn nor doubled by a retry.
 */
#include "exporters/exporter.h"

#include "base/log.h"
#include "base/macro.h"
#include "otlp/otlp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

/* JSON is longer than the bytes it stands for: at most 6 characters for one, and the key names. */
#define LINE_MAX_BYTES (UINT64_C(512) << 20)

struct file_exporter {
    int fd;
    const struct batch *batch; /* whose line is being written, or NULL */
    size_t written;            /* bytes of it */
    bool torn;                 /* a lost line ends in the middle: the next starts with a newline */
    struct buffer line;
    char *path;
    char reason[256];
};

static void file_close(void *exporter)
{
    struct file_exporter *file = exporter;

    if (!file)
        return;
    buffer_done(&file->line);
    closep(&file->fd);
    free(file->path);
    free(file);
}

static void file_closep(struct file_exporter **file)
{
    file_close(*file);
}

static int file_open(const struct exporter_options *options, void **ret_exporter)
{
    _cleanup_(file_closep) struct file_exporter *file = calloc(1, sizeof(*file));

    if (!file)
        return log_error(-ENOMEM, "exporter file");
    file->fd = -1;
    file->line = buffer_make(LINE_MAX_BYTES);
    if (options->target[0] == '\0')
        return log_error(-EINVAL, "exporter file: no path: give file:PATH");
    file->path = strdup(options->target);
    if (!file->path)
        return log_error(-ENOMEM, "exporter file");
    file->fd = open(file->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
    if (file->fd < 0)
        return log_error(-errno, "exporter file: cannot open %s", file->path);
    *ret_exporter = TAKE_PTR(file);
    return 0;
}

static struct export_outcome failed(struct file_exporter *file, enum export_result result,
                                    const char *what, int error)
{
    snprintf(file->reason, sizeof(file->reason), "%s %s: %s", what, file->path, strerror(-error));
    return (struct export_outcome){.result = result, .reason = file->reason};
}

static int write_line(struct file_exporter *file)
{
    ssize_t n;

    while (file->written < file->line.len) {
        n = write(file->fd, file->line.ptr + file->written, file->line.len - file->written);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        file->written += (size_t)n;
    }
    return 0;
}

/* Space may be made, a reader of a pipe may come back; other errors do not pass. */
static bool may_pass(int error)
{
    return error == -ENOSPC || error == -EDQUOT || error == -EAGAIN || error == -EPIPE;
}

/* Fills the line anew. Returns 0 or a negative errno. */
static int encode_line(struct file_exporter *file, const struct batch *batch)
{
    int r;

    buffer_reset(&file->line);
    file->written = 0;
    if (file->torn)
        buffer_append(&file->line, "\n", 1);
    r = otlp_encode_json(batch, &file->line);
    buffer_append(&file->line, "\n", 1);
    if (r < 0)
        return r;
    return file->line.failed ? -ENOBUFS : 0;
}

static struct export_outcome file_send(void *exporter, const struct batch *batch)
{
    struct file_exporter *file = exporter;
    int r;

    if (batch != file->batch) {
        r = encode_line(file, batch);
        if (r < 0)
            return failed(file, r == -ENOMEM ? EXPORT_RETRY : EXPORT_FAILED,
                          "cannot encode a line of", r);
        file->batch = batch;
    }
    r = write_line(file);
    if (r < 0 && may_pass(r))
        return failed(file, EXPORT_RETRY, "cannot write", r);
    file->batch = NULL;
    file->torn = r < 0 && (file->torn || file->written > 0);
    if (r < 0)
        return failed(file, EXPORT_FAILED, "cannot write", r);
    return (struct export_outcome){.result = EXPORT_OK};
}

const struct exporter_ops exporter_file = {
    .settings = {.name = "file"},
    .usage = "file:PATH                   OTLP/JSON in a file, one request per line",
    .open = file_open,
    .send = file_send,
    .close = file_close,
};
