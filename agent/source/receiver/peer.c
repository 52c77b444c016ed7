/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process is read from /proc once, and remembered with a pidfd: while that is not readable the
 * process lives, so its number is still its own.
 */
#include "source/receiver/peer.h"

#include "base/clock.h"
#include "base/hash.h"
#include "enrich/proc.h"
#include "otlp/intake.h"
#include "otlp/otlp.h"
#include "otlp/scan.h"
#include "span/event.h"
#include "span/semconv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

#define STATUS_MAX 4096
#define TAG_ATTRIBUTE (1 << 3 | 2) /* Resource.attributes */

struct entry {
    int pidfd;
    uint64_t used; /* a count that grows */
    struct peer peer;
};

struct peers {
    struct host_facts host;
    struct resource_said said; /* of every resource */
    char host_name[256];
    struct peer nobody;
    struct peer gone;
    struct entry entries[PEERS_MAX];
    size_t n;
    uint64_t uses;
};

int peers_new(const struct said *configured, const struct said *agent,
              struct peers **ret_peers)
{
    struct peers *peers = calloc(1, sizeof(*peers));
    static const struct process_identity unknown;
    struct arena arena;

    if (!peers)
        return -ENOMEM;
    gethostname(peers->host_name, sizeof(peers->host_name) - 1);
    peers->host = (struct host_facts){
        .name = bytes_from_string(peers->host_name),
        .boot_time_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME),
    };
    peers->said = (struct resource_said){.configured = configured, .agent = agent};
    arena = arena_over(peers->nobody.text, sizeof(peers->nobody.text));
    peers->nobody.n = process_resource(&unknown, NULL, &peers->host, &peers->said, &arena,
                                       peers->nobody.attributes);
    *ret_peers = peers;
    return 0;
}

void peers_free(struct peers *peers)
{
    if (!peers)
        return;
    for (size_t i = 0; i < peers->n; i++)
        closep(&peers->entries[i].pidfd);
    free(peers);
}

const struct peer *peers_nobody(const struct peers *peers)
{
    return &peers->nobody;
}

/* ---- reading --------------------------------------------------------------------------------- */

static struct bytes read_proc(uint32_t pid, const char *name, char *text, size_t size)
{
    char path[64];
    _cleanup_(closep) int fd = -1;
    ssize_t n;

    snprintf(path, sizeof(path), "/proc/%" PRIu32 "/%s", pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? 0 : read(fd, text, size);
    return bytes_make(text, (size_t)MAX(n, 0));
}

/* The last number of the line "NSpid: 4711 12" (proc_pid_status(5)). */
static uint32_t read_own_pid(uint32_t pid)
{
    static const char name[] = "NSpid:";
    char text[STATUS_MAX + 1] = "";
    uint32_t own = 0;
    char *line;

    read_proc(pid, "status", text, STATUS_MAX);
    line = strstr(text, name);
    for (line = line ? line + sizeof(name) - 1 : NULL; line && (*line == '\t' || *line == ' ');)
        own = (uint32_t)strtoul(line, &line, 10);
    return own;
}

static uint64_t read_start(uint32_t pid)
{
    char text[1024];
    uint64_t ticks;

    if (proc_parse_start(read_proc(pid, "stat", text, sizeof(text)), &ticks) < 0)
        return 0;
    return ticks * (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* `known`: its number is its own before and after, and /proc is read; else the number alone. */
static void fill(const struct peers *peers, struct peer *peer, uint32_t pid, bool known)
{
    struct arena arena = arena_over(peer->text, sizeof(peer->text));
    struct process_identity identity = {.tgid = pid};
    struct resource_said said = peers->said;
    struct process_facts facts = {0};
    char comm[COMM_LEN + 1];
    struct said own;

    memset(peer, 0, sizeof(*peer));
    if (known) {
        identity.process_start_ns = read_start(pid);
        identity.comm = arena_copy(&arena, bytes_trim(read_proc(pid, "comm", comm, COMM_LEN)));
        if (identity.comm.len && identity.comm.ptr[identity.comm.len - 1] == '\n')
            identity.comm.len--;
        known = process_read(pid, identity.process_start_ns, &arena, &facts) == 0;
    }
    peer->pid = pid;
    peer->key = hash_pair(pid, identity.process_start_ns);
    peer->own_pid = known ? read_own_pid(pid) : 0;
    if (known && facts.attributes.len && said_parse(facts.attributes, &arena, &own) == 0)
        said.process = &own;
    peer->n = process_resource(&identity, known ? &facts : NULL, &peers->host, &said, &arena,
                               peer->attributes);
}

static bool lives(int pidfd)
{
    struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};

    return pidfd >= 0 && poll(&poll_fd, 1, 0) == 0;
}

static struct entry *find(struct peers *peers, uint32_t pid)
{
    for (size_t i = 0; i < peers->n; i++)
        if (peers->entries[i].peer.pid == pid)
            return &peers->entries[i];
    return NULL;
}

/* A place for one more: a new one, or the one that was used longest ago. */
static struct entry *take_place(struct peers *peers)
{
    struct entry *oldest = &peers->entries[0];

    if (peers->n < PEERS_MAX) {
        oldest = &peers->entries[peers->n++];
        oldest->pidfd = -1;
        return oldest;
    }
    for (size_t i = 1; i < PEERS_MAX; i++)
        if (peers->entries[i].used < oldest->used)
            oldest = &peers->entries[i];
    return oldest;
}

/* Takes `pidfd` over. */
static const struct peer *get(struct peers *peers, uint32_t pid, int pidfd)
{
    struct entry *entry = find(peers, pid);

    if (entry && lives(entry->pidfd)) {
        closep(&pidfd);
        entry->used = ++peers->uses;
        return &entry->peer;
    }
    entry = entry ?: take_place(peers);
    closep(&entry->pidfd);
    fill(peers, &entry->peer, pid, lives(pidfd));
    entry->pidfd = pidfd;
    entry->used = ++peers->uses;
    if (lives(pidfd))
        return &entry->peer;
    fill(peers, &peers->gone, pid, false);
    entry->peer.pid = 0; /* what was read may be another's */
    return &peers->gone;
}

const struct peer *peers_get(struct peers *peers, uint32_t pid)
{
    return pid ? get(peers, pid, (int)syscall(SYS_pidfd_open, pid, 0)) : &peers->nobody;
}

const struct peer *peers_of_socket(struct peers *peers, int fd)
{
    struct ucred credentials;
    socklen_t size = sizeof(credentials);
    int pidfd = -1;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0 || credentials.pid <= 0)
        return &peers->nobody;
    size = sizeof(pidfd);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0)
        return get(peers, (uint32_t)credentials.pid, pidfd);
    return peers_get(peers, (uint32_t)credentials.pid);
}

/* ---- the resource ---------------------------------------------------------------------------- */

void peer_copy(const struct peer *peer, struct peer *ret_copy)
{
    const uint8_t *from = peer->text;

    *ret_copy = *peer;
    for (size_t i = 0; i < ret_copy->n; i++) {
        struct bytes *text = &ret_copy->attributes[i].text;

        if (ret_copy->attributes[i].type == ATTRIBUTE_TEXT && text->ptr >= from &&
            text->ptr < from + sizeof(peer->text))
            text->ptr = ret_copy->text + (text->ptr - from);
    }
}

#define UNNAMED BYTES_LITERAL("unknown_service")

struct claims {
    const struct peer *peer;
    bool said[RESOURCE_ATTRIBUTES_MAX]; /* each attribute of the peer */
    bool foreign;                       /* it is of another process */
    bool unnamed;                       /* it has the SDKs' word for no name */
};

static void take_claim(void *arg, struct bytes key, struct bytes text, int64_t integer)
{
    struct claims *claims = arg;
    const struct peer *peer = claims->peer;

    if (bytes_equal(key, SEMCONV_PROCESS_PID) && integer != peer->pid && integer != peer->own_pid)
        claims->foreign = true;
    if (bytes_equal(key, SEMCONV_SERVICE_NAME) && bytes_starts_with(text, UNNAMED)) {
        claims->unnamed = true;
        return;
    }
    for (size_t i = 0; i < peer->n; i++)
        if (bytes_equal(key, peer->attributes[i].key))
            claims->said[i] = true;
}

/* The resource without a service.name that says nothing. */
static void append_named(struct bytes sent, struct buffer *buffer)
{
    static const struct peer nobody;
    struct reader reader = reader_make(sent);
    struct scan_field field;

    while (true) {
        size_t begin = reader.pos;
        struct claims claims = {.peer = &nobody};

        if (!scan_next(&reader, &field))
            return;
        otlp_each_attribute(bytes_slice(sent, begin, reader.pos - begin), take_claim, &claims);
        if (!claims.unnamed)
            buffer_append_bytes(buffer, bytes_slice(sent, begin, reader.pos - begin));
    }
}

/* Who made the spans, their scope says: it was not this agent. */
static bool is_own(struct bytes key)
{
    return bytes_equal(key, SEMCONV_TELEMETRY_DISTRO_NAME) ||
           bytes_equal(key, SEMCONV_TELEMETRY_DISTRO_VERSION);
}

static void append_sent(struct bytes sent, bool unnamed, struct buffer *buffer)
{
    if (unnamed)
        append_named(sent, buffer);
    else
        buffer_append_bytes(buffer, sent);
}

int peer_complete(const struct peer *peer, struct bytes sent, struct buffer *buffer)
{
    bool named = peer->n && !bytes_starts_with(peer->attributes[0].text, UNNAMED);
    struct attribute missing[RESOURCE_ATTRIBUTES_MAX];
    struct claims claims = {.peer = peer};
    size_t n = 0;

    otlp_each_attribute(sent, take_claim, &claims);
    append_sent(sent, claims.unnamed && named && !claims.foreign, buffer);
    for (size_t i = 0; i < peer->n && !claims.foreign; i++) {
        bool said = claims.said[i] || (i == 0 && claims.unnamed && !named);

        if (!said && !is_own(peer->attributes[i].key))
            missing[n++] = peer->attributes[i];
    }
    return buffer->failed ? -ENOBUFS : otlp_encode_resource(missing, n, buffer);
}
