/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of settings, and how a snapshot is made from it: the defaults, then the file, then the
 * assignments. A new setting is a row here and a member in settings.h; nothing else.
 */
#include "config/settings.h"

#include "base/log.h"
#include "base/macro.h"
#include "config/forms.h"
#include "config/setting.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

#define AT(member) .offset = offsetof(struct settings, member)

static const struct setting_form form_export = {form_is_export,
                                                "NAME or NAME:TARGET, such as console"};
static const struct setting_form form_ports = {
    form_is_ports, "a port or a range of ports, such as 80 or 8000-8099"};
static const struct setting_form form_netns = {form_is_netns,
                                               "the inode number of a network namespace"};
static const struct setting_form form_address = {
    form_is_address_or_empty, "a numeric ADDRESS:PORT (IPv6 in brackets), or empty"};
static const struct setting_form form_hooks = {form_is_hooks, "auto, tracepoints or fexit"};
static const struct setting_form form_log_level = {form_is_log_level,
                                                   "error, warning, info or debug"};
static const struct setting_form form_not_empty = {form_is_not_empty, "text that is not empty"};

const struct setting setting_rows[] = {
    {"source", SETTING_TEXT, "bpf", AT(source), .form = &form_not_empty,
     .description = "Where events come from: `bpf` (the kernel), or `pcap:INTERFACE` (its packets)."},
    {"exporters", SETTING_LIST, "", AT(exporters), .form = &form_export,
     .description = "Where spans go, each as `--export` takes it; empty: console."},
    {"record", SETTING_TEXT, "", AT(record),
     .description = "A file to which all events are written too, for `replay`; empty: none."},

    {"capture.head", SETTING_SIZE, "4KiB", 64, 16 * KIB, AT(capture_head),
     .description = "Bytes captured of each socket operation, unless the protocol asks for another number."},
    {"capture.ring", SETTING_SIZE, "4MiB", 256 * KIB, 64 * MIB, AT(capture_ring),
     .power_of_two = true,
     .description = "The ring buffer between the kernel and the agent."},
    {"capture.hooks", SETTING_TEXT, "auto", AT(capture_hooks), .form = &form_hooks,
     .description = "The kernel's hooks: `auto` takes the best set that works, `tracepoints` and "
                    "`fexit` that one only (docs/bpf.md)."},
    {"capture.udp", SETTING_BOOLEAN, "true", AT(capture_udp),
     .description = "Trace UDP sockets."},
    {"capture.unix", SETTING_BOOLEAN, "true", AT(capture_unix),
     .description = "Trace UNIX sockets."},

    {"limits.connections", SETTING_INTEGER, "65536", 16, 4 * MIB, AT(max_connections),
     .description = "Connections known at one time; the oldest makes room for a new one."},
    {"limits.exchanges", SETTING_INTEGER, "65536", 16, 4 * MIB, AT(max_exchanges),
     .description = "Exchanges open at one time."},
    {"limits.processes", SETTING_INTEGER, "4096", 16, MIB, AT(max_processes),
     .description = "Processes known at one time; the oldest makes room for a new one."},
    {"limits.windows", SETTING_INTEGER, "4096", 16, MIB, AT(max_windows),
     .description = "Streams that hold an unfinished message at one time."},

    {"exchange.timeout", SETTING_DURATION, "60s", 100 * MS, 24 * HOUR, AT(exchange_timeout),
     .description = "How long a request waits for its response before it is given up."},
    {"exchange.grace", SETTING_DURATION, "50ms", 0, 10 * SECOND, AT(grace),
     .description = "How long a finished span waits for its other end."},

    {"select.executables", SETTING_LIST, "", AT(select_executables),
     .form = &form_not_empty,
     .description = "Trace only processes whose executable's file name, or command name, matches "
                    "one of these glob patterns; empty: all."},
    {"select.ports", SETTING_LIST, "", AT(select_ports), .form = &form_ports,
     .description = "Trace only connections with one of these ports, local or remote; "
                    "empty: all."},
    {"select.cgroups", SETTING_LIST, "", AT(select_cgroups), .form = &form_not_empty,
     .description = "Trace only processes whose cgroup's path matches one of these glob "
                    "patterns; empty: all."},
    {"select.netns", SETTING_LIST, "", AT(select_netns), .form = &form_netns,
     .description = "Trace only these network namespaces; empty: all."},

    {"context.export_unsampled", SETTING_BOOLEAN, "false", AT(export_unsampled),
     .description = "Export spans also where the request carried the decision not to sample its "
                    "trace."},
    {"context.baggage_keys", SETTING_LIST, "", AT(baggage_keys), .form = &form_not_empty,
     .description = "Members of the baggage that become attributes, as `baggage.KEY`; empty: none, "
                    "for baggage may hold secrets."},

    {"names.per_service", SETTING_INTEGER, "200", 0, 65536, AT(names_per_service),
     .description = "Different span names that a service may have; its other spans are called by "
                    "their method alone."},

    {"redact.query_keys", SETTING_LIST,
     "token,key,secret,password,passwd,pwd,auth,credential,session,signature,sig,code,jwt",
     AT(redact_query_keys), .form = &form_not_empty,
     .description = "The value of a query parameter is masked when its name contains one of "
                    "these, in upper or lower case."},

    {"batch.spans", SETTING_INTEGER, "512", 1, 8192, AT(batch_spans),
     .description = "A batch is sent when it has this many spans ..."},
    {"batch.bytes", SETTING_SIZE, "1MiB", 16 * KIB, 16 * MIB, AT(batch_bytes),
     .description = "... or has no room for one more in this many bytes ..."},
    {"batch.age", SETTING_DURATION, "200ms", MS, MINUTE, AT(batch_age),
     .description = "... or when its first span is this old."},

    {"queue.bytes", SETTING_SIZE, "16MiB", 64 * KIB, 16 * GIB, AT(queue_bytes),
     .description = "Batches that wait for a backend, per exporter. A full queue loses spans, "
                    "which are counted."},
    {"send.timeout", SETTING_DURATION, "10s", 100 * MS, 5 * MINUTE, AT(send_timeout),
     .description = "How long one send to a backend may take."},
    {"drain.timeout", SETTING_DURATION, "5s", 0, 5 * MINUTE, AT(drain_timeout),
     .description = "How long the agent tries to deliver what is queued when it stops."},

    {"status.listen", SETTING_TEXT, "127.0.0.1:9465", AT(status_listen), .form = &form_address,
     .description = "Where /metrics and /healthz are served; empty: nowhere."},
    {"log.level", SETTING_TEXT, "info", AT(log_level), .form = &form_log_level,
     .description = "Log lines of this level and above."},
};

const size_t setting_count = ELEMENTSOF(setting_rows);

DEFINE_CLEANUP(struct settings, settings_free)

void settings_free(struct settings *settings)
{
    if (!settings)
        return;
    for (size_t i = 0; i < setting_count; i++) {
        void *slot = (char *)settings + setting_rows[i].offset;

        if (setting_rows[i].type == SETTING_TEXT)
            free(*(char **)slot);
        else if (setting_rows[i].type == SETTING_LIST)
            string_list_done(slot);
    }
    free(settings);
}

const struct setting *setting_find(const char *key)
{
    for (size_t i = 0; i < setting_count; i++)
        if (strcmp(setting_rows[i].key, key) == 0)
            return &setting_rows[i];
    return NULL;
}

/* The names in the section of `key` where there is such a section, else all sections and names. */
void setting_describe_keys(const char *key, char *out, size_t size)
{
    size_t section = strcspn(key, ".") + 1, n = 0, last = 0;
    bool known = false;

    for (size_t i = 0; i < setting_count && key[section - 1]; i++)
        known = known || strncmp(setting_rows[i].key, key, section) == 0;
    for (size_t i = 0; i < setting_count && n < size; i++) {
        const char *name = setting_rows[i].key;
        size_t len = known ? strlen(name) : strcspn(name, ".");

        if (known && strncmp(name, key, section) != 0)
            continue;
        if (!known && i && len == strcspn(setting_rows[last].key, ".") &&
            strncmp(name, setting_rows[last].key, len) == 0)
            continue;
        last = i;
        n += (size_t)snprintf(out + n, size - n, "%s%.*s", n ? ", " : "", (int)len, name);
    }
}

static int assign(struct settings *settings, const char *assignment)
{
    const char *equals = strchr(assignment, '=');
    _cleanup_(freep) char *key = NULL;
    const struct setting *row;
    char allowed[512];
    int r;

    if (!equals)
        return log_error(-EINVAL, "\"%s\" is not of the form KEY=VALUE", assignment);
    key = strndup(assignment, (size_t)(equals - assignment));
    if (!key)
        return log_error(-ENOMEM, "settings");
    row = setting_find(key);
    if (!row) {
        setting_describe_keys(key, allowed, sizeof(allowed));
        return log_error(-EINVAL, "\"%s\": there is no setting \"%s\" (there are: %s)",
                         assignment, key, allowed);
    }
    r = setting_assign_text(row, settings, equals + 1);
    if (r < 0) {
        setting_describe(row, allowed, sizeof(allowed));
        return log_error(r, "\"%s\": %s takes %s", assignment, key, allowed);
    }
    return 0;
}

int settings_load(const char *file, char *const *assignments, size_t n_assignments,
                  struct settings **ret_settings)
{
    _cleanup_(settings_freep) struct settings *settings = calloc(1, sizeof(*settings));
    int r;

    if (!settings)
        return log_error(-ENOMEM, "settings");
    for (size_t i = 0; i < setting_count; i++) {
        r = setting_assign_text(&setting_rows[i], settings, setting_rows[i].default_text);
        assert(r == 0 || r == -ENOMEM);
        if (r < 0)
            return log_error(r, "settings");
    }
    r = file ? settings_read_yaml(file, settings) : 0;
    if (r < 0)
        return r;
    for (size_t i = 0; i < n_assignments; i++) {
        r = assign(settings, assignments[i]);
        if (r < 0)
            return r;
    }
    *ret_settings = TAKE_PTR(settings);
    return 0;
}
