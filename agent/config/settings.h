/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings: one table (settings.c) with name, type, default, bounds and description of each,
 * which feeds the YAML parser, --set, --print-config and docs/configuration.md. What comes out is
 * an immutable snapshot. Rooms that this one does not know (each exporter) bring sections of their
 * own, with a table and a struct each.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SETTING_SECTIONS_MAX 16

struct setting_section;

struct string_list {
    char **items;
    size_t n;
};

/* Frees the items; the list is then empty. */
void string_list_done(struct string_list *list);

struct settings {
    /* What to do. */
    char *source;
    struct string_list exporters; /* as --export takes them */
    char *record;                 /* file, or empty */

    /* Capture. Sizes in bytes. */
    uint64_t capture_head;
    uint64_t capture_ring;
    char *capture_hooks; /* auto, or a set of hooks */
    bool capture_udp;
    bool capture_unix;
    char *capture_tls; /* "auto" or "off" */

    /* Bounds of the core. */
    uint64_t max_connections;
    uint64_t max_exchanges;
    uint64_t max_processes;
    uint64_t max_windows;     /* streams that hold an unfinished message at one time */
    uint64_t exchange_timeout; /* nanoseconds, as all durations */
    uint64_t grace;            /* how long a finished span waits for its other end */

    /* Selection: empty lists select everything. */
    struct string_list select_executables; /* glob patterns on the path's last part or the comm */
    struct string_list select_ports;       /* N or N-M, local or remote */
    struct string_list select_cgroups;     /* glob patterns on the path */
    struct string_list select_netns;       /* inode numbers */

    /* Trace contexts that requests carry. */
    bool export_unsampled;           /* spans of traces that came here as not sampled */
    struct string_list baggage_keys; /* that become attributes */

    uint64_t names_per_service; /* different span names */
    uint64_t span_attributes;   /* at most so many */
    uint64_t span_value_length; /* characters of the value of one */

    struct string_list resource_attributes; /* NAME=VALUE */

    /* Redaction. */
    struct string_list redact_query_keys; /* case-insensitive parts of names */

    /* Export. */
    uint64_t batch_spans;
    uint64_t batch_bytes;
    uint64_t batch_age;
    uint64_t queue_bytes; /* per exporter */
    uint64_t send_timeout;
    uint64_t drain_timeout; /* at stop */

    /* Receivers. */
    bool receivers_local;
    char *receivers_directory;
    char *receivers_group; /* or empty: the agent's own */
    char *receivers_http;  /* ADDRESS:PORT, or empty: off */
    uint64_t receivers_message_max;
    uint64_t receivers_memory;
    struct string_list receivers_fields;

    /* Status. */
    char *status_listen; /* ADDRESS:PORT, or empty: off */
    char *log_level;

    /* What settings_section looks in. */
    const struct setting_section *const *sections; /* NULL-terminated, or NULL */
    void *section_values[SETTING_SECTIONS_MAX];
};

/*
 * The defaults, then the environment where a row names variables, then the file (NULL: none), then
 * the assignments in order: "KEY=VALUE", or
 * "KEY+=ITEM" for one more item of a list. `sections` (NULL-terminated, or NULL: none) must outlive
 * the settings. Errors are logged with file and line, or with the assignment. Returns 0 or a
 * negative errno.
 */
int settings_load(const char *file, char *const *assignments, size_t n_assignments,
                  const struct setting_section *const *sections, struct settings **ret_settings);
void settings_free(struct settings *settings);

/* The struct of one of the sections, filled; it belongs to the settings. */
const void *settings_section(const struct settings *settings,
                             const struct setting_section *section);

/*
 * A struct of that section of its own: as settings_section has it, but for "NAME=VALUE;NAME=VALUE"
 * (also NAME+=ITEM), with names as they are within the section. Errors are logged. Returns 0 or a
 * negative errno.
 */
int settings_section_new(const struct settings *settings, const struct setting_section *section,
                         const char *assignments, void **ret_values);
void settings_section_free(const struct setting_section *section, void *values); /* NULL is fine */

/*
 * Writes all settings as a YAML file that settings_load reads back to the same values. A secret
 * that is set, and what is not set, is a comment in it.
 */
int settings_print(const struct settings *settings, int fd);

/* Writes docs/configuration.md. */
int settings_print_reference(const struct setting_section *const *sections, int fd);
