/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes whose connections are seen, each with what is known of it and the OTLP resource
 * that it is, encoded once. Bounded, least recently used out first.
 */
#pragma once

#include "base/buffer.h"
#include "base/counters.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/table.h"
#include "enrich/process.h"
#include "span/event.h"

#define PROCESS_FACTS_MAX (1024 + SAID_TEXT_MAX)
#define PROCESS_TEXT_MAX 3072

/*
 * By whom a service in a capture is called so, the strongest last: by nobody, so that its address
 * stands in; by an answer to who asked for its name; by a TLS client; by a Host header and the like.
 */
enum name_source { NAME_NONE, NAME_ADDRESS, NAME_ANSWER, NAME_HANDSHAKE, NAME_REQUEST };

struct process {
    struct table_link link;
    struct list lru;
    uint32_t tgid;
    uint64_t start_ns;
    char comm[COMM_LEN];
    enum name_source name_source; /* of an endpoint in a capture (processes_name) */
    bool described; /* the look-up has answered, if only that nothing is known */
    struct process_facts facts;
    uint64_t resource_key; /* changes with the resource */
    uint64_t service_key;  /* the same for all processes of a service */
    size_t facts_len;      /* of the facts' strings, at most PROCESS_FACTS_MAX */
    size_t resource_len;   /* 0: not encoded yet */
    uint8_t text[PROCESS_TEXT_MAX]; /* the facts' strings, then the resource */
};

struct processes {
    struct table table;
    struct pool pool;
    struct list lru;
    struct counters *counters;
    struct host_facts host;
    const struct said *configured, *agent; /* see struct resource_said */
    char host_name[256];
    struct buffer scratch;
};

/* What is said must outlive the table. Returns 0 or -ENOMEM. */
int processes_init(struct processes *processes, size_t max, const struct said *configured,
                   const struct said *agent, struct counters *counters);
void processes_done(struct processes *processes);

void processes_set_host(struct processes *processes, const struct host_facts *host);

/* The process, made where it is new. `comm` may be NULL: not known by this event. */
struct process *processes_get(struct processes *processes, const struct exec_context *exec,
                              const char *comm);

/* Takes over what the look-up found out, or of an endpoint in a capture a handshake. */
void processes_describe(struct processes *processes, const struct event *event);

/* Names the service behind an endpoint of a capture: of the strongest source the first name stays. */
void processes_name(struct process *process, struct bytes name, enum name_source source);

/* A hash of its service.name. */
uint64_t processes_service(struct processes *processes, struct process *process);

/* The bytes of its OTLP Resource; valid until the process is described anew or evicted. */
struct bytes processes_resource(struct processes *processes, struct process *process);
