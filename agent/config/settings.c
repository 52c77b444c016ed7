/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of settings, and how a snapshot is made from it: the defaults, then the file, then the
 * assignments. A new setting is a row here and a member in settings.h; nothing else.
 */
#include "config/settings.h"

#include "base/bytes.h"
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
static const struct setting_form form_hooks = {form_is_hooks,
                                               "auto, tracepoints, fexit or syscalls"};
static const struct setting_form form_log_level = {form_is_log_level,
                                                   "error, warning, info or debug"};
static const struct setting_form form_auto_off = {form_is_auto_off, "auto or off"};
static const struct setting_form form_pair = {form_is_pair, "of the form NAME=VALUE"};
static const struct setting_form form_not_empty = {form_is_not_empty, "text that is not empty"};

const struct setting setting_rows[] = {
    {"source", SETTING_TEXT, "bpf", AT(source), .form = &form_not_empty,
     .description = "Where events come from: `bpf` (the kernel), or `pcap:INTERFACE` (its "
                    "packets)."},
    {"exporters", SETTING_LIST, "", AT(exporters), .form = &form_export,
     .description = "Where spans go, each as `--export` takes it, followed by settings of its own "
                    "(`otlp:https://host;ca=/etc/ca.pem`); empty: console."},
    {"record", SETTING_TEXT, "", AT(record),
     .description = "A file to which all events are written too, for `replay`; empty: none."},

    {"capture.head", SETTING_SIZE, "4KiB", 64, 16 * KIB, AT(capture_head),
     .description = "Bytes captured of each socket operation, unless the protocol asks for another "
                    "number."},
    {"capture.ring", SETTING_SIZE, "4MiB", 256 * KIB, 64 * MIB, AT(capture_ring),
     .power_of_two = true,
     .description = "The ring buffer between the kernel and the agent."},
    {"capture.hooks", SETTING_TEXT, "auto", AT(capture_hooks), .form = &form_hooks,
     .description = "The kernel's hooks: `auto` takes the best set that works, `tracepoints`, "
                    "`fexit` and `syscalls` that one only (docs/bpf.md)."},
    {"capture.udp", SETTING_BOOLEAN, "true", AT(capture_udp),
     .description = "Trace UDP sockets."},
    {"capture.unix", SETTING_BOOLEAN, "true", AT(capture_unix),
     .description = "Trace UNIX sockets."},
    {"capture.tls", SETTING_TEXT, "auto", AT(capture_tls), .form = &form_auto_off,
     .description = "What TLS connections carry is read where programs hand it to their TLS "
                    "library: auto, or off."},

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

    {"span.attributes", SETTING_INTEGER, "128", 0, 128, AT(span_attributes),
     .variables = {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT"},
     .description = "Attributes that a span may have; more are left out and counted. Where it is "
                    "not set: `OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT`, else "
                    "`OTEL_ATTRIBUTE_COUNT_LIMIT`."},
    {"span.value_length", SETTING_INTEGER, "4096", 0, 65536, AT(span_value_length),
     .variables = {"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"},
     .description = "Characters that the value of an attribute may have; what is longer is cut. "
                    "Where it is not set: `OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT`, else "
                    "`OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT`."},
    {"resource.attributes", SETTING_LIST, "", AT(resource_attributes), .form = &form_pair,
     .description = "Attributes of every resource, at most 32; they come before what the "
                    "environment says (see below)."},

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

    {"receivers.local", SETTING_BOOLEAN, "false", AT(receivers_local),
     .description = "Take in what programs of this host say themselves, on UNIX sockets "
                    "(docs/receivers.md)."},
    {"receivers.directory", SETTING_TEXT, "/run/flowtrace", AT(receivers_directory),
     .form = &form_not_empty,
     .description = "The folder of these sockets, which have mode 0660; made where it is missing."},
    {"receivers.group", SETTING_TEXT, "", AT(receivers_group),
     .description = "The group that may use them; empty: the agent's own."},
    {"receivers.http", SETTING_TEXT, "", AT(receivers_http), .form = &form_address,
     .description = "Take in the same over HTTP on this address, without authentication: "
                    "`127.0.0.1:4318` is where SDKs send to; empty: off."},
    {"receivers.message_max", SETTING_SIZE, "4MiB", 4 * KIB, 64 * MIB, AT(receivers_message_max),
     .description = "The largest message that is taken in, also when it is inflated."},
    {"receivers.memory", SETTING_SIZE, "16MiB", 64 * KIB, GIB, AT(receivers_memory),
     .description = "What all messages that are under way may take together; above it clients are "
                    "told to come again."},
    {"receivers.fields", SETTING_LIST, "", AT(receivers_fields), .form = &form_not_empty,
     .description = "Members of the JSON data of events that become attributes, as "
                    "`flowtrace.data.NAME`, such as `order.total`; empty: none, for data may hold "
                    "secrets."},

    {"status.listen", SETTING_TEXT, "127.0.0.1:9465", AT(status_listen), .form = &form_address,
     .description = "Where /metrics and /healthz are served; empty: nowhere."},
    {"log.level", SETTING_TEXT, "info", AT(log_level), .form = &form_log_level,
     .description = "Log lines of this level and above."},
};

const size_t setting_count = ELEMENTSOF(setting_rows);

DEFINE_CLEANUP(struct settings, settings_free)

bool setting_at(const struct settings *settings, size_t i, struct setting_place *ret_place)
{
    if (i < setting_count) {
        *ret_place = (struct setting_place){&setting_rows[i], (void *)settings, ""};
        snprintf(ret_place->key, sizeof(ret_place->key), "%s", setting_rows[i].key);
        return true;
    }
    i -= setting_count;
    for (size_t s = 0; settings->sections && settings->sections[s]; s++) {
        const struct setting_section *section = settings->sections[s];

        if (i < section->n_rows) {
            *ret_place = (struct setting_place){&section->rows[i], settings->section_values[s], ""};
            snprintf(ret_place->key, sizeof(ret_place->key), "%s.%s", section->name,
                     section->rows[i].key);
            return true;
        }
        i -= section->n_rows;
    }
    return false;
}

bool setting_find(const struct settings *settings, const char *key,
                  struct setting_place *ret_place)
{
    for (size_t i = 0; setting_at(settings, i, ret_place); i++)
        if (strcmp(ret_place->key, key) == 0)
            return true;
    return false;
}

void settings_free(struct settings *settings)
{
    struct setting_place place;

    if (!settings)
        return;
    for (size_t i = 0; setting_at(settings, i, &place); i++)
        if (place.values)
            setting_done(place.row, place.values);
    for (size_t s = 0; s < SETTING_SECTIONS_MAX; s++)
        free(settings->section_values[s]);
    free(settings);
}

const void *settings_section(const struct settings *settings,
                             const struct setting_section *section)
{
    for (size_t s = 0; settings->sections && settings->sections[s]; s++)
        if (settings->sections[s] == section)
            return settings->section_values[s];
    return NULL;
}

/* The names in the section of `key` where there is such a section, else all sections and names. */
void setting_describe_keys(const struct settings *settings, const char *key, char *out,
                           size_t size)
{
    size_t section = strcspn(key, ".") + 1, n = 0;
    char last[SETTING_KEY_MAX] = "";
    struct setting_place place;
    bool known = false;

    for (size_t i = 0; key[section - 1] && setting_at(settings, i, &place); i++)
        known = known || strncmp(place.key, key, section) == 0;
    for (size_t i = 0; setting_at(settings, i, &place) && n < size; i++) {
        if (known && strncmp(place.key, key, section) != 0)
            continue;
        if (!known)
            place.key[strcspn(place.key, ".")] = '\0';
        if (strcmp(place.key, last) == 0)
            continue;
        memcpy(last, place.key, sizeof(last));
        n += (size_t)snprintf(out + n, size - n, "%s%s", n ? ", " : "", place.key);
    }
}

/* What an error says of an assignment: its value is left out where it may be secret. */
static int refuse(const struct setting_place *place, int error, const char *assignment)
{
    size_t shown = place->row->secret ? strcspn(assignment, "=") : strlen(assignment);
    char allowed[512];

    setting_describe(place->row, allowed, sizeof(allowed));
    return log_error(error, "\"%.*s\": %s takes %s", (int)shown, assignment, place->key, allowed);
}

/* "NAME=VALUE" or "NAME+=ITEM", where NAME is what `prefix` completes to a key. */
static int assign(const struct settings *settings, const char *prefix, const char *assignment,
                  void *section_values)
{
    const char *equals = strchr(assignment, '=');
    bool appends = equals && equals > assignment && equals[-1] == '+';
    struct setting_place place;
    char key[SETTING_KEY_MAX], allowed[512];
    void *values;
    int r;

    /* Behind a target it may be the rest of a secret with a semicolon. */
    if (!equals)
        return log_error(-EINVAL, "\"%s%s\" is not of the form KEY=VALUE", prefix,
                         *prefix ? "..." : assignment);
    snprintf(key, sizeof(key), "%s%.*s", prefix,
             (int)MIN((size_t)(equals - assignment) - appends, sizeof(key)), assignment);
    if (!setting_find(settings, key, &place)) {
        setting_describe_keys(settings, key, allowed, sizeof(allowed));
        return log_error(-EINVAL, "there is no setting \"%s\" (there are: %s)", key, allowed);
    }
    values = section_values ?: place.values;
    r = appends ? setting_append(place.row, values, equals + 1)
                : setting_assign_text(place.row, values, equals + 1);
    return r < 0 ? refuse(&place, r, assignment) : 0;
}

static int make_sections(struct settings *settings, const struct setting_section *const *sections)
{
    settings->sections = sections;
    for (size_t s = 0; sections && sections[s]; s++) {
        assert(s < SETTING_SECTIONS_MAX);
        settings->section_values[s] = calloc(1, MAX(sections[s]->size, (size_t)1));
        if (!settings->section_values[s])
            return -ENOMEM;
    }
    return 0;
}

static int set_defaults(struct settings *settings)
{
    struct setting_place place;
    int r;

    for (size_t i = 0; setting_at(settings, i, &place); i++) {
        r = setting_assign_default(place.row, place.values);
        assert(r == 0 || r == -ENOMEM);
        if (r < 0)
            return r;
    }
    return 0;
}

/*
 * A variable with a value that is no number is told and counts as unset (OpenTelemetry
 * specification, configuration/sdk-environment-variables.md); one beyond the bound is the bound.
 */
static bool take_variable(const struct setting *row, const char *name, uint64_t *slot)
{
    const char *text = getenv(name);
    uint64_t value;

    if (!text || !*text)
        return false;
    if (bytes_parse_u64(bytes_from_string(text), &value) < 0) {
        log_warning("%s is ignored: its value is no number", name);
        return false;
    }
    *slot = MIN(value, row->max);
    return true;
}

static void take_environment(struct settings *settings)
{
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting *row = &setting_rows[i];

        for (size_t v = 0; v < ELEMENTSOF(row->variables) && row->variables[v]; v++)
            if (take_variable(row, row->variables[v],
                              (uint64_t *)((char *)settings + row->offset)))
                break;
    }
}

int settings_load(const char *file, char *const *assignments, size_t n_assignments,
                  const struct setting_section *const *sections, struct settings **ret_settings)
{
    _cleanup_(settings_freep) struct settings *settings = calloc(1, sizeof(*settings));
    int r;

    r = settings ? make_sections(settings, sections) : -ENOMEM;
    if (r == 0)
        r = set_defaults(settings);
    if (r < 0)
        return log_error(r, "settings");
    take_environment(settings);
    r = file ? settings_read_yaml(file, settings) : 0;
    for (size_t i = 0; i < n_assignments && r == 0; i++)
        r = assign(settings, "", assignments[i], NULL);
    if (r < 0)
        return r;
    *ret_settings = TAKE_PTR(settings);
    return 0;
}

/* ---- a section's struct of its own ----------------------------------------------------------- */

static int assign_all(const struct settings *settings, const struct setting_section *section,
                      const char *assignments, void *values)
{
    _cleanup_(freep) char *copy = strdup(assignments);
    char prefix[SETTING_KEY_MAX], *rest = copy, *assignment;
    int r = copy ? 0 : -ENOMEM;

    snprintf(prefix, sizeof(prefix), "%s.", section->name);
    while (r == 0 && (assignment = strsep(&rest, ";")))
        if (*assignment)
            r = assign(settings, prefix, assignment, values);
    return r;
}

int settings_section_new(const struct settings *settings, const struct setting_section *section,
                         const char *assignments, void **ret_values)
{
    const void *from = settings_section(settings, section);
    void *values = calloc(1, MAX(section->size, (size_t)1));
    int r = values && from ? 0 : -ENOMEM;

    for (size_t i = 0; i < section->n_rows && r == 0; i++)
        r = setting_copy(&section->rows[i], from, values);
    if (r == 0)
        r = assign_all(settings, section, assignments, values);
    if (r < 0) {
        settings_section_free(section, values);
        return r;
    }
    *ret_values = values;
    return 0;
}

void settings_section_free(const struct setting_section *section, void *values)
{
    for (size_t i = 0; values && i < section->n_rows; i++)
        setting_done(&section->rows[i], values);
    free(values);
}
