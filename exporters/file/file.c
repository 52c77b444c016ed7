/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans into a file: each batch is one line, an ExportTraceServiceRequest in OTLP/JSON, as the
 * OpenTelemetry Collector's file receiver reads it (specification/protocol/file-exporter.md). The
 * file is made for its owner alone and appended to. A line is one write; what is left of a partial
 * write is kept and written first, so that a line is neither torn nor doubled by a retry.
 *
 * Before a line that would make the file larger than file.max_size, and when it is older than
 * file.max_age, a regular file becomes PATH.1, what was that PATH.2, and so on to PATH.{file.keep};
 * what was the last one is gone. A pipe or device is never rotated.
 */
#include "exporters/exporter.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/macro.h"
#include "otlp/otlp.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

/* JSON is longer than the bytes it stands for: at most 6 characters for one, and the key names. */
#define LINE_MAX_BYTES (UINT64_C(512) << 20)

struct file_settings {
    uint64_t max_size, max_age, keep;
};

#define AT(member) .offset = offsetof(struct file_settings, member)

static const struct setting rows[] = {
    {"max_size", SETTING_SIZE, "0", 0, UINT64_C(1) << 40, AT(max_size),
     .description = "The file is rotated before it has more bytes; 0: never for its size."},
    {"max_age", SETTING_DURATION, "0s", 0, UINT64_C(8760) * 3600 * NS_PER_S, AT(max_age),
     .description = "The file is rotated when it is so old, counted from when it was made; 0: "
                    "never for its age."},
    {"keep", SETTING_INTEGER, "5", 1, 1000, AT(keep),
     .description = "So many rotated files are kept, `PATH.1` the youngest."},
};

struct file_exporter {
    const struct file_settings *settings;
    uint64_t begun_ns; /* its age begins here, which may be before the clock did */
    uint64_t size;     /* of a regular file; else nothing is rotated */
    bool regular;
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

/* Of one that was there before, too; 0 where the file system does not know when it was made. */
static uint64_t age_of(int fd)
{
    uint64_t now_ns = clock_ns(CLOCK_REALTIME), made_ns;
    struct statx info;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &info) < 0 || !(info.stx_mask & STATX_BTIME))
        return 0;
    made_ns = (uint64_t)info.stx_btime.tv_sec * NS_PER_S + info.stx_btime.tv_nsec;
    return now_ns - MIN(made_ns, now_ns);
}

static int open_path(struct file_exporter *file)
{
    struct stat info;
    int fd = open(file->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);

    if (fd < 0 || fstat(fd, &info) < 0) {
        int r = -errno;

        closep(&fd);
        return r;
    }
    closep(&file->fd);
    file->fd = fd;
    file->regular = S_ISREG(info.st_mode);
    file->size = file->regular ? (uint64_t)info.st_size : 0;
    file->begun_ns = clock_ns(CLOCK_MONOTONIC) - age_of(fd);
    return 0;
}

static int file_open(const struct exporter_options *options, void **ret_exporter)
{
    _cleanup_(file_closep) struct file_exporter *file = calloc(1, sizeof(*file));
    int r;

    if (!file)
        return log_error(-ENOMEM, "exporter file");
    file->fd = -1;
    file->settings = options->settings;
    file->line = buffer_make(LINE_MAX_BYTES);
    if (options->target[0] == '\0')
        return log_error(-EINVAL, "exporter file: no path: give file:PATH");
    file->path = strdup(options->target);
    if (!file->path)
        return log_error(-ENOMEM, "exporter file");
    r = open_path(file);
    if (r < 0)
        return log_error(r, "exporter file: cannot open %s", file->path);
    *ret_exporter = TAKE_PTR(file);
    return 0;
}

/* ---- rotation -------------------------------------------------------------------------------- */

/* PATH.n, or PATH itself for 0. The caller frees it; NULL for want of memory. */
static char *numbered(const char *path, uint64_t n)
{
    char *name;

    if (n == 0)
        return strdup(path);
    return asprintf(&name, "%s.%" PRIu64, path, n) < 0 ? NULL : name;
}

/* PATH.n-1 becomes PATH.n; that there is none is no error. */
static int move_up(const char *path, uint64_t n)
{
    _cleanup_(freep) char *from = numbered(path, n - 1);
    _cleanup_(freep) char *to = numbered(path, n);

    if (!from || !to)
        return -ENOMEM;
    return rename(from, to) < 0 && errno != ENOENT ? -errno : 0;
}

/* The first of PATH, PATH.1, ... that is not there, or `last`. */
static int first_free(const char *path, uint64_t last, uint64_t *ret_n)
{
    for (*ret_n = 0; *ret_n < last; ++*ret_n) {
        _cleanup_(freep) char *name = numbered(path, *ret_n);

        if (!name)
            return -ENOMEM;
        if (access(name, F_OK) < 0 && errno == ENOENT)
            break;
    }
    return 0;
}

/*
 * Only what is below the first free name moves up: a rotation that failed goes on where it was, also
 * when everything is moved and only PATH could not be made, and costs no rotated file twice.
 */
static int rotate(struct file_exporter *file)
{
    uint64_t free_name;
    int r = first_free(file->path, file->settings->keep, &free_name);

    if (r < 0)
        return r;
    for (uint64_t n = free_name; n > 0; n--) {
        r = move_up(file->path, n);
        if (r < 0)
            return r;
    }
    r = open_path(file);
    if (r < 0)
        return r;
    /* The newline that was to end a torn line is not needed here. */
    file->written = file->torn ? 1 : 0;
    file->torn = false;
    return 0;
}

static bool is_due(const struct file_exporter *file)
{
    uint64_t age = clock_ns(CLOCK_MONOTONIC) - file->begun_ns;
    const struct file_settings *settings = file->settings;

    if (!file->regular || file->size == 0)
        return false;
    return (settings->max_size && file->size + file->line.len > settings->max_size) ||
           (settings->max_age && age >= settings->max_age);
}

/* ---- send ------------------------------------------------------------------------------------ */

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
        file->size += file->regular ? (uint64_t)n : 0;
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
    r = file->written == 0 && is_due(file) ? rotate(file) : 0;
    if (r < 0)
        return failed(file, EXPORT_RETRY, "cannot rotate", r);
    r = write_line(file);
    if (r < 0 && may_pass(r))
        return failed(file, EXPORT_RETRY, "cannot write", r);
    file->batch = NULL;
    file->torn = r < 0 && (file->torn || file->written > 0);
    if (r < 0)
        return failed(file, EXPORT_FAILED, "cannot write", r);
    return (struct export_outcome){.result = EXPORT_OK, .bytes = file->line.len};
}

const struct exporter_ops exporter_file = {
    .settings = {.name = "file", .rows = rows, .n_rows = ELEMENTSOF(rows),
                 .size = sizeof(struct file_settings)},
    .usage = "file:PATH                   OTLP/JSON in a file, one request per line",
    .open = file_open,
    .send = file_send,
    .close = file_close,
};
