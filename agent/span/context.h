/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trace contexts as programs carry them: pure parsers, one file per format, and one table that maps
 * names (of headers, metadata, properties) to formats, for every protocol that has names.
 *
 *   name, value --context_name_of--> carrier [ traceparent: "00-.."  x-b3-traceid: "4bf9.." .. ]
 *                                       '--context_read--> the best context that is valid
 *
 * Precedence, best first, whatever the order on the wire:
 *
 *   traceparent (+ tracestate)   W3C Trace Context, level 2
 *   b3                           B3, single header
 *   x-b3-traceid, -spanid, ...   B3, several headers
 *   uber-trace-id                Jaeger
 *   x-datadog-trace-id, ...      Datadog; the high half of the trace id is in x-datadog-tags
 *   sw8                          SkyWalking, cross process propagation headers v3
 *   x-amzn-trace-id              AWS X-Ray
 *   grpc-trace-bin               OpenCensus' binary form, in base64
 *
 * An invalid context is passed over for the next one. A format that decides on sampling without
 * naming a parent ("b3: 0") is no context, but its decision counts (context_denies). Ids of 64 bits
 * fill the low half of a trace id.
 */
#pragma once

#include "span/span.h"

/* The first two are what a span keeps of its request; the others are read once. */
enum context_name {
    CONTEXT_NONE,
    CONTEXT_TRACESTATE,
    CONTEXT_BAGGAGE,
    CONTEXT_TRACEPARENT,
    CONTEXT_B3,
    CONTEXT_B3_TRACE_ID,
    CONTEXT_B3_SPAN_ID,
    CONTEXT_B3_SAMPLED,
    CONTEXT_B3_FLAGS,
    CONTEXT_JAEGER,
    CONTEXT_DATADOG_TRACE_ID,
    CONTEXT_DATADOG_PARENT_ID,
    CONTEXT_DATADOG_PRIORITY,
    CONTEXT_DATADOG_TAGS,
    CONTEXT_SKYWALKING,
    CONTEXT_XRAY,
    CONTEXT_GRPC_TRACE_BIN,
    CONTEXT_NAME_COUNT,
};

#define CONTEXT_FLAG_SAMPLED 0x01
#define CONTEXT_NAME_MAX 27 /* bytes of the longest name */

/* Bit c & 31 is set where a name may begin with the letter c. */
extern const uint32_t context_name_letters;

struct trace_context {
    struct trace_id trace_id;
    struct span_id span_id;
    uint8_t flags;          /* of W3C: bit 0 sampled, bit 1 random trace id; no other */
    enum context_name name; /* that it came under */
};

/* The values of one message, by name; a NULL pointer where there is none. */
struct context_carrier {
    struct bytes values[CONTEXT_NAME_COUNT];
    uint32_t repeated; /* bit per name: came again with another value */
};

/* The name, in upper or lower case, or CONTEXT_NONE. */
enum context_name context_name_of(struct bytes name);

/* Values may have blanks around them. Of a repeated name the first value stays. */
void context_carrier_add(struct context_carrier *carrier, enum context_name name,
                         struct bytes value);

/*
 * True with the best valid context. ret_invalid is the number of formats that were passed over as
 * invalid, always set.
 */
bool context_read(const struct context_carrier *carrier, struct trace_context *ret_context,
                  unsigned *ret_invalid);

/*
 * Where there is no valid context: does B3 without ids, or else X-Ray without a parent, say that the
 * trace to be begun here shall not be sampled?
 */
bool context_denies(const struct context_carrier *carrier);

/*
 * W3C Trace Context, section 3.3: one list, or several headers' values joined by commas. At most 32
 * members, keys unique. False also for one without any member: there is nothing to keep.
 */
bool tracestate_is_valid(struct bytes list);

/*
 * W3C Baggage, section 3.2: the next member of a list, which `list` is then behind. Members that
 * are none are passed over; properties are left out; the value is as it came, in percent encoding.
 */
bool baggage_next(struct bytes *list, struct bytes *ret_key, struct bytes *ret_value);
