/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes as links of BPF programs (bpf(2)): one link for all points of a program in a file where
 * the kernel has that (6.6), else one perf event of the "uprobe" unit and one link for each.
 */
#include "source/tls_probe.h"

#include "base/macro.h"
#include "bpf/record.h"
#include "source/go_file.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#define POINTS_MAX 64
#define GO_CODE_MAX (64u << 10) /* bytes of one function */
#define CALLER_CODE_MAX 256 /* bytes */
#define CALL 0xe8 /* x86: with 32 bits of distance */
#define CALL_LEN 5
#if defined(__x86_64__)
#define ON_X86 true
#else
#define ON_X86 false
#endif
#define MULTI_RETURN 1 /* BPF_F_UPROBE_MULTI_RETURN */
#define UPROBE_UNIT "/sys/bus/event_source/devices/uprobe/"

struct tls_function {
    const char *library;
    const char *symbol;
    enum ft_call call;
    bool returns; /* the end of the call matters too */
};

enum { FUNCTION_READ, FUNCTION_WRITE, FUNCTION_READ_EX, FUNCTION_WRITE_EX };

/* OpenSSL's are BoringSSL's and LibreSSL's too. */
static const struct tls_function functions[] = {
    [FUNCTION_READ] = {"OpenSSL", "SSL_read", FT_CALL_READ, true},
    [FUNCTION_WRITE] = {"OpenSSL", "SSL_write", FT_CALL_WRITE, true},
    [FUNCTION_READ_EX] = {"OpenSSL", "SSL_read_ex", FT_CALL_READ_EX, true},
    [FUNCTION_WRITE_EX] = {"OpenSSL", "SSL_write_ex", FT_CALL_WRITE_EX, true},
    {"OpenSSL", "SSL_read_early_data", FT_CALL_READ_EARLY, true},
    {"OpenSSL", "SSL_write_early_data", FT_CALL_WRITE_EARLY, true},
    {"OpenSSL", "SSL_do_handshake", FT_CALL_HANDSHAKE, true},
    {"OpenSSL", "SSL_shutdown", FT_CALL_HANDSHAKE, true},
    {"OpenSSL", "SSL_free", FT_CALL_FREE, false},
    {"GnuTLS", "gnutls_record_recv", FT_CALL_READ, true},
    {"GnuTLS", "gnutls_record_send", FT_CALL_WRITE, true},
    {"GnuTLS", "gnutls_record_send2", FT_CALL_WRITE, true},
    {"GnuTLS", "gnutls_handshake", FT_CALL_HANDSHAKE, true},
    {"GnuTLS", "gnutls_bye", FT_CALL_HANDSHAKE, true},
    {"GnuTLS", "gnutls_deinit", FT_CALL_FREE, false},
};

/* All socket operations of a connection happen inside one of these. */
static const struct tls_function go_functions[] = {
    {"Go", "crypto/tls.(*Conn).Read", FT_CALL_GO_READ, true},
    {"Go", "crypto/tls.(*Conn).writeRecordLocked", FT_CALL_GO_WRITE, true},
    {"Go", "crypto/tls.(*Conn).handshakeContext", FT_CALL_GO_HANDSHAKE, true},
    {"Go", "crypto/tls.(*Conn).Close", FT_CALL_GO_FREE, false},
};

/* What bpf(2) takes for BPF_LINK_CREATE, as of Linux 6.6; the installed headers may be older. */
struct link_attributes {
    uint32_t program_fd;
    uint32_t target_fd;
    uint32_t attach_type;
    uint32_t flags;
    union {
        struct {
            uint64_t path;
            uint64_t offsets;
            uint64_t counter_offsets;
            uint64_t cookies;
            uint32_t n;
            uint32_t flags;
            uint32_t pid;
        } multi;
        struct {
            uint64_t cookie;
        } single;
    };
};

/* The points of one program in one file. */
struct points {
    const char *path;
    int program_fd;
    bool at_return;
    size_t n;
    uint64_t offsets[POINTS_MAX];
    uint64_t cookies[POINTS_MAX];
};

static int create_link(struct link_attributes *attributes)
{
    int fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, attributes, sizeof(*attributes));

    return fd < 0 ? -errno : fd;
}

/* One link for all points (Linux 6.6): it goes at once, whatever their number. */
static int add_at_once(struct tls_probes *probes, const struct points *points)
{
    struct link_attributes attributes = {
        .program_fd = (uint32_t)points->program_fd,
        .attach_type = TLS_ATTACH_TYPE,
        .multi = {
            .path = (uintptr_t)points->path,
            .offsets = (uintptr_t)points->offsets,
            .cookies = (uintptr_t)points->cookies,
            .n = (uint32_t)points->n,
            .flags = points->at_return ? MULTI_RETURN : 0,
        },
    };
    int fd = create_link(&attributes);

    if (fd < 0)
        return fd;
    probes->link_fds[probes->n_links++] = fd;
    return 0;
}

static int read_number(const char *path, const char *format, unsigned *ret_number)
{
    FILE *file = fopen(path, "re");
    int n;

    if (!file)
        return -errno;
    n = fscanf(file, format, ret_number);
    fclose(file);
    return n == 1 ? 0 : -ENODATA;
}

/* The perf event of one point. The kernel takes the file by its path. */
static int open_event(const struct points *points, uint64_t offset)
{
    struct perf_event_attr attributes = {
        .size = sizeof(attributes),
        .uprobe_path = (uintptr_t)points->path,
        .probe_offset = offset,
    };
    unsigned type, return_bit;
    int r = read_number(UPROBE_UNIT "type", "%u", &type), fd;

    if (r == 0)
        r = read_number(UPROBE_UNIT "format/retprobe", "config:%u", &return_bit);
    if (r < 0)
        return r;
    attributes.type = type;
    attributes.config = points->at_return ? UINT64_C(1) << return_bit : 0;
    fd = (int)syscall(SYS_perf_event_open, &attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* The link keeps the event: its own descriptor is not needed any more. */
static int add_point(struct tls_probes *probes, const struct points *points, size_t i)
{
    struct link_attributes attributes = {.program_fd = (uint32_t)points->program_fd,
                                         .attach_type = BPF_PERF_EVENT,
                                         .single = {.cookie = points->cookies[i]}};
    _cleanup_(closep) int event_fd = open_event(points, points->offsets[i]);
    int fd;

    if (event_fd < 0)
        return event_fd;
    if (probes->n_links == TLS_LINKS_MAX)
        return -E2BIG;
    attributes.target_fd = (uint32_t)event_fd;
    fd = create_link(&attributes);
    if (fd < 0)
        return fd;
    probes->link_fds[probes->n_links++] = fd;
    return 0;
}

static int add_points(struct tls_probes *probes, const struct points *points)
{
    int r = points->n ? add_at_once(probes, points) : 0;

    if (r == 0)
        return 0;
    r = 0;
    for (size_t i = 0; i < points->n && r == 0; i++)
        r = add_point(probes, points, i);
    return r;
}

static void *close_one(void *arg)
{
    close(*(int *)arg);
    return NULL;
}

/* The kernel takes a tenth of a second for each, to be sure that nobody is in it: side by side. */
void tls_probes_remove(struct tls_probes *probes)
{
    pthread_t threads[TLS_LINKS_MAX];
    bool started[TLS_LINKS_MAX];

    for (size_t i = 0; i < probes->n_links; i++) {
        started[i] = pthread_create(&threads[i], NULL, close_one, &probes->link_fds[i]) == 0;
        if (!started[i])
            close_one(&probes->link_fds[i]);
    }
    for (size_t i = 0; i < probes->n_links; i++)
        if (started[i])
            pthread_join(threads[i], NULL);
    probes->n_links = 0;
}

static void add_point_at(struct points *points, uint64_t offset, enum ft_call call)
{
    if (points->n == POINTS_MAX)
        return;
    points->offsets[points->n] = offset;
    points->cookies[points->n++] = call;
}

static size_t find_functions(int fd, int (*find)(int, struct elf_function *, size_t),
                             const struct tls_function *wanted, size_t n,
                             struct elf_function *ret_found, int *ret_error)
{
    int r;

    for (size_t i = 0; i < n; i++)
        ret_found[i] = (struct elf_function){.name = wanted[i].symbol};
    r = find(fd, ret_found, n);
    *ret_error = MIN(r, 0);
    return r > 0 ? (size_t)r : 0;
}

/* ---- C's libraries --------------------------------------------------------------------------- */

/* Targets, as offsets in the file, of what looks like "call" in the function's code. */
static size_t read_calls(int fd, const struct elf_function *function, uint64_t *ret_targets)
{
    uint8_t code[CALLER_CODE_MAX];
    size_t len = (size_t)MIN(function->size, (uint64_t)sizeof(code)), n = 0;

    if (!function->offset || elf_read(fd, code, len, function->offset) < 0)
        return 0;
    for (size_t at = 0; at + CALL_LEN <= len; at++) {
        int32_t distance;

        if (code[at] != CALL)
            continue;
        memcpy(&distance, code + at + 1, sizeof(distance));
        ret_targets[n++] = function->offset + at + CALL_LEN + (uint64_t)(int64_t)distance;
    }
    return n;
}

/* "push", as a function that keeps registers begins. */
static bool begins_with_push(int fd, uint64_t offset)
{
    uint8_t code[2];

    if (elf_read(fd, code, sizeof(code), offset) < 0)
        return false;
    return (code[0] & 0xf8) == 0x50 || (code[0] == 0x41 && (code[1] & 0xf8) == 0x50);
}

/*
 * SSL_read and SSL_read_ex are two coats of one inner function without a symbol (OpenSSL 1.1.1 and
 * later), which has the form of the second. A probe at it is seen by all callers, and far cheaper
 * where the inner one begins with a push, which the kernel emulates, and the coats do not: a step
 * through their first instruction costs microseconds, in a virtual machine ten of them. It is what
 * both call: bytes that only look like a call have no twin in the other. 0: there is none.
 */
static uint64_t find_inner(int fd, const struct elf_function *a, const struct elf_function *b)
{
    uint64_t of_a[CALLER_CODE_MAX], of_b[CALLER_CODE_MAX], found = 0;
    size_t n_a = read_calls(fd, a, of_a), n_b = read_calls(fd, b, of_b);

    for (size_t i = 0; i < n_a; i++)
        for (size_t k = 0; k < n_b; k++)
            if (of_a[i] == of_b[k] && begins_with_push(fd, of_a[i])) {
                if (found && found != of_a[i])
                    return 0;
                found = of_a[i];
            }
    return found;
}

/* The first of the two becomes the inner function, the second is not needed any more. */
static void prefer_inner(int fd, struct elf_function *coat, struct elf_function *coat_ex)
{
    uint64_t inner = ON_X86 ? find_inner(fd, coat, coat_ex) : 0;

    if (inner) {
        coat->offset = 0;
        coat_ex->offset = inner;
    }
}

static int add_library(struct tls_probes *probes, int fd, const char *path,
                       const struct tls_programs *programs)
{
    struct elf_function found[ELEMENTSOF(functions)];
    struct points enter = {.path = path, .program_fd = programs->enter_fd};
    struct points leave = {.path = path, .program_fd = programs->return_fd, .at_return = true};
    int r;

    if (!find_functions(fd, elf_find_functions, functions, ELEMENTSOF(functions), found, &r))
        return r;
    prefer_inner(fd, &found[FUNCTION_READ], &found[FUNCTION_READ_EX]);
    prefer_inner(fd, &found[FUNCTION_WRITE], &found[FUNCTION_WRITE_EX]);
    for (size_t i = 0; i < ELEMENTSOF(functions); i++) {
        if (!found[i].offset)
            continue;
        probes->library = functions[i].library;
        probes->n_functions++;
        add_point_at(&enter, found[i].offset, functions[i].call);
        if (functions[i].returns)
            add_point_at(&leave, found[i].offset, functions[i].call);
    }
    /* The end of a call goes first: a call that is seen to begin is also seen to end. */
    r = add_points(probes, &leave);
    return r < 0 ? r : add_points(probes, &enter);
}

/* ---- Go -------------------------------------------------------------------------------------- */

static size_t add_returns(struct points *points, int fd, const struct elf_function *function)
{
    _cleanup_(freep) uint8_t *code = NULL;
    uint32_t offsets[POINTS_MAX];
    size_t n;

    if (function->size == 0 || function->size > GO_CODE_MAX)
        return 0;
    code = malloc(function->size);
    if (!code || elf_read(fd, code, function->size, function->offset) < 0)
        return 0;
    n = go_find_returns(bytes_make(code, function->size), offsets, POINTS_MAX);
    for (size_t i = 0; i < n; i++)
        add_point_at(points, function->offset + offsets[i], FT_CALL_GO_RETURN);
    return n;
}

/* All or nothing: calls that are seen to begin and never to end would be worse than none. */
static int add_go(struct tls_probes *probes, int fd, const char *path,
                  const struct tls_programs *programs)
{
    struct elf_function found[ELEMENTSOF(go_functions)];
    struct points points = {.path = path, .program_fd = programs->go_fd};
    int r;

    if (!find_functions(fd, go_find_functions, go_functions, ELEMENTSOF(go_functions), found, &r))
        return r;
    for (size_t i = 0; i < ELEMENTSOF(go_functions); i++) {
        if (!found[i].offset)
            continue;
        probes->library = go_functions[i].library;
        probes->n_functions++;
        if (go_functions[i].returns && add_returns(&points, fd, &found[i]) == 0)
            return -ENOTSUP;
        add_point_at(&points, found[i].offset, go_functions[i].call);
    }
    return add_points(probes, &points);
}

const char *tls_library_of(int file_fd)
{
    struct elf_function found[ELEMENTSOF(functions)], go_found[ELEMENTSOF(go_functions)];
    int r;

    if (find_functions(file_fd, elf_find_functions, functions, ELEMENTSOF(functions), found, &r))
        for (size_t i = 0; i < ELEMENTSOF(functions); i++)
            if (found[i].offset)
                return functions[i].library;
    if (find_functions(file_fd, go_find_functions, go_functions, ELEMENTSOF(go_functions),
                       go_found, &r))
        return go_functions[0].library;
    return NULL;
}

/* ---- TLS that is not seen -------------------------------------------------------------------- */

/*
 * By the file's name, or by a text in its constants: source files that messages name. The text's
 * first character stands apart, for these are constants too, and not the mark of rustls.
 */
static const struct blind_mark {
    const char *name;
    char first;
    const char *rest;
    struct tls_blind blind;
} blind_marks[] = {
    {"libjvm.so", 0, NULL,
     {"Java", "their TLS is part of the virtual machine's own code. Where a proxy that is traced "
              "ends TLS for them, it is seen there"}},
    {"libssl3.so", 0, NULL, {"NSS", "its functions also read and write what is no TLS"}},
    {NULL, '/', "rustls-0.",
     {"rustls", "its functions have no calling convention that lasts, and are inlined"}},
    {NULL, 's', "sl/ssl_lib.c",
     {"OpenSSL", "the library, or BoringSSL, is inside a file without symbols. Programs that are "
                 "not stripped, or link it as a shared library, are seen"}},
};

const struct tls_blind *tls_blind_of(int file_fd, const char *name)
{
    for (size_t i = 0; i < ELEMENTSOF(blind_marks); i++) {
        const struct blind_mark *mark = &blind_marks[i];
        char text[32];

        snprintf(text, sizeof(text), "%c%s", mark->first, mark->rest ? mark->rest : "");
        if (mark->name ? strcmp(mark->name, name) == 0
                       : elf_section_mentions(file_fd, ".rodata", text))
            return &mark->blind;
    }
    return NULL;
}

int tls_probes_add(int file_fd, const struct tls_programs *programs, struct tls_probes *ret_probes)
{
    _cleanup_(tls_probes_remove) struct tls_probes probes = {0};
    char path[64];
    int r;

    /* Names just the file that was looked at, whatever its path means by now. */
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file_fd);
    r = add_library(&probes, file_fd, path, programs);
    if (r == 0)
        r = add_go(&probes, file_fd, path, programs);
    if (r < 0 || probes.n_links == 0)
        return r;
    *ret_probes = probes;
    probes.n_links = 0;
    return 1;
}
