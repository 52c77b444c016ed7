/* SPDX-License-Identifier: Apache-2.0 */
/* The check command: each requirement with its state, and the verdict. */
#include "check.h"

#include "base/counters.h"
#include "base/log.h"
#include "source/source.h"

#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>

static void print_row(const char *what, bool ok, const char *detail)
{
    printf("%-14s %-8s %s\n", what, ok ? "ok" : "missing", detail);
}

static void check_kernel(void)
{
    struct utsname name;
    unsigned major = 0, minor = 0;
    char detail[256] = "unknown";

    if (uname(&name) == 0) {
        if (sscanf(name.release, "%u.%u", &major, &minor) != 2)
            major = minor = 0;
        snprintf(detail, sizeof(detail), "Linux %s %s (6.3 or later is needed)", name.release,
                 name.machine);
    }
    print_row("kernel", major > 6 || (major == 6 && minor >= 3), detail);
}

static void check_btf(void)
{
    print_row("BTF", access("/sys/kernel/btf/vmlinux", R_OK) == 0, "/sys/kernel/btf/vmlinux");
}

/* The hooks are the proof: whatever rights they need is there when they attach. */
static int check_hooks(const struct settings *settings)
{
    static struct counters counters;
    struct source_options options = {
        .capture_head = (uint32_t)settings->capture_head,
        .ring_size = (uint32_t)settings->capture_ring,
        .hooks = settings->capture_hooks,
        .without_udp = !settings->capture_udp,
        .without_unix = !settings->capture_unix,
        .counters = &counters,
    };
    void *source = NULL;
    int r = source_bpf.open(&options, &source);

    source_bpf.close(source);
    print_row("hooks", r == 0,
              r == 0 ? "sock_send_length, sock_recv_length, inet_sock_set_state attach"
                     : "the line on standard error says why");
    return r;
}

int check_host(const struct settings *settings)
{
    int r;

    setvbuf(stdout, NULL, _IOLBF, 0);
    check_kernel();
    check_btf();
    r = check_hooks(settings);
    printf("%s\n", r == 0 ? "This host can be traced." : "This host cannot be traced as it is.");
    return r;
}
