/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share; nobody else includes it. */
#pragma once

#include "base/buffer.h"
#include "causality/causality.h"
#include "pipeline/names.h"
#include "pipeline/pipeline.h"
#include "pipeline/process.h"
#include "pipeline/told.h"
#include "policy/policy.h"
#include "track/track.h"

#define ADVANCE_NS UINT64_C(10000000) /* how often time-outs are looked at */
#define DESCRIBED_NS UINT64_C(1000000000) /* how long an exchange waits for its process at most */
#define CPU_SKEW_NS INT64_C(100000000)      /* records of two CPUs are out of order by less */
#define CLOCK_STEP_NS INT64_C(300000000000) /* events of something open are never so far apart */
#define SPAN_TEXT_MAX 8192            /* strings made while describing one span */
#define SPAN_BYTES_MAX (256u << 10)   /* one encoded span */

struct pipeline {
    struct pipeline_options options;
    struct counters *counters;
    struct track *track;
    struct causality *causality;
    struct policy *policy;
    struct processes processes;
    struct told told;
    struct names names;
    struct batch_builder *batch;
    struct buffer encoded;   /* the span in hand */
    struct arena span_text;
    struct list lingering;   /* finished exchanges that wait, by the time of their end */
    struct list undescribed; /* behind them those whose process is not described yet, likewise */
    size_t n_undescribed;
    uint64_t event_ns;       /* the latest time that an event told since a step */
    uint64_t now_ns;         /* the time that time-outs go by: it never steps */
    uint64_t advanced_ns;
    uint64_t batch_begun_ns; /* when the first span of the batch was added */
};

/* pipeline.c: makes its span, if it is wanted, and gives the exchange back. */
void finish_exchange(struct pipeline *pipeline, struct exchange *exchange);

/* The other end's exchange, while both are known. */
static inline struct exchange *other_end(const struct exchange *exchange)
{
    struct cause *peer = exchange->cause.peer;

    return peer ? container_of(peer, struct exchange, cause) : NULL;
}

/*
 * linger.c: takes a finished exchange, which leaves when nothing more will be learnt of it; looks
 * again, when time has passed, and at each EVENT_TICK; lets all leave.
 */
void linger(struct pipeline *pipeline, struct exchange *exchange);
void linger_advance(struct pipeline *pipeline);
void linger_tick(struct pipeline *pipeline);
void linger_flush(struct pipeline *pipeline);

/* span.c: the exchange as a span, settled, described, redacted. */
void make_span(struct pipeline *pipeline, struct exchange *exchange, struct span *ret_span);

/* "192.0.2.1:80" or "[2001:db8::1]:80", in the arena. */
struct bytes endpoint_text(const struct endpoint *endpoint, struct arena *arena);

/* Is this text an IP address, and no name? */
bool is_address(struct bytes text);

/* tls.c: what the handshake of the exchange's connection said. */
void add_tls(const struct exchange *exchange, struct span *span);

/* carried.c: the span's trace state and baggage. */
void add_carried(struct pipeline *pipeline, const struct exchange *exchange, struct span *span);
