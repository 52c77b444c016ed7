/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that is counted, under one name each: metrics, the totals at the end of a run, and
 * docs/counters.md come from this table.
 *
 * Three identities hold at every moment when the core is at rest, and are tested:
 *   packets    = Σ class PACKET_USED    + Σ class PACKET_LOST
 *   operations = Σ class OPERATION_USED + Σ class OPERATION_LOST
 *   exchanges  = Σ class EXCHANGE_USED  + Σ class EXCHANGE_LOST + those still open
 *
 * One writer per counter (the core thread, or the source on the core's behalf), any reader.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

enum counter_class {
    COUNTER_INFO,           /* part of no sum */
    COUNTER_PACKETS,        /* left side of the first identity */
    COUNTER_PACKET_USED,    /* its right side ... */
    COUNTER_PACKET_LOST,
    COUNTER_OPERATIONS,     /* left side of the second identity */
    COUNTER_OPERATION_USED,
    COUNTER_OPERATION_LOST,
    COUNTER_EXCHANGES, /* left side of the third identity */
    COUNTER_EXCHANGE_USED,
    COUNTER_EXCHANGE_LOST,
};

/*
 * name, class, help. OPERATION counters marked "kernel" are read from the BPF side by the source.
 * A *used* operation is one whose meaning the agent knows; a *lost* one carried bytes, or might
 * have, that the agent did not understand.
 */
#define COUNTER_TABLE(X)                                                                           \
    X(packets, PACKETS, "packets read from a capture or an interface")                             \
    X(packets_data, PACKET_USED, "TCP segments with new bytes")                                    \
    X(packets_repeated, PACKET_USED, "TCP segments whose bytes were there already")                \
    X(packets_control, PACKET_USED, "TCP segments without bytes")                                  \
    X(packets_datagrams, PACKET_USED, "UDP datagrams")                                             \
    X(packets_fragments, PACKET_USED, "IP fragments that others had to follow")                    \
    X(packets_own, PACKET_USED, "packets of the agent's own connections")                          \
    X(packets_other, PACKET_USED, "packets that are neither TCP nor UDP")                          \
    X(packets_cut, PACKET_LOST, "packets whose headers the capture cut off")                       \
    X(packets_malformed, PACKET_LOST, "packets whose lengths contradict each other")               \
    X(operations, OPERATIONS, "socket operations and TLS calls counted at their hooks (kernel)")   \
    X(operations_parsed, OPERATION_USED, "operations that reached a protocol parser")              \
    X(operations_other_socket, OPERATION_USED, "operations on sockets that are neither TCP nor "   \
                                               "UDP nor UNIX (kernel)")                            \
    X(operations_turned_off, OPERATION_USED, "operations on UDP or UNIX sockets where "            \
                                             "capture.udp or capture.unix is false (kernel)")      \
    X(operations_no_bytes, OPERATION_USED, "operations that failed or moved no byte (kernel)")     \
    X(operations_peeked, OPERATION_USED, "reads that left the bytes in the socket (kernel)")       \
    X(operations_own, OPERATION_USED, "operations of the agent and on its export connections "     \
                                      "(kernel)")                                                  \
    X(operations_ignored, OPERATION_USED, "operations on connections outside the selection, "      \
                                          "once the kernel side was told (kernel)")                \
    X(operations_unselected, OPERATION_USED, "operations on connections outside the selection, "   \
                                             "until then")                                         \
    X(operations_cipher_text, OPERATION_USED, "operations on TLS connections whose clear text "   \
                                              "is seen where the program handles it (kernel)")    \
    X(operations_given_up, OPERATION_LOST, "operations on connections given up as not "            \
                                           "understood, once the kernel side was told (kernel)")   \
    X(operations_unknown_protocol, OPERATION_LOST, "operations on connections whose protocol is "  \
                                                   "not, or not yet, known")                       \
    X(operations_cipher_outside, OPERATION_LOST, "operations on such connections outside of all "  \
                                                 "TLS calls that are seen (kernel)")              \
    X(operations_tls_unjoined, OPERATION_LOST, "TLS operations and calls where it is not, or not " \
                                               "yet, known which clear text is whose")           \
    X(operations_early_data, OPERATION_LOST, "TLS calls that moved early data (kernel)")           \
    X(operations_opaque, OPERATION_LOST, "operations behind an upgrade or a tunnel")               \
    X(operations_desynchronized, OPERATION_LOST, "operations on connections whose pairing a gap "  \
                                                 "made uncertain")                                 \
    X(operations_gap, OPERATION_LOST, "operations whose bytes were needed but not captured")       \
    X(operations_unparsed, OPERATION_LOST, "operations whose bytes no parser could place")         \
    X(operations_duplicate, OPERATION_LOST, "operations at stream positions already passed")       \
    X(operations_table_full, OPERATION_LOST, "operations without a place in a full table")         \
    X(operations_ring_full, OPERATION_LOST, "operations dropped by a full ring (kernel)")          \
    X(operations_no_storage, OPERATION_LOST, "operations without socket storage (kernel)")         \
    X(operations_no_record, OPERATION_LOST, "operations whose record could not be built (kernel)") \
    X(operations_malformed, OPERATION_LOST, "records that failed their checks when read")          \
    X(bytes_not_captured, INFO, "records without bytes: no user buffer (sendfile, splice, "        \
                                "io_uring) (kernel)")                                              \
    X(bytes_foreign_buffer, INFO, "records without bytes: the buffer was not this socket's "       \
                                  "(kernel)")                                                      \
    X(bytes_compat_task, INFO, "records without bytes: a 32-bit task (kernel)")                    \
    X(bytes_bad_flags, INFO, "records without bytes: MSG_TRUNC, MSG_OOB or MSG_ERRQUEUE (kernel)") \
    X(bytes_unknown_message, INFO, "records without bytes: which message of sendmmsg or "          \
                                   "recvmmsg it was is not certain (kernel)")                      \
    X(bytes_copy_failed, INFO, "records without bytes: user memory could not be read (kernel)")    \
    X(connections_tls_untraceable, INFO, "TLS connections whose clear text was not seen")          \
    X(tls_sessions_joined, INFO, "TLS sessions whose connection was found by votes")               \
    X(tls_calls_unseen, INFO, "TLS calls for which the kernel had no memory (kernel)")             \
    X(tls_handshakes_lost, INFO, "parts of TLS handshakes dropped by a full ring (kernel)")        \
    X(tls_handshakes_evicted, INFO, "TLS handshakes that were not read to their end, because "     \
                                    "others went on at once")                                      \
    X(closes_lost, INFO, "ends of connections that a full ring dropped: they are told by their "   \
                         "silence (kernel)")                                                       \
    X(hook_recursions, INFO, "hook runs that the kernel skipped as recursions (kernel)")           \
    X(packets_dropped, INFO, "packets that the system dropped before they were read")              \
    X(fragments_lost, INFO, "datagrams whose fragments did not all come")                          \
    X(connections, INFO, "connections seen")                                                       \
    X(connections_evicted, INFO, "connections evicted from a full table: idle ones, then those "   \
                                 "that came last")                                                 \
    X(connections_recalled, INFO, "of these: seen again, and nothing was missing")                 \
    X(connections_closed, INFO, "connections closed")                                              \
    X(connections_undetected, INFO, "connections given up without a known protocol")               \
    X(connections_desynchronized, INFO, "connections given up because of a gap among pipelined "   \
                                        "requests")                                                \
    X(streams_gaps, INFO, "gaps in streams")                                                       \
    X(streams_resyncs, INFO, "message starts found again behind a gap or garbage")                 \
    X(windows_full, INFO, "messages cut because the stream window was full")                       \
    X(windows_evicted, INFO, "unfinished messages given up because others needed the stream "      \
                             "windows, the longest waiting first")                                 \
    X(messages, INFO, "protocol messages parsed")                                                  \
    X(responses_unpaired, INFO, "responses without a known request")                               \
    X(requests_repeated, INFO, "datagrams that ask again what is not answered yet: one exchange")  \
    X(exchanges, EXCHANGES, "exchanges begun: a request was seen")                                 \
    X(spans, EXCHANGE_USED, "spans made")                                                          \
    X(exchanges_unselected, EXCHANGE_USED, "exchanges of processes that turned out to be "         \
                                           "outside the selection")                                \
    X(exchanges_unsampled, EXCHANGE_USED, "exchanges whose request carried the decision not to "    \
                                          "sample them")                                           \
    X(exchanges_evicted, EXCHANGE_LOST, "exchanges dropped with an evicted connection or from a "  \
                                        "full pool")                                               \
    X(exchanges_desynchronized, EXCHANGE_LOST, "exchanges whose pairing a gap made uncertain")     \
    X(exchanges_unencodable, EXCHANGE_LOST, "spans larger than a batch")                           \
    X(exchanges_unfinished, INFO, "exchanges that were open when the run ended: spans, incomplete") \
    X(parents_header, INFO, "spans whose parent was read from the request")                        \
    X(parents_wire, INFO, "server spans whose client span is known here")                          \
    X(parents_thread, INFO, "client spans with the parent that their thread serves")               \
    X(parents_content, INFO, "client spans with the parent whose rare token they carry")           \
    X(parents_only, INFO, "client spans with the only open request as parent")                     \
    X(parents_none, INFO, "client spans of a serving process without a known parent")              \
    X(parents_tie, INFO, "of these: more than one candidate")                                      \
    X(starts_moved, INFO, "spans whose start was moved back to their child's")                     \
    X(joins_late, INFO, "both ends met after their ids were already used")                         \
    X(contexts_invalid, INFO, "trace contexts that broke their specification")                     \
    X(tracestates_invalid, INFO, "tracestates left out because they broke their specification")    \
    X(names_limited, INFO, "spans called by their method alone: their service had all its names")  \
    X(received_requests, INFO, "requests, lines and datagrams that receivers took")                \
    X(received_spans, INFO, "spans that receivers took in")                                        \
    X(received_events, INFO, "events among them")                                                  \
    X(received_rejected, INFO, "spans and events in these that were not taken: invalid or large")  \
    X(received_refused, INFO, "requests that were refused: wrong, too large, for no receiver")     \
    X(received_lost, INFO, "events on streams and in datagrams that found no exporter with room")  \
    X(received_postponed, INFO, "requests told to come again: no exporter had room, or too much "  \
                                "was under way")                                                   \
    X(received_cut_off, INFO, "connections to receivers cut off: too many of one process, or no "  \
                              "progress")                                                          \
    X(processes, INFO, "processes described")                                                      \
    X(processes_unasked, INFO, "questions about processes that a full queue dropped: asked again " \
                               "with their next connection")                                       \
    X(processes_evicted, INFO, "processes evicted from a full table, oldest first")                \
    X(resource_attributes_invalid, INFO, "processes whose OTEL_RESOURCE_ATTRIBUTES are no valid "  \
                                         "list, or a too long one: left out as a whole")           \
    X(resource_attributes_dropped, INFO, "attributes of resources that found no room")             \
    X(attributes_dropped, INFO, "attributes of spans beyond span.attributes")

enum counter {
#define X(name, class, help) COUNTER_##name,
    COUNTER_TABLE(X)
#undef X
    COUNTER_COUNT
};

struct counter_info {
    const char *name;
    enum counter_class class;
    const char *help;
};

extern const struct counter_info counter_infos[COUNTER_COUNT];

struct counters {
    _Atomic uint64_t values[COUNTER_COUNT];
};

/* A single writer needs no read-modify-write instruction. */
static inline void counters_add(struct counters *counters, enum counter id, uint64_t n)
{
    uint64_t old = atomic_load_explicit(&counters->values[id], memory_order_relaxed);

    atomic_store_explicit(&counters->values[id], old + n, memory_order_relaxed);
}

static inline void counters_set(struct counters *counters, enum counter id, uint64_t value)
{
    atomic_store_explicit(&counters->values[id], value, memory_order_relaxed);
}

static inline uint64_t counters_get(const struct counters *counters, enum counter id)
{
    return atomic_load_explicit(&counters->values[id], memory_order_relaxed);
}

uint64_t counters_sum(const struct counters *counters, enum counter_class class);
