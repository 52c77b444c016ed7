/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where events come from: the kernel, a recording, later packet captures and local receivers. All
 * feed the same core, and time is data: nothing below pipeline/ asks a clock.
 */
#pragma once

#include "base/counters.h"
#include "span/event.h"

typedef void (*event_sink)(void *arg, const struct event *event);

struct source_options {
    const char *path;      /* replay, pcap: the file, "-" for standard input; or the interface */
    uint32_t capture_head; /* bpf: bytes */
    uint32_t ring_size;    /* bpf: bytes, a power of two */
    const char *hooks;     /* bpf: "auto" (or NULL), or the name of a set */
    bool without_udp;      /* bpf */
    bool without_unix;     /* bpf */
    uint32_t max_connections;
    bool tls;              /* bpf: see what TLS connections carry */
    struct counters *counters; /* the source adds its share */
};

/* Returned by drain when no further event will come (the end of a recording). */
#define SOURCE_END 1

/* For drain's timeout_ms. */
#define SOURCE_LAST_DRAIN (-1)

struct source_ops {
    const char *name;

    /* Starts the source. Logs what failed and what to do. Returns 0 or a negative errno. */
    int (*open)(const struct source_options *options, void **ret_source);

    /*
     * Waits until there are events, `wake_fd` becomes readable or timeout_ms have passed, then
     * delivers all there are, and an EVENT_TICK behind them; one that knows no processes only where
     * there were none. SOURCE_LAST_DRAIN for the time: stops capturing first and delivers what is
     * left. Returns 0, SOURCE_END or a negative errno after which the source is dead.
     */
    int (*drain)(void *source, int wake_fd, int timeout_ms, event_sink sink, void *arg);

    void (*set_verdict)(void *source, uint64_t connection, struct verdict verdict);

    /* Brings the kernel's counters into options->counters. */
    void (*update_counters)(void *source);

    void (*close)(void *source); /* NULL is fine */
};

extern const struct source_ops source_bpf;
extern const struct source_ops source_replay;
extern const struct source_ops source_pcap_file;
extern const struct source_ops source_pcap_interface;
