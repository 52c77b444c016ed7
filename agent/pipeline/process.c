/* SPDX-License-Identifier: Apache-2.0 */
/* The table of processes; its contract stands in process.h. */
#include "pipeline/process.h"

#include "base/hash.h"
#include "otlp/otlp.h"

int processes_init(struct processes *processes, size_t max, const struct said *configured,
                   const struct said *agent, struct counters *counters)
{
    int r;

    list_init(&processes->lru);
    processes->counters = counters;
    processes->configured = configured;
    processes->agent = agent;
    processes->scratch = buffer_make(PROCESS_TEXT_MAX);
    r = pool_init(&processes->pool, sizeof(struct process), max);
    return r < 0 ? r : table_init(&processes->table, max);
}

void processes_done(struct processes *processes)
{
    table_done(&processes->table);
    pool_done(&processes->pool);
    buffer_done(&processes->scratch);
}

void processes_set_host(struct processes *processes, const struct host_facts *host)
{
    size_t n = MIN(host->name.len, sizeof(processes->host_name));

    memcpy(processes->host_name, host->name.ptr, n);
    processes->host = *host;
    processes->host.name = bytes_make(processes->host_name, n);
}

static struct process *find(struct processes *processes, uint32_t tgid, uint64_t start_ns)
{
    struct table_link *link = table_find(&processes->table, hash_pair(tgid, start_ns));

    for (; link; link = table_next(link)) {
        struct process *process = container_of(link, struct process, link);

        if (process->tgid == tgid && process->start_ns == start_ns)
            return process;
    }
    return NULL;
}

static struct process *make(struct processes *processes, const struct exec_context *exec)
{
    struct process *process = pool_take(&processes->pool);

    if (!process) {
        process = container_of(processes->lru.next, struct process, lru);
        table_remove(&processes->table, &process->link);
        list_remove(&process->lru);
        counters_add(processes->counters, COUNTER_processes_evicted, 1);
    }
    memset(process, 0, offsetof(struct process, text));
    process->tgid = exec->tgid;
    process->start_ns = exec->process_start_ns;
    process->resource_key = hash_pair(exec->tgid, exec->process_start_ns);
    list_init(&process->lru);
    list_append(&processes->lru, &process->lru);
    table_insert(&processes->table, process->resource_key, &process->link);
    return process;
}

/* Another name is another program (execve): what was known of the old one is not true of it. */
static void rename_process(struct process *process, const char *comm)
{
    if (process->comm[0] && !process->name_source) {
        process->described = false;
        process->facts = (struct process_facts){0};
        process->facts_len = 0;
    }
    memcpy(process->comm, comm, COMM_LEN);
    process->resource_len = 0;
}

struct process *processes_get(struct processes *processes, const struct exec_context *exec,
                              const char *comm)
{
    struct process *process = find(processes, exec->tgid, exec->process_start_ns);

    if (process)
        list_move_to_end(&processes->lru, &process->lru);
    else
        process = make(processes, exec);
    if (comm && strncmp(process->comm, comm, COMM_LEN) != 0)
        rename_process(process, comm);
    return process;
}

/* False: there is no list, or one that says nothing since it is none, which is counted. */
static bool parse_attributes(struct bytes text, struct arena *arena, struct said *ret_said)
{
    return text.len > 0 && text.len <= SAID_TEXT_MAX && said_parse(text, arena, ret_said) == 0;
}

void processes_describe(struct processes *processes, const struct event *event)
{
    struct process *process = processes_get(processes, &event->exec, NULL);
    const struct process_facts *facts = event->process_facts;
    struct arena arena = arena_over(process->text, PROCESS_FACTS_MAX);
    uint8_t text[SAID_TEXT_MAX];
    struct arena scratch = arena_over(text, sizeof(text));
    struct said said;
    bool valid = parse_attributes(facts->attributes, &scratch, &said);

    if (event->exec.tgid == 0) {
        processes_name(process, facts->service, NAME_HANDSHAKE);
        return;
    }
    process->facts = (struct process_facts){
        .attributes = valid ? arena_copy(&arena, facts->attributes) : BYTES_NULL,
        .service = arena_copy(&arena, facts->service),
        .container_id = arena_copy(&arena, facts->container_id),
        .executable = arena_copy(&arena, facts->executable),
        .cgroup = arena_copy(&arena, facts->cgroup),
    };
    process->facts_len = arena.used;
    process->described = true;
    process->resource_len = 0;
    counters_add(processes->counters, COUNTER_processes, 1);
    if (facts->attributes.len && !valid)
        counters_add(processes->counters, COUNTER_resource_attributes_invalid, 1);
}

void processes_name(struct process *process, struct bytes name, enum name_source source)
{
    struct arena arena = arena_over(process->text, PROCESS_FACTS_MAX);

    if (source <= process->name_source)
        return;
    process->name_source = source;
    process->described = true;
    process->facts = (struct process_facts){.service = arena_copy(&arena, name)};
    process->facts_len = arena.used;
    process->resource_len = 0;
}

/* Of those that do not all fit, the last ones are left out: service.name comes first. */
static void encode_what_fits(struct processes *processes, const struct attribute *attributes,
                             size_t n, size_t room)
{
    size_t all = n;
    int r;

    do {
        buffer_reset(&processes->scratch);
        r = otlp_encode_resource(attributes, n, &processes->scratch);
    } while ((r < 0 || processes->scratch.len > room) && --n > 0);
    counters_add(processes->counters, COUNTER_resource_attributes_dropped, all - n);
}

static void encode_resource(struct processes *processes, struct process *process)
{
    struct process_identity identity = {
        .tgid = process->tgid,
        .process_start_ns = process->start_ns,
        .comm = bytes_make(process->comm, strnlen(process->comm, COMM_LEN)),
    };
    struct attribute attributes[RESOURCE_ATTRIBUTES_MAX];
    uint8_t text[512], said_text[SAID_TEXT_MAX];
    struct arena arena = arena_over(text, sizeof(text));
    struct arena scratch = arena_over(said_text, sizeof(said_text));
    struct resource_said said = {.configured = processes->configured, .agent = processes->agent};
    uint8_t *place = process->text + process->facts_len;
    struct said own;
    size_t n;

    if (parse_attributes(process->facts.attributes, &scratch, &own))
        said.process = &own;
    n = process_resource(&identity, process->described ? &process->facts : NULL, &processes->host,
                         &said, &arena, attributes);
    encode_what_fits(processes, attributes, n, PROCESS_TEXT_MAX - process->facts_len);
    process->service_key = n ? hash_bytes(attributes[0].text) : 0;
    process->resource_len = processes->scratch.len;
    memcpy(place, processes->scratch.ptr, process->resource_len);
    process->resource_key = hash_pair(process->resource_key,
                                      hash_bytes(buffer_bytes(&processes->scratch)));
}

struct bytes processes_resource(struct processes *processes, struct process *process)
{
    if (process->resource_len == 0)
        encode_resource(processes, process);
    return bytes_make(process->text + process->facts_len, process->resource_len);
}

uint64_t processes_service(struct processes *processes, struct process *process)
{
    processes_resource(processes, process);
    return process->service_key;
}
