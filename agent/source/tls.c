/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that were looked at are remembered by what the kernel calls them (device, inode,
 * generation), in a cache where a collision costs a second look; files with probes are a list,
 * by what the file itself says, so that none gets its probes twice. Containers of one image see the
 * same file, for which the kernel has the same probes, through overlay file systems with device
 * numbers of their own.
 *
 * A probe keeps its file, and the file system that it was reached by. Where the agent cannot reach
 * the file by its name any more, it is deleted or a container's, and goes with its last process.
 */
#include "source/tls.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/macro.h"
#include "source/mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/magic.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define SEEN_LEN 16384 /* a power of two */
#define FILES_MAX 1024
#define TIDY_EVERY_MS 30000
#define AT_ONCE 16
#define SURVEY_MAX 8192

/* Programs that live shorter than it takes to find their library shall find it probed. */
static const char *const library_patterns[] = {
    "/usr/lib/*/libssl.so*",  "/usr/lib/*/libgnutls.so*",  "/lib/*/libssl.so*",
    "/lib/*/libgnutls.so*",   "/usr/lib64/libssl.so*",     "/usr/lib64/libgnutls.so*",
    "/usr/lib/libssl.so*",    "/usr/lib/libgnutls.so*",    "/usr/local/lib/libssl.so*",
};

struct file_id {
    dev_t device;
    bool overlay; /* `device` is one of many that show the same file, */
    uint32_t inode; /* and above these bits the inode may say which layer it is in */
    off_t size;
    struct timespec changed;
};

struct probed_file {
    struct file_id id;
    int fd;
    pid_t user;  /* a process that mapped it, 0: none yet */
    bool own;    /* in the agent's own mount namespace it has a name */
    bool in_use; /* for forget_unused */
    struct tls_probes probes;
};

struct tls {
    pthread_t thread;
    bool running;
    int stop_fd;
    struct tls_programs programs;
    uint32_t *n_files; /* how many of `files` there are, for all to see */
    struct mapped *mapped;
    uint64_t seen[SEEN_LEN];
    struct probed_file *files; /* FILES_MAX */
};

static bool read_id(int fd, struct file_id *ret_id)
{
    struct statfs system;
    struct stat stat;

    if (fstat(fd, &stat) < 0 || fstatfs(fd, &system) < 0)
        return false;
    *ret_id = (struct file_id){stat.st_dev, system.f_type == OVERLAYFS_SUPER_MAGIC,
                               (uint32_t)stat.st_ino, stat.st_size, stat.st_ctim};
    return true;
}

static bool is_same(const struct file_id *a, const struct file_id *b)
{
    return (a->device == b->device || a->overlay || b->overlay) && a->inode == b->inode &&
           a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
           a->changed.tv_nsec == b->changed.tv_nsec;
}

static struct probed_file *find_probed(const struct tls *tls, const struct file_id *id)
{
    for (size_t i = 0; i < *tls->n_files; i++)
        if (is_same(&tls->files[i].id, id))
            return &tls->files[i];
    return NULL;
}

/* Is the file what this path means here? */
static bool is_at(const char *path, int fd)
{
    struct stat there, here;

    return stat(path, &there) == 0 && fstat(fd, &here) == 0 && there.st_dev == here.st_dev &&
           there.st_ino == here.st_ino;
}

static void look_at(struct tls *tls, int fd, const char *path, pid_t user)
{
    struct probed_file *file = &tls->files[*tls->n_files], *known;
    struct file_id id;
    int r;

    if (!read_id(fd, &id))
        return;
    known = find_probed(tls, &id);
    if (known) {
        known->user = user;
        return;
    }
    if (*tls->n_files == FILES_MAX) {
        log_warning("%s: no TLS probes: %d files have them already", path, FILES_MAX);
        return;
    }
    r = tls_probes_add(fd, &tls->programs, &file->probes);
    if (r < 0 && r != -ENOEXEC)
        log_error(r, "%s: cannot put TLS probes there", path);
    if (r != 1)
        return;
    file->id = id;
    file->fd = dup(fd);
    file->user = user;
    file->own = is_at(path, fd);
    __atomic_store_n(tls->n_files, *tls->n_files + 1, __ATOMIC_RELEASE);
    log_info("TLS: %zu functions of %s in %s", file->probes.n_functions, file->probes.library,
             path);
}

/* ---- files that are gone --------------------------------------------------------------------- */

/* Deleted, or of a container, and the process that was known to use it has ended. */
static bool may_be_unused(const struct probed_file *file)
{
    struct stat stat;
    bool is_deleted = fstat(file->fd, &stat) == 0 && stat.st_nlink == 0;

    return is_deleted || (!file->own && kill(file->user, 0) < 0 && errno == ESRCH);
}

static void note_use(void *arg, const struct mapped_file *mapped)
{
    struct tls *tls = arg;

    for (size_t i = 0; i < *tls->n_files; i++) {
        struct probed_file *file = &tls->files[i];

        if (file->id.inode != (uint32_t)mapped->inode)
            continue;
        file->in_use = true;
        file->user = (pid_t)mapped->pid;
    }
}

static void drop_file(struct tls *tls, size_t i)
{
    size_t last = *tls->n_files - 1;

    log_debug("TLS: a file with probes is gone");
    tls_probes_remove(&tls->files[i].probes);
    closep(&tls->files[i].fd);
    tls->files[i] = tls->files[last];
    memset(tls->seen, 0, sizeof(tls->seen)); /* who maps it again shall find it probed again */
    __atomic_store_n(tls->n_files, (uint32_t)last, __ATOMIC_RELEASE);
}

/* A probe keeps its file's blocks on the disk: where nobody else needs them, it goes. */
static void forget_unused(struct tls *tls)
{
    size_t n_unused = 0;

    for (size_t i = 0; i < *tls->n_files; i++) {
        tls->files[i].in_use = !may_be_unused(&tls->files[i]);
        n_unused += !tls->files[i].in_use;
    }
    if (n_unused)
        mapped_scan(note_use, tls);
    for (size_t i = *tls->n_files; i > 0 && n_unused; i--)
        if (!tls->files[i - 1].in_use)
            drop_file(tls, i - 1);
}

/* ---- files that come ------------------------------------------------------------------------- */

static void take_mapped(void *arg, const struct mapped_file *file)
{
    struct tls *tls = arg;
    uint64_t key = hash_pair(hash_pair(file->device, file->inode), file->generation);
    uint64_t *seen = &tls->seen[key & (SEEN_LEN - 1)];
    _cleanup_(closep) int fd = -1;

    if (*seen == key)
        return;
    fd = mapped_file_open(file);
    if (fd < 0)
        return; /* gone, or not to be reached now: the next process may show it */
    *seen = key;
    look_at(tls, fd, file->path, (pid_t)file->pid);
}

static void open_libraries(void (*sink)(void *arg, int fd, const char *path), void *arg)
{
    for (size_t i = 0; i < ELEMENTSOF(library_patterns); i++) {
        glob_t found;

        if (glob(library_patterns[i], 0, NULL, &found) != 0)
            continue;
        for (size_t k = 0; k < found.gl_pathc; k++) {
            _cleanup_(closep) int fd = open(found.gl_pathv[k], O_RDONLY | O_CLOEXEC);

            if (fd >= 0)
                sink(arg, fd, found.gl_pathv[k]);
        }
        globfree(&found);
    }
}

static void take_library(void *arg, int fd, const char *path)
{
    look_at(arg, fd, path, 0);
}

static void *run(void *arg)
{
    struct tls *tls = arg;
    uint64_t n, tidied_ns = clock_ns(CLOCK_MONOTONIC);

    while (read(tls->stop_fd, &n, sizeof(n)) < 0) {
        int r = mapped_wait(tls->mapped, tls->stop_fd, TIDY_EVERY_MS, take_mapped, tls);
        uint64_t now = clock_ns(CLOCK_MONOTONIC);

        if (now - tidied_ns > TIDY_EVERY_MS * NS_PER_MS) {
            tidied_ns = now;
            forget_unused(tls);
            malloc_trim(0);
        }
        if (r < 0) {
            log_error(r, "TLS: new programs and libraries get no probes any more");
            break;
        }
    }
    return NULL;
}

static void *drop_probes(void *arg)
{
    struct probed_file *file = arg;

    tls_probes_remove(&file->probes);
    closep(&file->fd);
    return NULL;
}

/* The kernel takes its time for each: side by side they wait for the same. */
static void drop_all(struct tls *tls)
{
    pthread_t threads[AT_ONCE];

    while (*tls->n_files) {
        size_t n = MIN((size_t)*tls->n_files, (size_t)AT_ONCE), started = 0;
        struct probed_file *files = &tls->files[*tls->n_files - n];

        while (started < n &&
               pthread_create(&threads[started], NULL, drop_probes, &files[started]) == 0)
            started++;
        for (size_t i = started; i < n; i++)
            drop_probes(&files[i]);
        for (size_t i = 0; i < started; i++)
            pthread_join(threads[i], NULL);
        __atomic_store_n(tls->n_files, *tls->n_files - (uint32_t)n, __ATOMIC_RELEASE);
    }
}

void tls_stop(struct tls *tls)
{
    uint64_t one = 1;

    if (!tls)
        return;
    if (tls->running && write(tls->stop_fd, &one, sizeof(one)) > 0)
        pthread_join(tls->thread, NULL);
    drop_all(tls);
    mapped_close(tls->mapped);
    closep(&tls->stop_fd);
    free(tls->files);
    free(tls);
}
DEFINE_CLEANUP(struct tls, tls_stop)

/* ---- starting and stopping ------------------------------------------------------------------- */

static int start(struct tls *tls)
{
    int r;

    tls->files = calloc(FILES_MAX, sizeof(*tls->files));
    tls->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!tls->files || tls->stop_fd < 0)
        return -ENOMEM;
    r = mapped_open(&tls->mapped);
    if (r < 0)
        return log_error(r, "TLS: the kernel does not tell which files are mapped (CAP_PERFMON is "
                            "needed)");
    open_libraries(take_library, tls);
    mapped_scan(take_mapped, tls);
    malloc_trim(0); /* symbol tables are large, and kept for the next one otherwise */
    r = -pthread_create(&tls->thread, NULL, run, tls);
    tls->running = r == 0;
    return r;
}

int tls_start(const struct tls_programs *programs, uint32_t *n_files, struct tls **ret_tls)
{
    _cleanup_(tls_stopp) struct tls *tls = calloc(1, sizeof(*tls));
    int r;

    if (!tls)
        return -ENOMEM;
    tls->stop_fd = -1;
    tls->n_files = n_files;
    tls->programs = *programs;
    r = start(tls);
    if (r < 0)
        return r;
    *ret_tls = TAKE_PTR(tls);
    return 0;
}

/* ---- only looking ---------------------------------------------------------------------------- */

struct survey {
    tls_survey_sink sink;
    void *arg;
    struct file_id seen[SURVEY_MAX];
    size_t n_seen;
};

static void survey_file(void *arg, int fd, const char *path)
{
    struct survey *survey = arg;
    const char *name = strrchr(path, '/'), *library;
    const struct tls_blind *blind;
    struct file_id id;

    if (!read_id(fd, &id) || survey->n_seen == SURVEY_MAX)
        return;
    for (size_t i = 0; i < survey->n_seen; i++)
        if (is_same(&survey->seen[i], &id))
            return;
    survey->seen[survey->n_seen++] = id;
    library = tls_library_of(fd);
    blind = library ? NULL : tls_blind_of(fd, name ? name + 1 : path);
    if (library || blind)
        survey->sink(survey->arg, library ?: blind->library, blind ? blind->why : NULL, path);
}

static void survey_mapped(void *arg, const struct mapped_file *file)
{
    _cleanup_(closep) int fd = mapped_file_open(file);

    if (fd >= 0)
        survey_file(arg, fd, file->path);
}

void tls_survey(tls_survey_sink sink, void *arg)
{
    _cleanup_(freep) struct survey *survey = calloc(1, sizeof(*survey));
    _cleanup_(closep) int own = -1;

    if (!survey)
        return;
    survey->sink = sink;
    survey->arg = arg;
    /* The agent's own file names what it looks for. */
    own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (own >= 0 && read_id(own, &survey->seen[0]))
        survey->n_seen = 1;
    open_libraries(survey_file, survey);
    mapped_scan(survey_mapped, survey);
}
