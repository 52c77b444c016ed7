/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The check command: what this host allows, as a table of rows that is printed for people or as
 * JSON. A section is one function that adds its rows.
 */
#include "check.h"

#include "base/buffer.h"
#include "base/log.h"
#include "source/hooks.h"
#include "source/tls.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/utsname.h>

#define TEXT_MAX (1u << 20)
#define ROWS_MAX 192
#define TLS_FILES_MAX 96

struct row {
    const char *section;
    const char *name;
    const char *state; /* "ok", "unused", "missing" */
    const char *detail;
    const char *cost; /* NULL: none */
    const char *lost; /* what is not seen without it; NULL: nothing is lost */
    uint64_t verified;
};

struct check {
    const struct settings *settings;
    struct row rows[ROWS_MAX];
    size_t n;
    char kernel[160];
    struct hook_report hooks[HOOKS_MAX];
    struct tls_file {
        char path[256];
        char lost[320];
    } tls_files[TLS_FILES_MAX];
    size_t n_tls_files;
};

static void add(struct check *check, struct row row)
{
    if (check->n < ROWS_MAX)
        check->rows[check->n++] = row;
}

/* ---- sections -------------------------------------------------------------------------------- */

static void check_kernel(struct check *check)
{
    struct utsname name;
    unsigned major = 0, minor = 0;
    bool ok = uname(&name) == 0 && sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
              (major > SOURCE_BPF_FLOOR_MAJOR ||
               (major == SOURCE_BPF_FLOOR_MAJOR && minor >= SOURCE_BPF_FLOOR_MINOR));
    bool btf = access("/sys/kernel/btf/vmlinux", R_OK) == 0;

    snprintf(check->kernel, sizeof(check->kernel), "Linux %.80s %.40s", name.release, name.machine);
    add(check, (struct row){"kernel", "version", ok ? "ok" : "missing", check->kernel,
                            .lost = ok ? NULL : "everything: 5.15 or later is needed. Here only "
                                                "packets can be captured, such as with tcpdump "
                                                "-i any -w FILE"});
    add(check, (struct row){"kernel", "BTF", btf ? "ok" : "missing", "/sys/kernel/btf/vmlinux",
                            .lost = btf ? NULL : "everything: CONFIG_DEBUG_INFO_BTF=y is needed"});
}

/* Of this process, as /proc tells them; 0 where it does not. */
static uint64_t effective_capabilities(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    uint64_t capabilities = 0;
    char line[256];

    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "CapEff: %" SCNx64, &capabilities) == 1)
            break;
    if (file)
        fclose(file);
    return capabilities;
}

static void check_capabilities(struct check *check)
{
    /* Numbers of linux/capability.h. */
    static const struct {
        unsigned bit;
        const char *name, *detail, *lost;
    } needed[] = {
        {39, "CAP_BPF", "loads programs and maps", "everything"},
        {38, "CAP_PERFMON", "attaches them to the kernel's hooks", "everything"},
        {12, "CAP_NET_ADMIN", "attaches cgroup programs",
         "whom a UDP server hears (Linux 6.3 and later)"},
        {19, "CAP_SYS_PTRACE", "reads /proc of other users' processes",
         "service names, containers and executables of other users' processes"},
    };
    uint64_t have = effective_capabilities();
    bool all = have >> 21 & 1; /* CAP_SYS_ADMIN stands for the first two */

    for (size_t i = 0; i < ELEMENTSOF(needed); i++) {
        bool ok = (have >> needed[i].bit & 1) || (all && i < 2);

        add(check, (struct row){"capabilities", needed[i].name, ok ? "ok" : "missing",
                                needed[i].detail, .lost = ok ? NULL : needed[i].lost});
    }
}

/* The hooks are the proof: whatever rights they need is there when they attach. */
static int check_hooks(struct check *check)
{
    static const char *const states[] = {
        [HOOK_ATTACHED] = "ok", [HOOK_UNUSED] = "unused", [HOOK_MISSING] = "missing"};
    static struct counters counters;
    const struct settings *settings = check->settings;
    struct source_options options = {
        .capture_head = (uint32_t)settings->capture_head,
        .ring_size = (uint32_t)settings->capture_ring,
        .hooks = settings->capture_hooks,
        .without_udp = !settings->capture_udp,
        .without_unix = !settings->capture_unix,
        .counters = &counters,
    };
    size_t n = 0;
    int r = source_bpf_check(&options, check->hooks, &n);

    for (size_t i = 0; i < n; i++) {
        const struct hook_report *hook = &check->hooks[i];

        add(check, (struct row){"hooks", hook->name, states[hook->state], hook->sees, hook->cost,
                                hook->state == HOOK_MISSING ? hook->lost : NULL,
                                hook->verified});
    }
    return r;
}

static void add_tls_file(void *arg, const char *library, const char *why, const char *path)
{
    struct check *check = arg;
    bool off = strcmp(check->settings->capture_tls, "off") == 0;
    struct row row = {"TLS", library, why ? "missing" : off ? "unused" : "ok"};
    struct tls_file *file;

    if (check->n_tls_files == TLS_FILES_MAX)
        return;
    file = &check->tls_files[check->n_tls_files++];
    snprintf(file->path, sizeof(file->path), "%s", path);
    snprintf(file->lost, sizeof(file->lost), "what TLS connections of its programs carry: %s",
             why ?: "");
    row.detail = file->path;
    if (!why && !off)
        row.cost = "each TLS call of its users";
    if (why)
        row.lost = file->lost;
    add(check, row);
}

/* What is mapped now, or stands where libraries do; of programs, only those that run. */
static void check_tls(struct check *check)
{
    tls_survey(add_tls_file, check);
}

/* ---- printing -------------------------------------------------------------------------------- */

static void print_text(const struct check *check, bool traceable, struct buffer *out)
{
    const char *section = "";

    for (size_t i = 0; i < check->n; i++) {
        const struct row *row = &check->rows[i];

        if (strcmp(section, row->section) != 0)
            buffer_printf(out, "%s\n", row->section);
        section = row->section;
        buffer_printf(out, "  %-28s %-8s %s", row->name, row->state, row->detail);
        if (row->cost)
            buffer_printf(out, "; costs %s", row->cost);
        if (row->lost)
            buffer_printf(out, "; without it is lost: %s", row->lost);
        buffer_printf(out, "\n");
    }
    buffer_printf(out, "%s\n", traceable ? "This host can be traced."
                                         : "This host cannot be traced as it is.");
}

/* RFC 8259, section 7; the texts are UTF-8 already. */
static void print_string(struct buffer *out, const char *key, const char *text)
{
    buffer_printf(out, "\"%s\": \"", key);
    for (const char *c = text; *c; c++)
        if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ')
            buffer_printf(out, "\\u%04x", (unsigned char)*c);
        else
            buffer_append(out, c, 1);
    buffer_printf(out, "\"");
}

static void print_json(const struct check *check, bool traceable, struct buffer *out)
{
    buffer_printf(out, "{\"traceable\": %s, \"rows\": [", traceable ? "true" : "false");
    for (size_t i = 0; i < check->n; i++) {
        const struct row *row = &check->rows[i];
        const struct {
            const char *key, *text;
        } members[] = {{"section", row->section}, {"name", row->name}, {"state", row->state},
                       {"detail", row->detail},   {"cost", row->cost}, {"lost", row->lost}};

        buffer_printf(out, "%s\n  {", i ? "," : "");
        for (size_t m = 0; m < ELEMENTSOF(members); m++)
            if (members[m].text) {
                print_string(out, members[m].key, members[m].text);
                buffer_printf(out, ", ");
            }
        buffer_printf(out, "\"verified\": %" PRIu64 "}", row->verified);
    }
    buffer_printf(out, "\n]}\n");
}

int check_host(const struct settings *settings, bool json)
{
    static struct check check;
    _cleanup_(buffer_done) struct buffer out = buffer_make(TEXT_MAX);
    int r;

    check.settings = settings;
    check_kernel(&check);
    check_capabilities(&check);
    r = check_hooks(&check);
    check_tls(&check);
    if (json)
        print_json(&check, r == 0, &out);
    else
        print_text(&check, r == 0, &out);
    if (fwrite(out.ptr, 1, out.len, stdout) < out.len || fflush(stdout) != 0)
        return log_error(-EIO, "cannot print");
    return r;
}
