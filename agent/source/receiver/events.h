/* SPDX-License-Identifier: Apache-2.0 */
/* Events to spans to batches, whatever way they came. */
#pragma once

#include "events/flow_event.h"
#include "source/receiver/collect.h"

/* What the settings ask of events. `fields` points into the settings. */
struct flow_event_rules events_rules(const struct settings *settings, bool lenient);

/* A flow_event_sink: `arg` is a struct event_sender. */
struct event_sender {
    struct collect *collect;
    const struct peer *peer;
};
void events_take(void *arg, const struct flow_event *event);
