/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The source that reads packets: a capture file (pcap, pcapng), or an interface while its packets
 * pass. For hosts whose kernel cannot be asked, and for what was captured elsewhere. The only file
 * that includes libpcap.
 *
 *   packet -> packet.c: layers -> segment.c: streams -> events
 *                              -> datagram.c            -> events
 *
 * Packets know no processes: the spans are the servers', and causes are read from headers only.
 */
#include "base/clock.h"
#include "base/log.h"
#include "enrich/process.h"
#include "source/datagram.h"
#include "source/own_sockets.h"
#include "source/segment.h"
#include "source/source.h"
#include "source/tls_handshake.h"

#include <errno.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <unistd.h>

#define PACKETS_PER_DRAIN 512
#define SNAPSHOT_LENGTH 262144 /* as tcpdump has it: all of a packet */
#define HELD_MAX (16u << 20)
#define KERNEL_BUFFER (16 << 20)
#define OWN_SEEN 1024 /* connections of datagrams of which it is known whether they are the agent's */
#define BATCH_MS 10 /* packets gather in the kernel for so long */

struct pcap_source {
    struct source_options options;
    pcap_t *pcap;
    bool live;
    int link_type;
    int fd; /* live: readable when there are packets */
    uint64_t ns_per_fraction;
    uint64_t now_ns; /* the latest packet's time */
    struct fragments *fragments;
    struct segments *segments;
    struct tls_handshakes *handshakes; /* what clients call their servers */
    uint64_t datagrams; /* bytes of those so far */
    struct {
        uint64_t connection;
        bool own;
    } seen[OWN_SEEN]; /* by the connection's last bits; live only */
    bool introduced; /* EVENT_HOST was delivered */
    /* During a drain. */
    event_sink sink;
    void *sink_arg;
    uint64_t n_delivered;
};

/* ---- events out ------------------------------------------------------------------------------ */

static void deliver(void *arg, const struct event *event)
{
    struct pcap_source *source = arg;

    if (event->kind == EVENT_DATA)
        counters_add(source->options.counters, COUNTER_operations, 1);
    source->sink(source->sink_arg, event);
    source->n_delivered++;
}

/* The name that a TLS client asked for is told as what is known of the process at that end. */
static void look_for_name(struct pcap_source *source, const struct event *event)
{
    struct connection_facts facts = {0};
    struct process_facts told = {0};
    struct event process = {.kind = EVENT_PROCESS,
                            .time_ns = event->time_ns,
                            .exec = event->exec,
                            .process_facts = &told};

    tls_handshakes_take(source->handshakes, event);
    tls_handshakes_tell(source->handshakes, event->connection, &facts);
    if (facts.name.len == 0)
        return;
    told.service = bytes_make(facts.name.bytes, facts.name.len);
    deliver(source, &process);
    tls_handshakes_forget(source->handshakes, event->connection);
}

static void deliver_segment(void *arg, const struct event *event)
{
    struct pcap_source *source = arg;

    if (event->kind == EVENT_CLOSE)
        tls_handshakes_forget(source->handshakes, event->connection);
    else if (event->dir == DIR_IN)
        look_for_name(source, event);
    deliver(source, event);
}

static bool is_own(void *arg, const struct packet *packet)
{
    return own_sockets_have(&packet->source) || own_sockets_have(&packet->destination);
}

/* To ask for each datagram would cost more than all else. */
static bool is_own_datagram(struct pcap_source *source, const struct packet *packet,
                            uint64_t connection)
{
    size_t i = connection % OWN_SEEN;

    if (!source->live)
        return false;
    if (source->seen[i].connection != connection) {
        source->seen[i].connection = connection;
        source->seen[i].own = is_own(source, packet);
    }
    return source->seen[i].own;
}

static void take_datagram(struct pcap_source *source, const struct packet *packet)
{
    struct datagram_event event;
    bool own;

    datagram_to_event(packet, source->now_ns, source->datagrams, &event);
    own = is_own_datagram(source, packet, event.event.connection);
    counters_add(source->options.counters,
                 own ? COUNTER_packets_own : COUNTER_packets_datagrams, 1);
    if (own || packet->length == 0)
        return;
    source->datagrams += packet->length;
    deliver(source, &event.event);
}

/* ---- packets in ------------------------------------------------------------------------------ */

static void take_packet(struct pcap_source *source, const struct pcap_pkthdr *header,
                        const u_char *data)
{
    static const enum counter result_counters[] = {
        [PACKET_OTHER] = COUNTER_packets_other,
        [PACKET_FRAGMENT] = COUNTER_packets_fragments,
        [PACKET_CUT] = COUNTER_packets_cut,
        [PACKET_MALFORMED] = COUNTER_packets_malformed,
    };
    struct counters *counters = source->options.counters;
    uint64_t fraction_ns = (uint64_t)header->ts.tv_usec * source->ns_per_fraction;
    struct packet packet;
    enum packet_result result =
        packet_decode(source->fragments, source->link_type, bytes_make(data, header->caplen),
                      header->len, &packet);

    source->now_ns = MAX(source->now_ns, (uint64_t)header->ts.tv_sec * NS_PER_S + fraction_ns);
    counters_add(counters, COUNTER_packets, 1);
    if (result != PACKET_OK)
        counters_add(counters, result_counters[result], 1);
    else if (packet.transport != IPPROTO_TCP)
        take_datagram(source, &packet);
    else
        segments_add(source->segments, &packet, source->now_ns);
}

/* Returns how many packets were read; 0: none now. *ret_end: none will come, or what failed. */
static int read_packets(struct pcap_source *source, int *ret_end)
{
    struct pcap_pkthdr *header;
    const u_char *data;
    int n = 0, r = 1;

    while (n < PACKETS_PER_DRAIN && (r = pcap_next_ex(source->pcap, &header, &data)) == 1) {
        take_packet(source, header, data);
        n++;
    }
    if (r == PCAP_ERROR_BREAK)
        *ret_end = SOURCE_END;
    else if (r < 0)
        *ret_end = log_error(-EIO, "%s: %s; it was read up to there", source->options.path,
                             pcap_geterr(source->pcap));
    return n;
}

static void wait_for_packets(struct pcap_source *source, int wake_fd, int timeout_ms)
{
    struct pollfd fds[] = {{.fd = source->fd, .events = POLLIN},
                           {.fd = wake_fd, .events = POLLIN}};

    poll(fds, ELEMENTSOF(fds), timeout_ms);
}

/* The end: what has passed by now is still gathering in the kernel. */
static void read_last_packets(struct pcap_source *source, int *ret_end)
{
    usleep(2 * BATCH_MS * 1000);
    while (!*ret_end && read_packets(source, ret_end) > 0)
        ;
}

static void deliver_host(struct pcap_source *source)
{
    struct host_facts facts = {0};
    struct event event = {.kind = EVENT_HOST, .time_ns = source->now_ns, .host_facts = &facts};

    deliver(source, &event);
    source->introduced = true;
}

static void deliver_tick(struct pcap_source *source)
{
    struct event tick = {.kind = EVENT_TICK};

    if (source->live)
        source->now_ns = MAX(source->now_ns, clock_ns(CLOCK_REALTIME));
    segments_advance(source->segments, source->now_ns);
    tick.time_ns = source->now_ns;
    deliver(source, &tick);
}

static int source_pcap_drain(void *arg, int wake_fd, int timeout_ms, event_sink sink,
                             void *sink_arg)
{
    struct pcap_source *source = arg;
    int end = 0;

    source->sink = sink;
    source->sink_arg = sink_arg;
    source->n_delivered = 0;
    if (!source->introduced)
        deliver_host(source);
    if (timeout_ms == SOURCE_LAST_DRAIN) {
        if (source->live)
            read_last_packets(source, &end);
    } else if (read_packets(source, &end) == 0 && !end && source->live) {
        wait_for_packets(source, wake_fd, timeout_ms);
        read_packets(source, &end);
    }
    if (end || timeout_ms == SOURCE_LAST_DRAIN)
        segments_flush(source->segments, source->now_ns);
    else if (source->n_delivered == 0)
        deliver_tick(source);
    return end;
}

/* ---- opening --------------------------------------------------------------------------------- */

static void source_pcap_close(void *arg)
{
    struct pcap_source *source = arg;

    if (!source)
        return;
    if (source->pcap)
        pcap_close(source->pcap);
    segments_free(source->segments);
    tls_handshakes_free(source->handshakes);
    fragments_free(source->fragments);
    free(source);
}
DEFINE_CLEANUP(void, source_pcap_close)

static int open_file(struct pcap_source *source)
{
    char error[PCAP_ERRBUF_SIZE] = "";

    source->pcap = pcap_open_offline_with_tstamp_precision(
        source->options.path, PCAP_TSTAMP_PRECISION_NANO, error);
    if (!source->pcap)
        return log_error(-EINVAL, "cannot read the capture: %s", error);
    source->ns_per_fraction = 1;
    return 0;
}

static int explain_activation(struct pcap_source *source, int status)
{
    const char *name = source->options.path;

    switch (status) {
    case PCAP_ERROR_PERM_DENIED:
        return log_error(-EPERM, "cannot capture on %s: no right to; run as root, or with "
                                 "CAP_NET_RAW", name);
    case PCAP_ERROR_NO_SUCH_DEVICE:
        return log_error(-ENODEV, "there is no interface %s (ip link lists them)", name);
    case PCAP_ERROR_IFACE_NOT_UP:
        return log_error(-ENETDOWN, "the interface %s is not up", name);
    default:
        return log_error(-EIO, "cannot capture on %s: %s", name, pcap_geterr(source->pcap));
    }
}

static int open_interface(struct pcap_source *source)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    int r;

    source->live = true;
    source->pcap = pcap_create(source->options.path, error);
    if (!source->pcap)
        return log_error(-EINVAL, "cannot capture on %s: %s", source->options.path, error);
    pcap_set_snaplen(source->pcap, SNAPSHOT_LENGTH);
    pcap_set_timeout(source->pcap, BATCH_MS);
    pcap_set_buffer_size(source->pcap, KERNEL_BUFFER);
    r = pcap_activate(source->pcap);
    if (r < 0)
        return explain_activation(source, r);
    if (pcap_setnonblock(source->pcap, 1, error) < 0)
        return log_error(-EIO, "cannot capture on %s: %s", source->options.path, error);
    source->fd = pcap_get_selectable_fd(source->pcap);
    source->ns_per_fraction = NS_PER_S / 1000000;
    return 0;
}

static int check_link_type(struct pcap_source *source)
{
    source->link_type = pcap_datalink(source->pcap);
    if (link_type_is_known(source->link_type))
        return 0;
    return log_error(-EINVAL, "%s: packets of link type %s are not understood",
                     source->options.path,
                     pcap_datalink_val_to_name(source->link_type) ?: "(unknown)");
}

static int make_rooms(struct pcap_source *source)
{
    struct segments_options options = {
        .max_connections = source->options.max_connections,
        .max_held = HELD_MAX,
        .counters = source->options.counters,
        .deliver = deliver_segment,
        .is_own = source->live ? is_own : NULL,
        .arg = source,
    };
    int r = fragments_new(&source->fragments);

    if (r == 0)
        r = tls_handshakes_new(source->options.max_connections, source->options.counters,
                               &source->handshakes);
    return r < 0 ? r : segments_new(&options, &source->segments);
}

static int open_source(const struct source_options *options, int (*open)(struct pcap_source *),
                       void **ret_source)
{
    _cleanup_(source_pcap_closep) void *owner = NULL;
    struct pcap_source *source = calloc(1, sizeof(*source));
    int r;

    if (!source)
        return -ENOMEM;
    owner = source;
    source->options = *options;
    source->fd = -1;
    r = open(source);
    if (r == 0)
        r = check_link_type(source);
    if (r == 0)
        r = make_rooms(source);
    if (r < 0)
        return r;
    *ret_source = TAKE_PTR(owner);
    return 0;
}

static int source_pcap_open_file(const struct source_options *options, void **ret_source)
{
    return open_source(options, open_file, ret_source);
}

static int source_pcap_open_interface(const struct source_options *options, void **ret_source)
{
    return open_source(options, open_interface, ret_source);
}

/* ---- the rest -------------------------------------------------------------------------------- */

static void source_pcap_set_verdict(void *source, uint64_t connection, struct verdict verdict)
{
    /* What is captured is captured; what nobody wants of it is passed over by the core. */
}

static void source_pcap_update_counters(void *arg)
{
    struct pcap_source *source = arg;
    struct pcap_stat statistics;

    counters_set(source->options.counters, COUNTER_fragments_lost,
                 fragments_lost(source->fragments));
    if (source->live && pcap_stats(source->pcap, &statistics) == 0)
        counters_set(source->options.counters, COUNTER_packets_dropped,
                     (uint64_t)statistics.ps_drop + statistics.ps_ifdrop);
}

const struct source_ops source_pcap_file = {
    .name = "pcap file",
    .open = source_pcap_open_file,
    .drain = source_pcap_drain,
    .set_verdict = source_pcap_set_verdict,
    .update_counters = source_pcap_update_counters,
    .close = source_pcap_close,
};

const struct source_ops source_pcap_interface = {
    .name = "pcap",
    .open = source_pcap_open_interface,
    .drain = source_pcap_drain,
    .set_verdict = source_pcap_set_verdict,
    .update_counters = source_pcap_update_counters,
    .close = source_pcap_close,
};
