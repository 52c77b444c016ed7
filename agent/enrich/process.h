/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known about a process beyond what the kernel side records. Reading /proc is slow: it is
 * done by the source's look-up thread, and the result travels as an event, so that a recording
 * replays with it. Everything here is a pure function of its arguments and of /proc.
 */
#pragma once

#include "base/arena.h"
#include "enrich/said.h"
#include "span/span.h"

/* Strings are empty where unknown. */
struct process_facts {
    struct bytes executable;   /* path */
    struct bytes service;      /* see process_service_name */
    struct bytes cgroup;       /* path below the cgroup mount */
    struct bytes container_id; /* 64 hex digits */
    /* Its OTEL_RESOURCE_ATTRIBUTES, not parsed; one that is longer than SAID_TEXT_MAX is cut to one
     * byte more, and no list. */
    struct bytes attributes;
};

/*
 * Reads /proc/TGID/{stat,exe,cmdline,environ,cgroup}; strings go to the arena. Returns 0, or -ESRCH
 * where the process is gone or another one (start time) has its number. `process_start_ns` is boot
 * time; /proc/TGID/stat tells it in clock ticks, so a difference below one tick is the same.
 */
int process_read(uint32_t tgid, uint64_t process_start_ns, struct arena *arena,
                 struct process_facts *ret_facts);

/* What was noted of a process's program when it began. */
struct process_image {
    struct bytes path;        /* of the executable, as it was given: maybe relative, maybe a link */
    uint64_t inode;           /* of the executable */
    struct bytes cmdline;     /* as /proc has it; maybe cut */
    struct bytes environment; /* as /proc has it; maybe cut */
};

/*
 * What is still known of a process that is gone: the cgroup that the kernel side noted by number (0:
 * not known), its program (NULL: not known), and what follows from the two. The executable's path
 * is the one that /proc would have told where it still leads to the same file here; else as it was
 * given, if that is absolute.
 */
void process_read_gone(uint64_t cgroup_id, const struct process_image *image, struct arena *arena,
                       struct process_facts *ret_facts);

/*
 * service.name, the first that is there: OTEL_SERVICE_NAME of the process's environment;
 * service.name in its OTEL_RESOURCE_ATTRIBUTES, where that is a valid list; the systemd unit of its cgroup (.service, without
 * the suffix; not user@ or session scopes); for an interpreter (python, node, java -jar, ruby,
 * perl, php, sh) the script's or jar's file name without suffix; the executable's file name.
 * `environment` and `cmdline` are NUL-separated as /proc has them. Empty where nothing is known.
 */
struct bytes process_service_name(struct bytes environment, struct bytes cmdline,
                                  struct bytes cgroup, struct bytes executable,
                                  struct arena *arena);

/* OTEL_RESOURCE_ATTRIBUTES as it stands in the environment, or empty. */
struct bytes process_attributes(struct bytes environment);

/* The last 64-hex-digit part of a cgroup path (docker, containerd, CRI-O, podman), or empty. */
struct bytes process_container_id(struct bytes cgroup);

struct host_facts {
    struct bytes name; /* host.name */
    uint64_t boot_time_ns; /* UNIX time of boot, for process.creation.time */
};

struct process_identity {
    uint32_t tgid; /* 0: an endpoint in a capture, whose process and host are not known */
    uint64_t process_start_ns;
    struct bytes comm;
};

/* What people say of a resource, the strongest first. NULL: nothing. */
struct resource_said {
    const struct said *configured; /* the setting resource.attributes */
    const struct said *process;    /* the process's OTEL_RESOURCE_ATTRIBUTES */
    const struct said *agent;      /* the agent's own, but for service.*, which name the agent */
};

#define RESOURCE_ATTRIBUTES_MAX (3 * SAID_MAX + 12)

/*
 * The attributes of the resource that the process is: service.name first (that of `configured`, of
 * the facts, the comm), then what is said, then what is seen: host.name, os.type, process.pid,
 * process.executable.name and .path, process.creation.time, container.id, telemetry.distro.*. Each
 * key comes once, and the first counts; but telemetry.distro.* is always this program's. facts may
 * be NULL. Returns how many were written to `out`, which has RESOURCE_ATTRIBUTES_MAX places; new
 * strings go to the arena.
 */
size_t process_resource(const struct process_identity *identity, const struct process_facts *facts,
                        const struct host_facts *host, const struct resource_said *said,
                        struct arena *arena, struct attribute *out);
