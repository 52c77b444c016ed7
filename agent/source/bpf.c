/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The source that reads the kernel side, which bpf_hooks.c loads and attaches: drains its ring,
 * turns records into events, and writes verdicts into the shared array.
 *
 * Sleeping. After a drain that found records the source naps for NAP_MS: records gather, and the
 * traced programs wake nobody but at the fill mark. After a nap that found none it sleeps until the
 * next record rings the doorbell, once. A record that is written in the very moment in which the
 * doorbell is set may not ring; it then waits for the caller's timeout.
 */
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "bpf/record.h"
#include "source/bpf_hooks.h"
#include "source/bpf_image.h"
#include "source/lookup.h"
#include "source/ring.h"
#include "source/ring_record.h"
#include "source/source.h"
#include "source/tls.h"
#include "source/tls_handshake.h"
#include "source/tls_join.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#include "bpf/flowtrace.skel.h"

#define NAP_MS 10
#define SETTLE_US 2000
#define ANSWERS_WAIT_NS NS_PER_S
#define UNTRACEABLE_MAX 64
#define TLS_CONNECTIONS_MAX 16384 /* whose handshake, or missing session, is remembered */
#define CLOCK_CHECK_NS NS_PER_S /* how often the distance between the two clocks is measured */

struct bpf_source {
    struct source_options options;
    struct hooks *hooks;
    struct flowtrace_bpf *skeleton; /* the hooks' */
    struct ring *ring;
    struct lookup *lookup;
    struct tls *tls;
    struct tls_join *tls_join;
    struct tls_handshakes *handshakes;
    uint64_t untraceable[UNTRACEABLE_MAX]; /* names, hashed, of whom that was said */
    size_t n_untraceable;
    struct ft_verdict *verdicts;
    int epoll_fd;
    int n_cpus;
    struct ft_counters *cpu_counters; /* n_cpus of each set */
    uint64_t boot_to_unix_ns;
    uint64_t clock_checked_ns; /* boot time */
    uint64_t lost;             /* kernel's losses at the last look */
    bool busy;                 /* the last drain found records */
    bool introduced;           /* EVENT_HOST was delivered */
    /* During a drain. */
    event_sink sink;
    void *sink_arg;
};

/* The kernel may look at any moment: a foreign verdict must never seem to be this id's. */
static void write_verdict(void *arg, uint64_t id, enum ft_verdict_kind kind, uint32_t head)
{
    struct bpf_source *source = arg;
    struct ft_verdict *slot = &source->verdicts[ft_verdict_slot(id)];

    __atomic_store_n(&slot->id, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&slot->what, (uint64_t)kind << 32 | head, __ATOMIC_SEQ_CST);
    __atomic_store_n(&slot->id, id, __ATOMIC_SEQ_CST);
}

/* ---- opening --------------------------------------------------------------------------------- */

static int map_ring(struct bpf_source *source)
{
    const struct bpf_map *map = source->skeleton->maps.ring;
    size_t longest = sizeof(struct ft_facts) + sizeof(struct ft_record) + FT_CAPTURE_MAX;

    return ring_new(bpf_map__fd(map), bpf_map__max_entries(map), longest, &source->ring);
}

static int map_memory(struct bpf_source *source)
{
    int r;

    source->verdicts =
        mmap(NULL, FT_VERDICTS * sizeof(struct ft_verdict), PROT_READ | PROT_WRITE, MAP_SHARED,
             bpf_map__fd(source->skeleton->maps.verdicts), 0);
    if (source->verdicts == MAP_FAILED) {
        source->verdicts = NULL;
        return log_error(-errno, "cannot map the verdicts");
    }
    r = map_ring(source);
    if (r < 0)
        return log_error(r, "cannot map the ring");
    source->n_cpus = libbpf_num_possible_cpus();
    if (source->n_cpus < 1)
        return log_error(source->n_cpus, "cannot tell the number of CPUs");
    source->cpu_counters = calloc((size_t)source->n_cpus * FT_COUNTER_SETS,
                                  sizeof(*source->cpu_counters));
    return source->cpu_counters ? 0 : -ENOMEM;
}

static int watch(int epoll_fd, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 && errno != EEXIST ? -errno : 0;
}

static int prepare_waiting(struct bpf_source *source)
{
    const struct lookup_images images = {bpf_image_find, source->skeleton};
    int r;

    source->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (source->epoll_fd < 0)
        return log_error(-errno, "cannot make an epoll instance");
    r = lookup_start(&images, &source->lookup);
    if (r < 0)
        return log_error(r, "cannot start the look-up thread");
    r = watch(source->epoll_fd, bpf_map__fd(source->skeleton->maps.ring));
    if (r == 0)
        r = watch(source->epoll_fd, lookup_fd(source->lookup));
    return r < 0 ? log_error(r, "cannot wait for the ring") : 0;
}

static void source_bpf_close(void *arg)
{
    struct bpf_source *source = arg;

    if (!source)
        return;
    tls_stop(source->tls);
    tls_join_free(source->tls_join);
    tls_handshakes_free(source->handshakes);
    ring_free(source->ring);
    if (source->verdicts)
        munmap(source->verdicts, FT_VERDICTS * sizeof(struct ft_verdict));
    lookup_stop(source->lookup);
    hooks_close(source->hooks);
    closep(&source->epoll_fd);
    free(source->cpu_counters);
    free(source);
}
DEFINE_CLEANUP(void, source_bpf_close)

/* Once for each name: what it means is the same for all its processes. */
static void tell_untraceable(void *arg, uint32_t tgid, const char *comm)
{
    struct bpf_source *source = arg;
    uint64_t name = hash_bytes(bytes_from_string(comm));
    char link[32], path[PATH_MAX];
    ssize_t n;

    for (size_t i = 0; i < source->n_untraceable; i++)
        if (source->untraceable[i] == name)
            return;
    if (source->n_untraceable == UNTRACEABLE_MAX)
        return;
    source->untraceable[source->n_untraceable++] = name;
    snprintf(link, sizeof(link), "/proc/%" PRIu32 "/exe", tgid);
    n = readlink(link, path, sizeof(path) - 1);
    path[MAX(n, 0)] = '\0'; /* it may have ended */
    log_warning("TLS of %s (process %" PRIu32 "%s%s) is not seen: its library is not known, has no "
                "symbols, or it only passes cipher text on (flowtrace-agent check tells of those "
                "that run, docs/tls.md of all)", comm, tgid, *path ? ", " : "", path);
}

static void read_handshake(void *arg, const struct event *event)
{
    struct bpf_source *source = arg;

    tls_handshakes_take(source->handshakes, event);
}

static int start_tls(struct bpf_source *source)
{
    const struct tls_join_options join = {
        .max_connections = TLS_CONNECTIONS_MAX,
        .max_sessions = FT_TLS_SESSIONS,
        .counters = source->options.counters,
        .set_verdict = write_verdict,
        .untraceable = tell_untraceable,
        .cipher_text = read_handshake,
        .arg = source,
    };
    const struct flowtrace_bpf *skeleton = source->skeleton;
    const struct tls_programs programs = {
        .enter_fd = bpf_program__fd(skeleton->progs.on_tls_call),
        .return_fd = bpf_program__fd(skeleton->progs.on_tls_return),
        .go_fd = bpf_program__fd(skeleton->progs.on_go_call),
    };

    int r = tls_handshakes_new(TLS_CONNECTIONS_MAX, source->options.counters, &source->handshakes);

    if (r == 0)
        r = tls_join_new(&join, &source->tls_join);
    return r < 0 ? r : tls_start(&programs, &skeleton->bss->tls_probes, &source->tls);
}

static int source_bpf_open(const struct source_options *options, void **ret_source)
{
    _cleanup_(source_bpf_closep) void *owner = NULL;
    struct bpf_source *source = calloc(1, sizeof(*source));
    int r;

    if (!source)
        return -ENOMEM;
    owner = source;
    source->epoll_fd = -1;
    source->options = *options;
    r = hooks_open(options, &source->hooks);
    if (r < 0)
        return r;
    source->skeleton = hooks_skeleton(source->hooks);
    r = map_memory(source);
    if (r == 0)
        r = prepare_waiting(source);
    if (r < 0)
        return r;
    if (options->tls && start_tls(source) < 0)
        log_warning("going on without TLS: what its connections carry is not seen");
    *ret_source = TAKE_PTR(owner);
    return 0;
}

/* ---- records to events ---------------------------------------------------------------------- */

static void deliver(struct bpf_source *source, const struct event *event)
{
    source->sink(source->sink_arg, event);
}

/* What is delivered is the clear text: what its connection's handshake said is told beside it. */
static void add_handshake(struct bpf_source *source, struct event *event,
                          struct connection_facts *facts)
{
    if (event->kind == EVENT_CLOSE)
        tls_handshakes_forget(source->handshakes, event->connection);
    if (!event->connection_facts || !event->connection_facts->secure)
        return;
    *facts = *event->connection_facts;
    tls_handshakes_tell(source->handshakes, event->connection, facts);
    event->connection_facts = facts;
}

static void take_event(struct bpf_source *source, enum ft_kind kind, struct event *event)
{
    struct connection_facts facts;

    if (!source->tls_join) {
        deliver(source, event);
    } else if (kind == FT_KIND_HANDSHAKE) {
        tls_handshakes_take(source->handshakes, event);
    } else if (tls_join_take(source->tls_join, kind, event)) {
        add_handshake(source, event, &facts);
        deliver(source, event);
    }
}

static void ask_about(struct bpf_source *source, const struct event *event)
{
    const struct connection_facts *facts = event->connection_facts;
    struct lookup_question question = {
        .tgid = event->exec.tgid,
        .exec_id = facts->exec_id,
        .process_start_ns = event->exec.process_start_ns,
        .cgroup_id = facts->cgroup_id,
    };

    memcpy(question.comm, facts->comm, sizeof(question.comm));
    if (!lookup_ask(source->lookup, &question))
        counters_add(source->options.counters, COUNTER_processes_unasked, 1);
}

static void deliver_answers(struct bpf_source *source)
{
    struct lookup_answer answer;

    while (lookup_take(source->lookup, &answer)) {
        struct event event = {
            .kind = EVENT_PROCESS,
            .time_ns = clock_ns(CLOCK_BOOTTIME) + source->boot_to_unix_ns,
            .exec = {.tgid = answer.tgid, .process_start_ns = answer.process_start_ns},
            .process_facts = &answer.facts,
        };
        deliver(source, &event);
    }
}

static void take_record(void *arg, struct bytes record)
{
    struct bpf_source *source = arg;
    struct connection_facts facts;
    enum ft_kind kind;
    struct event event;

    if (ring_record_decode(record, source->boot_to_unix_ns, &kind, &event, &facts) < 0) {
        counters_add(source->options.counters, COUNTER_operations_malformed, 1);
        return;
    }
    if (event.connection_facts)
        ask_about(source, &event);
    take_event(source, kind, &event);
    if (lookup_has_answers(source->lookup)) /* not only behind a long drain */
        deliver_answers(source);
}

static void deliver_host(struct bpf_source *source)
{
    char name[HOST_NAME_MAX + 1] = "";
    struct host_facts facts = {.boot_time_ns = source->boot_to_unix_ns};
    struct event event = {.kind = EVENT_HOST, .time_ns = clock_ns(CLOCK_REALTIME),
                          .host_facts = &facts};

    gethostname(name, sizeof(name) - 1);
    facts.name = bytes_from_string(name);
    deliver(source, &event);
    source->introduced = true;
}

/* ---- draining ------------------------------------------------------------------------------- */

static void check_clock(struct bpf_source *source)
{
    uint64_t boot = clock_ns(CLOCK_BOOTTIME);

    if (source->clock_checked_ns && boot - source->clock_checked_ns < CLOCK_CHECK_NS)
        return;
    source->boot_to_unix_ns = clock_ns(CLOCK_REALTIME) - boot;
    source->clock_checked_ns = boot;
}

static void ring_doorbell_at(struct bpf_source *source, enum ft_doorbell when)
{
    __atomic_store_n(&source->skeleton->bss->doorbell, when, __ATOMIC_SEQ_CST);
}

static void wait_for_records(struct bpf_source *source, int wake_fd, int timeout_ms)
{
    struct epoll_event events[4];
    int n;

    if (watch(source->epoll_fd, wake_fd) < 0)
        timeout_ms = NAP_MS;
    ring_doorbell_at(source, source->busy ? FT_DOORBELL_NAPPING : FT_DOORBELL_ASLEEP);
    if (source->busy)
        timeout_ms = MIN(timeout_ms, NAP_MS);
    n = epoll_wait(source->epoll_fd, events, ELEMENTSOF(events), timeout_ms);
    ring_doorbell_at(source, FT_DOORBELL_AWAKE);
    if (n < 0 && errno != EINTR)
        log_error(-errno, "cannot wait for events");
}

static uint64_t sum_counter(const struct bpf_source *source, enum ft_counter id)
{
    uint64_t sum = 0;

    for (int i = 0; i < source->n_cpus * FT_COUNTER_SETS; i++)
        sum += source->cpu_counters[i].values[id];
    return sum;
}

static int read_cpu_counters(struct bpf_source *source)
{
    int fd = bpf_map__fd(source->skeleton->maps.counters), r = 0;

    for (uint32_t set = 0; set < FT_COUNTER_SETS && r == 0; set++)
        r = bpf_map_lookup_elem(fd, &set, source->cpu_counters + set * (size_t)source->n_cpus);
    return r;
}

static void deliver_loss(struct bpf_source *source)
{
    struct event event = {.kind = EVENT_LOSS,
                          .time_ns = clock_ns(CLOCK_BOOTTIME) + source->boot_to_unix_ns};
    uint64_t lost;

    if (read_cpu_counters(source) < 0)
        return;
    lost = sum_counter(source, FT_RING_FULL) + sum_counter(source, FT_NO_STORAGE) +
           sum_counter(source, FT_NO_RECORD);
    if (lost != source->lost)
        deliver(source, &event);
    source->lost = lost;
}

/* The last spans still wait for whose they are. */
static void await_answers(struct bpf_source *source)
{
    uint64_t deadline = clock_ns(CLOCK_MONOTONIC) + ANSWERS_WAIT_NS;
    struct pollfd ready = {.fd = lookup_fd(source->lookup), .events = POLLIN};

    while (lookup_owes(source->lookup) && clock_ns(CLOCK_MONOTONIC) < deadline) {
        poll(&ready, 1, NAP_MS);
        deliver_answers(source);
    }
}

/* Takes the hooks off; a program that is just running on another CPU gets the time to end. */
static void stop_capturing(struct bpf_source *source)
{
    hooks_detach(source->hooks);
    tls_stop(TAKE_PTR(source->tls));
    usleep(SETTLE_US);
}

static int source_bpf_drain(void *arg, int wake_fd, int timeout_ms, event_sink sink, void *sink_arg)
{
    struct bpf_source *source = arg;
    struct event tick = {.kind = EVENT_TICK};
    int n;

    source->sink = sink;
    source->sink_arg = sink_arg;
    check_clock(source);
    if (!source->introduced)
        deliver_host(source);
    if (timeout_ms == SOURCE_LAST_DRAIN)
        stop_capturing(source);
    /* Records that came since the last drain are taken before any sleep. */
    n = ring_consume(source->ring, take_record, source);
    if (n == 0 && timeout_ms != SOURCE_LAST_DRAIN) {
        wait_for_records(source, wake_fd, timeout_ms);
        n = ring_consume(source->ring, take_record, source);
    }
    if (n < 0)
        return log_error(n, "cannot read the ring");
    source->busy = n > 0;
    deliver_answers(source);
    if (timeout_ms == SOURCE_LAST_DRAIN)
        await_answers(source);
    deliver_loss(source);
    tick.time_ns = clock_ns(CLOCK_BOOTTIME) + source->boot_to_unix_ns;
    deliver(source, &tick);
    return 0;
}

static void source_bpf_set_verdict(void *arg, uint64_t connection, struct verdict verdict)
{
    struct bpf_source *source = arg;

    if (source->tls_join && tls_join_set_verdict(source->tls_join, connection, verdict))
        return;
    write_verdict(source, connection, (enum ft_verdict_kind)verdict.kind, verdict.head);
}

/* ---- counters ------------------------------------------------------------------------------- */

static void source_bpf_update_counters(void *arg)
{
    static const struct {
        enum ft_counter from;
        enum counter to;
    } map[] = {
        {FT_OPERATIONS, COUNTER_operations},
        {FT_OTHER_SOCKET, COUNTER_operations_other_socket},
        {FT_TURNED_OFF, COUNTER_operations_turned_off},
        {FT_NO_BYTES, COUNTER_operations_no_bytes},
        {FT_PEEKED, COUNTER_operations_peeked},
        {FT_OWN, COUNTER_operations_own},
        {FT_IGNORED, COUNTER_operations_ignored},
        {FT_GIVEN_UP, COUNTER_operations_given_up},
        {FT_CIPHER_TEXT, COUNTER_operations_cipher_text},
        {FT_CIPHER_OUTSIDE, COUNTER_operations_cipher_outside},
        {FT_EARLY_DATA, COUNTER_operations_early_data},
        {FT_RING_FULL, COUNTER_operations_ring_full},
        {FT_NO_STORAGE, COUNTER_operations_no_storage},
        {FT_NO_RECORD, COUNTER_operations_no_record},
        {FT_CALLS_UNSEEN, COUNTER_tls_calls_unseen},
        {FT_CLOSE_LOST, COUNTER_closes_lost},
        {FT_HANDSHAKE_LOST, COUNTER_tls_handshakes_lost},
        {FT_NOT_CAPTURED, COUNTER_bytes_not_captured},
        {FT_FOREIGN_BUFFER, COUNTER_bytes_foreign_buffer},
        {FT_COMPAT_TASK, COUNTER_bytes_compat_task},
        {FT_BAD_FLAGS, COUNTER_bytes_bad_flags},
        {FT_COPY_FAILED, COUNTER_bytes_copy_failed},
        {FT_UNKNOWN_MESSAGE, COUNTER_bytes_unknown_message},
    };
    struct bpf_source *source = arg;

    if (read_cpu_counters(source) < 0)
        return;
    for (size_t i = 0; i < ELEMENTSOF(map); i++)
        counters_set(source->options.counters, map[i].to, sum_counter(source, map[i].from));
    counters_set(source->options.counters, COUNTER_hook_recursions,
                 hooks_recursions(source->hooks));
}

const struct source_ops source_bpf = {
    .name = "bpf",
    .open = source_bpf_open,
    .drain = source_bpf_drain,
    .set_verdict = source_bpf_set_verdict,
    .update_counters = source_bpf_update_counters,
    .close = source_bpf_close,
};
