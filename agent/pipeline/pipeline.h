/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The core: one thread, one total order, from events to sealed batches.
 *
 *   event -> track -> causality -> [finished exchanges wait for their other end, for `grace`]
 *         -> span -> enrich -> policy -> encode -> batch -> sink
 *
 * Time is what events say. So the same events with the same settings give the same batches, byte
 * for byte: that is what replay rests on.
 */
#pragma once

#include "config/settings.h"
#include "base/counters.h"
#include "enrich/said.h"
#include "otlp/batch.h"
#include "span/event.h"

struct pipeline_options {
    const struct settings *settings;
    const struct said *configured, *agent; /* see struct resource_said (enrich/process.h) */
    struct counters *counters;
    void (*set_verdict)(void *arg, uint64_t connection, struct verdict verdict);
    void (*take_batch)(void *arg, struct batch *batch); /* refers to it for the call only */
    void *arg;
};

struct pipeline;

int pipeline_new(const struct pipeline_options *options, struct pipeline **ret_pipeline);
void pipeline_free(struct pipeline *pipeline); /* NULL is fine */

/* False: of a connection outside the selection. Such an event belongs into no recording. */
bool pipeline_event(struct pipeline *pipeline, const struct event *event);

/* The end: finishes what is finished, seals and hands over the last batch. */
void pipeline_flush(struct pipeline *pipeline);

/* Nothing waits for time to pass: the caller may sleep for long. */
bool pipeline_is_idle(const struct pipeline *pipeline);

/* Exchanges begun and neither made a span nor counted as lost yet. */
size_t pipeline_open_exchanges(const struct pipeline *pipeline);
