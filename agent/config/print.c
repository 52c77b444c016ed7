/* SPDX-License-Identifier: Apache-2.0 */
/* The settings as text, made from their table: a YAML file, and docs/configuration.md. */
#include "config/setting.h"

#include "base/buffer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TEXT_CAP (1 << 20)

static const char reference_head[] =
    "# Configuration\n"
    "\n"
    "<!-- Generated from the table in agent/config/settings.c by scripts/update-docs. -->\n"
    "\n"
    "One YAML file, given by `--config FILE`; what it does not name keeps its default. The dots\n"
    "of a key are mappings in the file, lists are sequences:\n"
    "\n"
    "```yaml\n"
    "capture:\n"
    "  head: 4KiB\n"
    "exporters: [console, \"otlp:http://127.0.0.1:4317\"]\n"
    "```\n"
    "\n"
    "`--set KEY=VALUE` comes after the file and may be repeated; the items of a list are then\n"
    "separated by commas. `--set KEY+=ITEM` adds one item to a list, commas and all. An unknown\n"
    "key, a value that is not allowed and a key that is set twice in the file are errors, reported\n"
    "with file and line. `--print-config` shows what is in force, as a file that can be loaded\n"
    "again; what may hold a secret is not shown.\n"
    "\n"
    "Sizes are in bytes or take K, M, G (also KiB, MiB, GiB), powers of 1024. Durations take ns,\n"
    "us, ms, s, m, h.\n"
    "\n"
    "| setting | type | default | allowed | meaning |\n"
    "|---|---|---|---|---|\n";

static const char reference_tail[] =
    "\n"
    "## The name of a service\n"
    "\n"
    "`service.name` of the resource is the first of these that is there:\n"
    "\n"
    "1. `service.name` in `resource.attributes`: then all processes are one service;\n"
    "2. `OTEL_SERVICE_NAME` in the environment of the process;\n"
    "3. `service.name` in its `OTEL_RESOURCE_ATTRIBUTES`;\n"
    "4. the systemd unit of its cgroup (`.service`, without the suffix; not `user@` units);\n"
    "5. for an interpreter (python, node, java -jar, ruby, perl, php, sh) the file name of the\n"
    "   script or jar, without its suffix;\n"
    "6. the file name of its executable, not of a link to it: Debian's redis-server is\n"
    "   `redis-check-rdb`;\n"
    "7. the command name that the kernel knows, where nothing else is known yet.\n"
    "\n"
    "## Attributes of a resource\n"
    "\n"
    "Each key comes once; the first of these that has it counts:\n"
    "\n"
    "1. `resource.attributes`;\n"
    "2. `OTEL_RESOURCE_ATTRIBUTES` in the environment of the traced process: every pair of it, at\n"
    "   most 32 in 1 KiB;\n"
    "3. `OTEL_RESOURCE_ATTRIBUTES` in the agent's own environment, but for `service.*`: this says\n"
    "   where the agent runs, for every process that it sees;\n"
    "4. what the agent sees: `host.name`, `process.pid`, `container.id` and so on.\n"
    "\n"
    "A list is `key=value,key=value`, percent-encoded. One that is not valid says nothing at all: of\n"
    "a process it is counted (`resource_attributes_invalid`), of the agent it is logged. In the\n"
    "agent's environment `OTEL_SERVICE_NAME`, else `service.name` of its list, names the agent\n"
    "itself, in the span that `check --export` sends, and no traced process. Of the endpoints in a\n"
    "capture only 1 and 4 are known. `telemetry.distro.*` always names flowtrace.\n"
    "\n"
    "## Redaction\n"
    "\n"
    "Before a span leaves the agent, in `url.query` and `url.full` the value of each parameter\n"
    "whose name contains one of `redact.query_keys` is replaced by `REDACTED`, and so is user\n"
    "information (`user:password@`) in `url.full`. Message bodies are never exported.\n";

static int write_all(int fd, const struct buffer *buffer)
{
    if (buffer->failed)
        return -ENOBUFS;
    for (size_t done = 0; done < buffer->len;) {
        ssize_t n = write(fd, buffer->ptr + done, buffer->len - done);

        if (n < 0 && errno != EINTR)
            return -errno;
        done += (size_t)MAX(n, 0);
    }
    return 0;
}

/* Single-quoted, which can hold everything that a text of the settings may hold. */
static void append_quoted(struct buffer *out, const char *text)
{
    buffer_append(out, "'", 1);
    for (; *text; text++)
        buffer_append(out, *text == '\'' ? "''" : text, *text == '\'' ? 2 : 1);
    buffer_append(out, "'", 1);
}

static bool is_empty(const struct setting *row, const void *slot)
{
    return row->type == SETTING_LIST ? ((const struct string_list *)slot)->n == 0
                                     : !**(char *const *)slot;
}

static void append_value(struct buffer *out, const struct setting_place *place)
{
    const struct setting *row = place->row;
    const void *slot = (const char *)place->values + row->offset;
    const struct string_list *list = slot;
    char number[32];

    switch (row->type) {
    case SETTING_BOOLEAN:
        buffer_printf(out, *(const bool *)slot ? "true" : "false");
        break;
    case SETTING_TEXT:
        append_quoted(out, *(char *const *)slot);
        break;
    case SETTING_LIST:
        buffer_append(out, "[", 1);
        for (size_t i = 0; i < list->n; i++) {
            buffer_append(out, ", ", i ? 2 : 0);
            append_quoted(out, list->items[i]);
        }
        buffer_append(out, "]", 1);
        break;
    default:
        setting_format_number(row->type, *(const uint64_t *)slot, number, sizeof(number));
        buffer_printf(out, "%s", number);
    }
}

static bool is_section(const struct settings *settings, const char *name, size_t len)
{
    for (size_t i = 0; settings->sections && settings->sections[i]; i++)
        if (strlen(settings->sections[i]->name) == len &&
            memcmp(settings->sections[i]->name, name, len) == 0)
            return true;
    return false;
}

/* The query of a URL, which may hold a key, or its user and password; its scheme may be left out. */
static bool target_holds_secret(const char *target)
{
    size_t len = strcspn(target, "?#@;");

    return target[len] && target[len] != ';';
}

/*
 * "otlp:https://host;headers=..." sets a secret of the section that its first word names, and a URL
 * may be one by itself. So may what is misspelled.
 */
static bool item_holds_secret(const struct settings *settings, const char *item)
{
    size_t name = strcspn(item, ":;");
    struct setting_place place;
    char key[SETTING_KEY_MAX];

    if (!is_section(settings, item, name))
        return strstr(item, "://") && target_holds_secret(strstr(item, "://"));
    if (target_holds_secret(item + name))
        return true;
    for (const char *at = item; (at = strchr(at, ';')); at++) {
        snprintf(key, sizeof(key), "%.*s.%.*s", (int)name, item, (int)strcspn(at + 1, "+="),
                 at + 1);
        if (at[1] && (!setting_find(settings, key, &place) || place.row->secret))
            return true;
    }
    return false;
}

static bool holds_secret(const struct settings *settings, const struct setting_place *place)
{
    const void *slot = (const char *)place->values + place->row->offset;
    const struct string_list *list = slot;

    if (place->row->secret)
        return !is_empty(place->row, slot);
    for (size_t i = 0; place->row->type == SETTING_LIST && i < list->n; i++)
        if (item_holds_secret(settings, list->items[i]))
            return true;
    return false;
}

static void append_setting(struct buffer *out, const struct settings *settings,
                           const struct setting_place *place)
{
    const char *dot = strchr(place->key, '.');
    const char *name = dot ? dot + 1 : place->key;

    if (!setting_is_set(place->row, place->values)) {
        buffer_printf(out, "%s# %s: is not set\n", dot ? "  " : "", name);
        return;
    }
    if (holds_secret(settings, place)) {
        buffer_printf(out, "%s# %s: is set, and not shown\n", dot ? "  " : "", name);
        return;
    }
    buffer_printf(out, "%s%s: ", dot ? "  " : "", name);
    append_value(out, place);
    buffer_append(out, "\n", 1);
}

int settings_print(const struct settings *settings, int fd)
{
    _cleanup_(buffer_done) struct buffer out = buffer_make(TEXT_CAP);
    char section[SETTING_KEY_MAX] = "";
    struct setting_place place;

    for (size_t i = 0; setting_at(settings, i, &place); i++) {
        size_t len = strcspn(place.key, ".");

        if (place.key[len] && (strncmp(section, place.key, len) != 0 || section[len]))
            buffer_printf(&out, "%.*s:\n", (int)len, place.key);
        snprintf(section, sizeof(section), "%.*s", (int)len, place.key);
        append_setting(&out, settings, &place);
    }
    return write_all(fd, &out);
}

static void append_reference_row(struct buffer *out, const struct setting_place *place)
{
    const struct setting *row = place->row;
    bool spaced = row->type == SETTING_LIST;
    char allowed[512];

    setting_describe(row, allowed, sizeof(allowed));
    buffer_printf(out, "| `%s` | %s | ", place->key, setting_type_name(row->type));
    buffer_append(out, "`", *row->default_text != '\0');
    for (const char *c = row->default_text; *c; c++)
        buffer_append(out, *c == ',' && spaced ? ", " : c, *c == ',' && spaced ? 2 : 1);
    buffer_printf(out, "%s | %s | %s |\n",
                  *row->default_text ? "`" : row->optional ? "(not set)" : "(empty)", allowed,
                  row->description);
}

int settings_print_reference(const struct setting_section *const *sections, int fd)
{
    const struct settings settings = {.sections = sections};
    struct setting_place place;
    _cleanup_(buffer_done) struct buffer out = buffer_make(TEXT_CAP);

    buffer_append(&out, reference_head, strlen(reference_head));
    for (size_t i = 0; setting_at(&settings, i, &place); i++)
        append_reference_row(&out, &place);
    buffer_append(&out, reference_tail, strlen(reference_tail));
    return write_all(fd, &out);
}
