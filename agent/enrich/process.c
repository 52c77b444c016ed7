/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a process from /proc, and the resource it is. The start time is compared before and after
 * everything else is read, so what was read belongs to one process; an exec in between may still
 * mix the old program with the new one, which the next look-up puts right.
 */
#include "enrich/process.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "enrich/proc.h"
#include "span/semconv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <sys/stat.h>

#define TEXT_CAP (256 * 1024) /* an environment may be longer: the rest is not looked at */
#define READ_STEP 4096
#define FILEID_KERNFS 0xfe /* linux/exportfs.h */
#define DELETED BYTES_LITERAL(" (deleted)")

/* Up to TEXT_CAP bytes of the file; empty where it cannot be read. */
static struct bytes read_text(int dir, const char *name, struct buffer *buffer)
{
    _cleanup_(closep) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = 1;

    buffer_reset(buffer);
    while (fd >= 0 && n > 0 && buffer->len + READ_STEP <= TEXT_CAP) {
        uint8_t *place = buffer_extend(buffer, READ_STEP);

        if (!place)
            break;
        n = read(fd, place, READ_STEP);
        buffer->len -= READ_STEP - (size_t)MAX(n, 0);
    }
    return buffer_bytes(buffer);
}

static int check_start(int dir, uint64_t process_start_ns, struct buffer *buffer)
{
    uint64_t tick_ns = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
    uint64_t ticks, start_ns, distance;

    if (proc_parse_start(read_text(dir, "stat", buffer), &ticks) < 0)
        return -ESRCH;
    start_ns = ticks * tick_ns;
    distance = MAX(start_ns, process_start_ns) - MIN(start_ns, process_start_ns);
    return distance < tick_ns ? 0 : -ESRCH;
}

static struct bytes read_executable(int dir, struct arena *arena)
{
    char path[PATH_MAX];
    ssize_t n = readlinkat(dir, "exe", path, sizeof(path));
    struct bytes text = bytes_make(path, (size_t)MAX(n, 0));

    if (text.len > DELETED.len && bytes_equal(bytes_skip(text, text.len - DELETED.len), DELETED))
        text.len -= DELETED.len;
    return arena_copy(arena, text);
}

/* First in its arena, which has the room then: cut elsewhere, it could say another thing. */
static struct bytes copy_attributes(struct bytes environment, struct arena *arena)
{
    return arena_copy(arena, bytes_slice(process_attributes(environment), 0, SAID_TEXT_MAX + 1));
}

int process_read(uint32_t tgid, uint64_t process_start_ns, struct arena *arena,
                 struct process_facts *ret_facts)
{
    _cleanup_(buffer_done) struct buffer text = buffer_make(TEXT_CAP);
    _cleanup_(buffer_done) struct buffer environment = buffer_make(TEXT_CAP);
    _cleanup_(closep) int dir = -1;
    struct process_facts facts = {0};
    char path[32];
    int r;

    snprintf(path, sizeof(path), "/proc/%" PRIu32, tgid);
    dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return -ESRCH;
    r = check_start(dir, process_start_ns, &text);
    if (r < 0)
        return r;
    read_text(dir, "environ", &environment);
    facts.attributes = copy_attributes(buffer_bytes(&environment), arena);
    facts.executable = read_executable(dir, arena);
    facts.cgroup = arena_copy(arena, proc_cgroup_path(read_text(dir, "cgroup", &text)));
    facts.container_id = process_container_id(facts.cgroup);
    facts.service = process_service_name(buffer_bytes(&environment),
                                         read_text(dir, "cmdline", &text), facts.cgroup,
                                         facts.executable, arena);
    r = check_start(dir, process_start_ns, &text);
    if (r < 0)
        return r;
    *ret_facts = facts;
    return 0;
}

/* A descriptor of the cgroup2 hierarchy's root as it is mounted here, and where; or -ENOENT. */
static int open_cgroups(char *ret_place, size_t size)
{
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    struct mntent entry;
    char text[READ_STEP];
    int fd = -ENOENT;

    while (mounts && fd < 0 && getmntent_r(mounts, &entry, text, sizeof(text)))
        if (strcmp(entry.mnt_type, "cgroup2") == 0) {
            fd = open(entry.mnt_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            snprintf(ret_place, size, "%s", entry.mnt_dir);
        }
    if (mounts)
        endmntent(mounts);
    return fd < 0 ? -ENOENT : fd;
}

/* A cgroup's number is the handle of its folder (kernfs), type FILEID_KERNFS. */
static int open_cgroup(int root, uint64_t cgroup_id)
{
    union {
        struct file_handle handle;
        char room[sizeof(struct file_handle) + sizeof(cgroup_id)];
    } place = {.handle = {.handle_bytes = sizeof(cgroup_id), .handle_type = FILEID_KERNFS}};

    memcpy(place.handle.f_handle, &cgroup_id, sizeof(cgroup_id));
    return open_by_handle_at(root, &place.handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Empty where the cgroup is gone too, or has no path here. */
static struct bytes find_cgroup(uint64_t cgroup_id, struct arena *arena)
{
    char place[PATH_MAX], link[32], path[PATH_MAX];
    _cleanup_(closep) int root = cgroup_id ? open_cgroups(place, sizeof(place)) : -1;
    _cleanup_(closep) int fd = root < 0 ? -1 : open_cgroup(root, cgroup_id);
    struct bytes text;
    ssize_t n;

    if (fd < 0)
        return BYTES_NULL;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path));
    text = bytes_make(path, (size_t)MAX(n, 0));
    if (!bytes_starts_with(text, bytes_from_string(place)))
        return BYTES_NULL;
    text = bytes_skip(text, strlen(place));
    return arena_copy(arena, text.len ? text : BYTES_LITERAL("/"));
}

static struct bytes find_executable(const struct process_image *image, struct arena *arena)
{
    char given[PATH_MAX], real[PATH_MAX];
    struct stat stat_;

    if (!bytes_starts_with(image->path, BYTES_LITERAL("/")) || image->path.len >= sizeof(given))
        return BYTES_NULL;
    snprintf(given, sizeof(given), "%.*s", (int)image->path.len, (const char *)image->path.ptr);
    if (realpath(given, real) && stat(real, &stat_) == 0 && stat_.st_ino == image->inode)
        return arena_copy(arena, bytes_from_string(real));
    return arena_copy(arena, image->path);
}

/* fexecve(2) was given a descriptor, and no path. */
static bool is_descriptor(struct bytes path)
{
    return bytes_starts_with(path, BYTES_LITERAL("/dev/fd/"));
}

/* What is cut in its middle may be mistaken for another. */
static struct bytes whole_strings(struct bytes strings)
{
    while (strings.len && strings.ptr[strings.len - 1])
        strings.len--;
    return strings;
}

void process_read_gone(uint64_t cgroup_id, const struct process_image *image, struct arena *arena,
                       struct process_facts *ret_facts)
{
    struct process_image known = image ? *image : (struct process_image){0};
    struct process_facts facts = {0};

    facts.attributes = copy_attributes(whole_strings(known.environment), arena);
    facts.cgroup = find_cgroup(cgroup_id, arena);
    if (is_descriptor(known.path))
        known.path = BYTES_NULL;
    facts.executable = find_executable(&known, arena);
    facts.container_id = process_container_id(facts.cgroup);
    facts.service = process_service_name(whole_strings(known.environment),
                                         whole_strings(known.cmdline), facts.cgroup,
                                         facts.executable.len ? facts.executable : known.path,
                                         arena);
    *ret_facts = facts;
}

/* RFC 3339 with milliseconds, in UTC. */
static struct bytes format_time(uint64_t unix_ns, struct arena *arena)
{
    time_t seconds = (time_t)(unix_ns / NS_PER_S);
    char date[32];
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
    return arena_printf(arena, "%s.%03uZ", date, (unsigned)(unix_ns % NS_PER_S / NS_PER_MS));
}

/* The attributes so far. */
struct resource {
    struct attribute *attributes;
    size_t n;
};

static bool has(const struct resource *resource, struct bytes key)
{
    for (size_t i = 0; i < resource->n; i++)
        if (bytes_equal(resource->attributes[i].key, key))
            return true;
    return false;
}

static void add(struct resource *resource, const struct attribute *attribute)
{
    if (!has(resource, attribute->key))
        resource->attributes[resource->n++] = *attribute;
}

static void add_text(struct resource *resource, struct bytes key, struct bytes text)
{
    const struct attribute attribute = {.key = key, .type = ATTRIBUTE_TEXT, .text = text};

    if (text.len)
        add(resource, &attribute);
}

static void add_said(struct resource *resource, const struct said *said)
{
    static const struct bytes ours = BYTES_LITERAL("telemetry.distro.");

    for (size_t i = 0; said && i < said->n; i++)
        if (!bytes_starts_with(said->attributes[i].key, ours))
            add(resource, &said->attributes[i]);
}

/* What only a process of this host has. */
static void add_process(struct resource *resource, const struct process_identity *identity,
                        const struct process_facts *facts, const struct host_facts *host,
                        struct arena *arena)
{
    const struct attribute pid = {
        .key = SEMCONV_PROCESS_PID, .type = ATTRIBUTE_INTEGER, .integer = identity->tgid};

    add_text(resource, SEMCONV_HOST_NAME, host->name);
    add_text(resource, SEMCONV_OS_TYPE, BYTES_LITERAL("linux"));
    add(resource, &pid);
    add_text(resource, SEMCONV_PROCESS_EXECUTABLE_NAME, proc_file_name(facts->executable));
    add_text(resource, SEMCONV_PROCESS_EXECUTABLE_PATH, facts->executable);
    if (host->boot_time_ns && identity->process_start_ns)
        add_text(resource, SEMCONV_PROCESS_CREATION_TIME,
                 format_time(host->boot_time_ns + identity->process_start_ns, arena));
    add_text(resource, SEMCONV_CONTAINER_ID, facts->container_id);
}

static struct bytes service_of(const struct process_identity *identity,
                               const struct process_facts *facts, const struct said *configured)
{
    struct bytes service =
        configured ? said_text(configured, SEMCONV_SERVICE_NAME) : BYTES_NULL;

    if (service.len == 0)
        service = facts->service;
    if (service.len == 0)
        service = identity->comm;
    return service.len ? service : BYTES_LITERAL("unknown_service");
}

size_t process_resource(const struct process_identity *identity, const struct process_facts *facts,
                        const struct host_facts *host, const struct resource_said *said,
                        struct arena *arena, struct attribute *out)
{
    static const struct process_facts nothing;
    const struct process_facts *known = facts ?: &nothing;
    struct resource resource = {.attributes = out};

    add_text(&resource, SEMCONV_SERVICE_NAME, service_of(identity, known, said->configured));
    add_said(&resource, said->configured);
    if (identity->tgid) {
        add_said(&resource, said->process);
        add_said(&resource, said->agent);
        add_process(&resource, identity, known, host, arena);
    }
    add_text(&resource, SEMCONV_TELEMETRY_DISTRO_NAME, BYTES_LITERAL("flowtrace"));
    add_text(&resource, SEMCONV_TELEMETRY_DISTRO_VERSION, BYTES_LITERAL(FLOWTRACE_VERSION));
    return resource.n;
}
