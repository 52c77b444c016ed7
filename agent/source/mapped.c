/* SPDX-License-Identifier: Apache-2.0 */
/* One perf ring per CPU, as perf_event_open(2) lays it out; the contract stands in mapped.h. */
#include "source/mapped.h"

#include "base/macro.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#define RING_SIZE 65536u /* bytes per CPU, a power of two */
#define RECORD_MAX 65536u
#define EXECUTABLE 0x4 /* PROT_EXEC */

struct cpu_ring {
    int fd;
    struct perf_event_mmap_page *page; /* and RING_SIZE bytes behind it */
    size_t mapped;
};

struct mapped {
    size_t n_rings;
    struct pollfd *polls; /* one per ring, and the caller's */
    struct cpu_ring *rings;
    uint8_t record[RECORD_MAX];
};

struct mmap_record {
    struct perf_event_header header;
    uint32_t pid, tid;
    uint64_t start, len, page_offset;
    uint32_t major, minor;
    uint64_t inode, generation;
    uint32_t protection, flags;
    char path[];
};

/* ---- listening ------------------------------------------------------------------------------ */

static int open_ring(int cpu, struct cpu_ring *ret_ring)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_SOFTWARE,
        .size = sizeof(attr),
        .config = PERF_COUNT_SW_DUMMY,
        .watermark = 1,
        .wakeup_watermark = 1, /* bytes: every record wakes */
        .mmap = 1,
        .mmap2 = 1,
    };
    size_t size = (size_t)sysconf(_SC_PAGESIZE) + RING_SIZE;
    _cleanup_(closep) int fd =
        (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
    void *page;

    if (fd < 0)
        return -errno;
    page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        return -errno;
    *ret_ring = (struct cpu_ring){.fd = TAKE_FD(fd), .page = page, .mapped = size};
    return 0;
}

void mapped_close(struct mapped *mapped)
{
    if (!mapped)
        return;
    for (size_t i = 0; i < mapped->n_rings; i++) {
        munmap(mapped->rings[i].page, mapped->rings[i].mapped);
        closep(&mapped->rings[i].fd);
    }
    free(mapped->rings);
    free(mapped->polls);
    free(mapped);
}
DEFINE_CLEANUP(struct mapped, mapped_close)

int mapped_open(struct mapped **ret_mapped)
{
    _cleanup_(mapped_closep) struct mapped *mapped = calloc(1, sizeof(*mapped));
    long n_cpus = sysconf(_SC_NPROCESSORS_CONF);

    if (!mapped || n_cpus < 1)
        return -ENOMEM;
    mapped->rings = calloc((size_t)n_cpus, sizeof(*mapped->rings));
    mapped->polls = calloc((size_t)n_cpus + 1, sizeof(*mapped->polls));
    if (!mapped->rings || !mapped->polls)
        return -ENOMEM;
    for (int cpu = 0; cpu < n_cpus; cpu++) {
        int r = open_ring(cpu, &mapped->rings[mapped->n_rings]);

        if (r == -ENODEV)
            continue; /* offline */
        if (r < 0)
            return r;
        mapped->polls[mapped->n_rings] =
            (struct pollfd){.fd = mapped->rings[mapped->n_rings].fd, .events = POLLIN};
        mapped->n_rings++;
    }
    *ret_mapped = TAKE_PTR(mapped);
    return 0;
}

/* ---- what was mapped before ------------------------------------------------------------------ */

static bool is_file(const char *path)
{
    return *path == '/' && strncmp(path, "//", 2) != 0 && strncmp(path, "/dev/", 5) != 0 &&
           strncmp(path, "/memfd:", 7) != 0 && strncmp(path, "/SYSV", 5) != 0;
}

/* One line of /proc/PID/maps: "start-end rwxp offset major:minor inode    path". */
static bool read_line(char *line, struct mapped_file *ret_file)
{
    unsigned major, minor;
    char protection[5];
    int path_at = 0;

    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*x %x:%x %" SCNu64 " %n", &ret_file->start,
               &ret_file->end, protection, &major, &minor, &ret_file->inode, &path_at) != 6)
        return false;
    line[strcspn(line, "\n")] = '\0';
    ret_file->path = line + path_at;
    ret_file->device = makedev(major, minor);
    ret_file->generation = 0;
    return protection[2] == 'x' && ret_file->inode && is_file(ret_file->path);
}

static void scan_process(uint32_t pid, mapped_sink sink, void *arg)
{
    struct mapped_file file = {.pid = pid};
    _cleanup_(freep) char *line = NULL;
    size_t size = 0;
    char path[32];
    FILE *maps;

    snprintf(path, sizeof(path), "/proc/%" PRIu32 "/maps", pid);
    maps = fopen(path, "re");
    if (!maps)
        return;
    while (getline(&line, &size, maps) > 0)
        if (read_line(line, &file))
            sink(arg, &file);
    fclose(maps);
}

void mapped_scan(mapped_sink sink, void *arg)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;

    if (!proc)
        return;
    while ((entry = readdir(proc)))
        if (isdigit((unsigned char)*entry->d_name))
            scan_process((uint32_t)strtoul(entry->d_name, NULL, 10), sink, arg);
    closedir(proc);
}

/* ---- what is mapped now ---------------------------------------------------------------------- */

static void copy_out(const struct cpu_ring *ring, uint64_t at, void *out, size_t len)
{
    const uint8_t *data = (const uint8_t *)ring->page + (ring->mapped - RING_SIZE);
    size_t offset = at & (RING_SIZE - 1), first = MIN(len, (size_t)RING_SIZE - offset);

    memcpy(out, data + offset, first);
    memcpy((uint8_t *)out + first, data, len - first);
}

static void take_record(struct mapped *mapped, const struct perf_event_header *header,
                        mapped_sink sink, void *arg)
{
    const struct mmap_record *record = (const struct mmap_record *)mapped->record;
    struct mapped_file file;

    if (header->type == PERF_RECORD_LOST)
        mapped_scan(sink, arg);
    if (header->type != PERF_RECORD_MMAP2 || header->size <= sizeof(*record))
        return;
    mapped->record[header->size - 1] = '\0';
    if (!(record->protection & EXECUTABLE) || !record->inode || !is_file(record->path))
        return;
    file = (struct mapped_file){
        .pid = record->pid,
        .start = record->start,
        .end = record->start + record->len,
        .device = makedev(record->major, record->minor),
        .inode = record->inode,
        .generation = record->generation,
        .path = record->path,
    };
    sink(arg, &file);
}

static void drain_ring(struct mapped *mapped, struct cpu_ring *ring, mapped_sink sink, void *arg)
{
    uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
    uint64_t tail = ring->page->data_tail;

    while (tail < head) {
        struct perf_event_header header;

        copy_out(ring, tail, &header, sizeof(header));
        if (header.size < sizeof(header) || header.size > head - tail)
            break; /* the kernel does not do that */
        copy_out(ring, tail, mapped->record, header.size);
        tail += header.size;
        /* Room first: what is done with the record may take long. */
        __atomic_store_n(&ring->page->data_tail, tail, __ATOMIC_RELEASE);
        take_record(mapped, &header, sink, arg);
    }
}

int mapped_wait(struct mapped *mapped, int wake_fd, int timeout_ms, mapped_sink sink, void *arg)
{
    mapped->polls[mapped->n_rings] = (struct pollfd){.fd = wake_fd, .events = POLLIN};
    if (poll(mapped->polls, mapped->n_rings + 1, timeout_ms) < 0 && errno != EINTR)
        return -errno;
    for (size_t i = 0; i < mapped->n_rings; i++)
        drain_ring(mapped, &mapped->rings[i], sink, arg);
    return 0;
}

/* ---- the file itself ------------------------------------------------------------------------- */

/* Overlay file systems tell different devices here and there: the inode has to do. */
static int open_checked(const char *path, uint64_t inode)
{
    _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat stat;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &stat) < 0)
        return -errno;
    if (!S_ISREG(stat.st_mode) || stat.st_ino != inode)
        return -ESTALE;
    return TAKE_FD(fd);
}

int mapped_file_open(const struct mapped_file *file)
{
    char path[4096 + 64];
    int fd;

    snprintf(path, sizeof(path), "/proc/%" PRIu32 "/map_files/%" PRIx64 "-%" PRIx64, file->pid,
             file->start, file->end);
    fd = open_checked(path, file->inode);
    if (fd >= 0)
        return fd;
    snprintf(path, sizeof(path), "/proc/%" PRIu32 "/root%s", file->pid, file->path);
    fd = open_checked(path, file->inode);
    if (fd >= 0)
        return fd;
    return open_checked(file->path, file->inode); /* its process is gone already */
}
