/* SPDX-License-Identifier: Apache-2.0 */
/* The table of hooks, and how a set of them is chosen; the contract stands in bpf_hooks.h. */
#include "source/bpf_hooks.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/macro.h"
#include "source/tls_probe.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "bpf/flowtrace.skel.h"

#define LOG_LINES 12
#define INITIAL_PID_NAMESPACE 0xeffffffc /* PROC_PID_INIT_INO, linux/proc_ns.h */

enum set {
    SET_TRACEPOINTS = 1 << 0,
    SET_FEXIT = 1 << 1,
    SET_SYSCALLS = 1 << 2,
    SET_ALL = SET_TRACEPOINTS | SET_FEXIT | SET_SYSCALLS,
};

enum attachment {
    ATTACH_TRACING, /* to what its section names */
    ATTACH_CGROUP,  /* to the root of the cgroup2 hierarchy */
    ATTACH_NEVER,   /* it is run, or attached when it is needed (tls.h) */
};

/* From the best set to the dearest. */
static const struct {
    enum set set;
    const char *name;
    const char *probe; /* a BTF name without which the set cannot be */
    enum bpf_attach_type probe_type;
} sets[] = {
    {SET_TRACEPOINTS, "tracepoints", "sock_send_length", BPF_TRACE_RAW_TP},
    {SET_FEXIT, "fexit", "inet_sendmsg", BPF_TRACE_FEXIT},
    {SET_SYSCALLS, "syscalls", "sys_exit", BPF_TRACE_RAW_TP},
};

struct row {
    size_t program; /* in struct flowtrace_bpf */
    enum set set;
    enum attachment attachment;
    bool optional;
    const char *sees, *cost, *lost;
};

#define AT(member) offsetof(struct flowtrace_bpf, progs.member)
#define PER_OPERATION "each socket operation"
#define LOST_ALL "everything"
#define LOST_NAMES "programs and services of processes that end within milliseconds"

static const struct row rows[] = {
    {AT(on_send), SET_TRACEPOINTS, ATTACH_TRACING, false, "sends", PER_OPERATION, LOST_ALL},
    {AT(on_receive), SET_TRACEPOINTS, ATTACH_TRACING, false, "receives", PER_OPERATION, LOST_ALL},
    {AT(on_sender_4), SET_TRACEPOINTS, ATTACH_CGROUP, true, "senders of UDP datagrams, IPv4",
     "recvfrom and recvmsg of UDP", "whom a UDP server hears: its sockets are one connection each"},
    {AT(on_sender_6), SET_TRACEPOINTS, ATTACH_CGROUP, true, "senders of UDP datagrams, IPv6",
     "recvfrom and recvmsg of UDP", "whom a UDP server hears: its sockets are one connection each"},
    {AT(on_inet_sendmsg), SET_FEXIT, ATTACH_TRACING, false, "sends, IPv4", PER_OPERATION,
     LOST_ALL},
    {AT(on_inet_recvmsg), SET_FEXIT, ATTACH_TRACING, false, "receives, IPv4", PER_OPERATION,
     LOST_ALL},
    {AT(on_inet6_sendmsg), SET_FEXIT, ATTACH_TRACING, true, "sends, IPv6", PER_OPERATION,
     "connections over IPv6"},
    {AT(on_inet6_recvmsg), SET_FEXIT, ATTACH_TRACING, true, "receives, IPv6", PER_OPERATION,
     "connections over IPv6"},
    {AT(on_unix_stream_sendmsg), SET_FEXIT, ATTACH_TRACING, true, "sends, UNIX streams",
     PER_OPERATION, "UNIX streams"},
    {AT(on_unix_stream_recvmsg), SET_FEXIT, ATTACH_TRACING, true, "receives, UNIX streams",
     PER_OPERATION, "UNIX streams"},
    {AT(on_unix_dgram_sendmsg), SET_FEXIT, ATTACH_TRACING, true, "sends, UNIX datagrams",
     PER_OPERATION, "UNIX datagrams"},
    {AT(on_unix_dgram_recvmsg), SET_FEXIT, ATTACH_TRACING, true, "receives, UNIX datagrams",
     PER_OPERATION, "UNIX datagrams"},
    {AT(on_unix_seqpacket_sendmsg), SET_FEXIT, ATTACH_TRACING, true, "sends, UNIX packets",
     PER_OPERATION, "UNIX packets (SOCK_SEQPACKET)"},
    {AT(on_unix_seqpacket_recvmsg), SET_FEXIT, ATTACH_TRACING, true, "receives, UNIX packets",
     PER_OPERATION, "UNIX packets (SOCK_SEQPACKET)"},
    {AT(on_call_end), SET_SYSCALLS, ATTACH_TRACING, false, "sends and receives, by system call: "
     "not by sendfile, splice, io_uring and 32-bit programs, nor which ends of UNIX streams belong "
     "together", "every system call of every process", LOST_ALL},
    {AT(on_state), SET_ALL, ATTACH_TRACING, false, "ends of TCP connections",
     "opening and closing TCP connections", "ends of connections; the agent's own connections"},
    {AT(on_exec), SET_ALL, ATTACH_TRACING, true, "what processes execute", "each execve",
     LOST_NAMES},
    {AT(on_fork), SET_ALL, ATTACH_TRACING, true, "what processes inherit", "each fork", LOST_NAMES},
    {AT(on_exit), SET_ALL, ATTACH_TRACING, true, "ends of processes", "each exit",
     "room: the names of those that used no socket are kept too"},
    {AT(mark_old_sockets), SET_TRACEPOINTS | SET_FEXIT, ATTACH_NEVER, true,
     "UNIX sockets older than the agent", "once, at the start",
     "which ends of UNIX streams belong together"},
    {AT(on_tls_call), SET_ALL, ATTACH_NEVER, true, "calls of TLS libraries", "TLS calls",
     "what TLS connections carry"},
    {AT(on_tls_return), SET_ALL, ATTACH_NEVER, true, "ends of calls of TLS libraries", "TLS calls",
     "what TLS connections carry"},
    {AT(on_go_call), SET_ALL, ATTACH_NEVER, true, "calls of Go's crypto/tls",
     "TLS calls of Go programs", "what TLS connections of Go programs carry"},
    {AT(learn_own_tgid), SET_ALL, ATTACH_NEVER, false, "the agent's own process number",
     "once, at the start", LOST_ALL},
};
static_assert(ELEMENTSOF(rows) <= HOOKS_MAX, "struct hook_report[HOOKS_MAX]");

struct hooks {
    bool without_udp;
    struct flowtrace_bpf *skeleton;
    size_t set; /* in `sets` */
    struct bpf_link *links[ELEMENTSOF(rows)];
};

/* The cgroup programs serve UDP alone. */
static bool is_of_use(const struct row *row, enum set set, bool without_udp)
{
    return (row->set & set) && !(without_udp && row->attachment == ATTACH_CGROUP);
}

static struct bpf_program *program_of(const struct flowtrace_bpf *skeleton, const struct row *row)
{
    return *(struct bpf_program *const *)((const char *)skeleton + row->program);
}

/* A text of many lines is the verifier's log, and its last lines say what was wrong. */
static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
    char text[65536];
    size_t start;

    vsnprintf(text, sizeof(text), format, args);
    start = strlen(text);
    for (int lines = 0; start > 0 && lines <= LOG_LINES; start--)
        lines += text[start - 1] == '\n';
    for (char *rest = text + start, *line; (line = strsep(&rest, "\n"));)
        if (*line)
            log_debug("libbpf: %s", line);
    return 0;
}

/* ---- why not -------------------------------------------------------------------------------- */

static bool is_below_floor(char *ret_release, size_t size)
{
    struct utsname name;
    unsigned major, minor;

    if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2)
        return false;
    snprintf(ret_release, size, "%s", name.release);
    return major < SOURCE_BPF_FLOOR_MAJOR ||
           (major == SOURCE_BPF_FLOOR_MAJOR && minor < SOURCE_BPF_FLOOR_MINOR);
}

/* One line that says what is missing and what to do. */
static int explain(int error, const char *step)
{
    if (error == -EPERM)
        return log_error(error, "%s: not permitted. Run as root, or with CAP_BPF, CAP_PERFMON and "
                                "CAP_NET_ADMIN; with these, the kernel has no such hooks", step);
    if (access("/sys/kernel/btf/vmlinux", R_OK) < 0)
        return log_error(error, "%s: this kernel has no BTF (/sys/kernel/btf/vmlinux); a kernel "
                                "with CONFIG_DEBUG_INFO_BTF=y is needed", step);
    if (error == -EACCES)
        return log_error(error, "%s: the kernel's verifier refused them; --set log.level=debug "
                                "shows its words", step);
    return log_error(error, "%s: this kernel lacks a hook, a helper or a member that is read; "
                            "--set log.level=debug shows which", step);
}

static int refuse_old_kernel(void)
{
    char release[65];

    if (!is_below_floor(release, sizeof(release)))
        return 0;
    return log_error(-EOPNOTSUPP,
                     "Linux %s is too old to trace sockets: %d.%d or later is needed. Here only "
                     "packets can be captured, such as with tcpdump -i any -w FILE",
                     release, SOURCE_BPF_FLOOR_MAJOR, SOURCE_BPF_FLOOR_MINOR);
}

/* ---- loading -------------------------------------------------------------------------------- */

static int configure(struct flowtrace_bpf *skeleton, const struct source_options *options,
                     enum set set)
{
    int r;

    skeleton->rodata->by_address = set == SET_SYSCALLS;
    skeleton->rodata->capture_head = options->capture_head;
    skeleton->rodata->ring_fill_mark = options->ring_size / 4;
    bpf_program__set_expected_attach_type(skeleton->progs.on_tls_call, TLS_ATTACH_TYPE);
    bpf_program__set_expected_attach_type(skeleton->progs.on_tls_return, TLS_ATTACH_TYPE);
    bpf_program__set_expected_attach_type(skeleton->progs.on_go_call, TLS_ATTACH_TYPE);
    skeleton->rodata->want_udp = !options->without_udp;
    skeleton->rodata->want_unix = !options->without_unix;
    if (getrandom((void *)&skeleton->rodata->unix_salt, sizeof(skeleton->rodata->unix_salt), 0) < 0)
        return log_error(-errno, "cannot draw a random number");
    r = set == SET_SYSCALLS ? 0 : bpf_map__set_max_entries(skeleton->maps.state_table, 1);
    return r < 0 ? r : bpf_map__set_max_entries(skeleton->maps.ring, options->ring_size);
}

/* Runs the iterator to its end: it yields nothing, it only visits. */
static int visit(struct bpf_program *program)
{
    struct bpf_link *link = bpf_program__attach_iter(program, NULL);
    char nothing[16];
    ssize_t n;
    int fd;

    if (!link)
        return -errno;
    fd = bpf_iter_create(bpf_link__fd(link));
    do
        n = fd < 0 ? -1 : read(fd, nothing, sizeof(nothing));
    while (n > 0 || (n < 0 && fd >= 0 && errno == EAGAIN));
    n = n < 0 ? -errno : 0;
    if (fd >= 0)
        close(fd);
    bpf_link__destroy(link);
    return (int)n;
}

static int learn_own_tgid(struct flowtrace_bpf *skeleton)
{
    LIBBPF_OPTS(bpf_test_run_opts, run);

    return bpf_prog_test_run_opts(bpf_program__fd(skeleton->progs.learn_own_tgid), &run);
}

static int load(const struct source_options *options, enum set set, bool with_optional,
                struct flowtrace_bpf **ret_skeleton)
{
    struct flowtrace_bpf *skeleton = flowtrace_bpf__open();
    int r;

    if (!skeleton)
        return -errno;
    for (size_t i = 0; i < ELEMENTSOF(rows); i++)
        bpf_program__set_autoload(program_of(skeleton, &rows[i]),
                                  is_of_use(&rows[i], set, options->without_udp) &&
                                      (with_optional || !rows[i].optional));
    r = configure(skeleton, options, set);
    if (r == 0)
        r = flowtrace_bpf__load(skeleton);
    if (r == 0)
        r = learn_own_tgid(skeleton);
    if (r < 0) {
        flowtrace_bpf__destroy(skeleton);
        return r;
    }
    *ret_skeleton = skeleton;
    return 0;
}

/* ---- attaching ------------------------------------------------------------------------------- */

/* A descriptor of the cgroup2 hierarchy's root as it is mounted here, or a negative errno. */
static int open_cgroup_root(void)
{
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    struct mntent entry;
    char text[4096];
    int fd = -ENOENT;

    while (mounts && fd < 0 && getmntent_r(mounts, &entry, text, sizeof(text)))
        if (strcmp(entry.mnt_type, "cgroup2") == 0) {
            fd = open(entry.mnt_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            fd = fd < 0 ? -errno : fd;
        }
    if (mounts)
        endmntent(mounts);
    return fd;
}

static int attach_cgroup(struct bpf_program *program, struct bpf_link **ret_link)
{
    _cleanup_(closep) int fd = open_cgroup_root();

    if (fd < 0)
        return fd;
    *ret_link = bpf_program__attach_cgroup(program, fd);
    return *ret_link ? 0 : -errno;
}

static int attach_row(struct hooks *hooks, size_t i)
{
    struct bpf_program *program = program_of(hooks->skeleton, &rows[i]);

    if (bpf_program__fd(program) < 0 || rows[i].attachment == ATTACH_NEVER)
        return 0;
    if (rows[i].attachment == ATTACH_CGROUP)
        return attach_cgroup(program, &hooks->links[i]);
    hooks->links[i] = bpf_program__attach(program);
    return hooks->links[i] ? 0 : -errno;
}

/* From another pid namespace the iterator visits only that one's processes. */
static bool sees_all_processes(void)
{
    struct stat stat_;

    return stat("/proc/self/ns/pid", &stat_) == 0 && stat_.st_ino == INITIAL_PID_NAMESPACE;
}

static int attach(struct hooks *hooks)
{
    struct flowtrace_bpf *skeleton = hooks->skeleton;

    skeleton->bss->attached_ns = clock_ns(CLOCK_MONOTONIC);
    for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
        int r = attach_row(hooks, i);

        if (r < 0 && !rows[i].optional)
            return r;
        if (r < 0)
            log_debug("the hook of %s does not attach",
                      bpf_program__name(program_of(skeleton, &rows[i])));
    }
    if (bpf_program__fd(skeleton->progs.mark_old_sockets) >= 0 && sees_all_processes() &&
        visit(skeleton->progs.mark_old_sockets) == 0)
        skeleton->bss->settled = 1;
    return 0;
}

static int try_set(struct hooks *hooks, const struct source_options *options)
{
    int r = load(options, sets[hooks->set].set, true, &hooks->skeleton);

    if (r < 0 && r != -EPERM)
        r = load(options, sets[hooks->set].set, false, &hooks->skeleton);
    if (r == 0)
        r = attach(hooks);
    if (r < 0) {
        log_debug("the hooks \"%s\" do not work here: %s", sets[hooks->set].name, strerror(-r));
        hooks_detach(hooks);
        flowtrace_bpf__destroy(TAKE_PTR(hooks->skeleton));
    }
    return r;
}

static int choose_set(struct hooks *hooks, const struct source_options *options)
{
    bool any = !options->hooks || strcmp(options->hooks, "auto") == 0;
    int r, first = 0;

    for (size_t i = 0; i < ELEMENTSOF(sets); i++) {
        if (!any && strcmp(options->hooks, sets[i].name) != 0)
            continue;
        if (any && libbpf_find_vmlinux_btf_id(sets[i].probe, sets[i].probe_type) < 0)
            continue;
        hooks->set = i;
        r = try_set(hooks, options);
        if (r == 0)
            return 0;
        first = first ?: r;
    }
    return first ?: -ENOENT;
}

int hooks_open(const struct source_options *options, struct hooks **ret_hooks)
{
    struct hooks *hooks;
    int r = refuse_old_kernel();

    if (r < 0)
        return r;
    hooks = calloc(1, sizeof(*hooks));
    if (!hooks)
        return -ENOMEM;
    hooks->without_udp = options->without_udp;
    libbpf_set_print(print_libbpf);
    r = choose_set(hooks, options);
    if (r < 0) {
        free(hooks);
        return explain(r, "cannot load or attach the BPF programs");
    }
    log_debug("hooks: %s", sets[hooks->set].name);
    *ret_hooks = hooks;
    return 0;
}

void hooks_detach(struct hooks *hooks)
{
    for (size_t i = 0; i < ELEMENTSOF(rows); i++)
        bpf_link__destroy(TAKE_PTR(hooks->links[i]));
}

void hooks_close(struct hooks *hooks)
{
    if (!hooks)
        return;
    hooks_detach(hooks);
    flowtrace_bpf__destroy(hooks->skeleton);
    free(hooks);
}

/* ---- telling --------------------------------------------------------------------------------- */

struct flowtrace_bpf *hooks_skeleton(const struct hooks *hooks)
{
    return hooks->skeleton;
}

const char *hooks_set_name(const struct hooks *hooks)
{
    return sets[hooks->set].name;
}

static int read_info(const struct bpf_program *program, struct bpf_prog_info *ret_info)
{
    uint32_t len = sizeof(*ret_info);
    int fd = bpf_program__fd(program);

    memset(ret_info, 0, sizeof(*ret_info));
    return fd < 0 ? -ENOENT : bpf_obj_get_info_by_fd(fd, ret_info, &len);
}

uint64_t hooks_recursions(const struct hooks *hooks)
{
    struct bpf_prog_info info;
    uint64_t sum = 0;

    for (size_t i = 0; i < ELEMENTSOF(rows); i++)
        if (hooks->links[i] && read_info(program_of(hooks->skeleton, &rows[i]), &info) == 0)
            sum += info.recursion_misses;
    return sum;
}

/* Without the mark that keeps libbpf from loading it unasked. */
static const char *section_of(const struct bpf_program *program)
{
    const char *section = bpf_program__section_name(program);

    return *section == '?' ? section + 1 : section;
}

static enum hook_state state_of(const struct hooks *hooks, size_t i)
{
    if (!hooks)
        return HOOK_MISSING;
    if (!is_of_use(&rows[i], sets[hooks->set].set, hooks->without_udp))
        return HOOK_UNUSED;
    if (rows[i].attachment == ATTACH_NEVER)
        return bpf_program__fd(program_of(hooks->skeleton, &rows[i])) >= 0 ? HOOK_ATTACHED
                                                                           : HOOK_MISSING;
    return hooks->links[i] ? HOOK_ATTACHED : HOOK_MISSING;
}

size_t hooks_report(const struct hooks *hooks, struct hook_report *ret_reports)
{
    struct flowtrace_bpf *skeleton = hooks ? hooks->skeleton : flowtrace_bpf__open();

    for (size_t i = 0; skeleton && i < ELEMENTSOF(rows); i++) {
        struct bpf_program *program = program_of(skeleton, &rows[i]);
        struct bpf_prog_info info;

        ret_reports[i] = (struct hook_report){
            .state = state_of(hooks, i), .required = !rows[i].optional,
            .sees = rows[i].sees, .cost = rows[i].cost, .lost = rows[i].lost};
        snprintf(ret_reports[i].name, sizeof(ret_reports[i].name), "%s", section_of(program));
        if (read_info(program, &info) == 0)
            ret_reports[i].verified = info.verified_insns;
    }
    if (!hooks)
        flowtrace_bpf__destroy(skeleton);
    return skeleton ? ELEMENTSOF(rows) : 0;
}

int source_bpf_check(const struct source_options *options, struct hook_report *ret_reports,
                     size_t *ret_n)
{
    struct hooks *hooks = NULL;
    int r = hooks_open(options, &hooks);

    *ret_n = hooks_report(hooks, ret_reports);
    hooks_close(hooks);
    return r;
}
