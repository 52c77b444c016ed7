/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From spans to batches, for everything that a receiver takes in. A batch is given on when it is
 * full or old, and before its thread ends.
 */
#pragma once

#include "otlp/intake.h"
#include "source/receiver/peer.h"
#include "source/receiver/receiver.h"

struct collect {
    const struct receiver_options *options;
    struct batch_builder *batch;
    uint64_t begun_ns; /* when the first span of the batch came, CLOCK_MONOTONIC */
    struct buffer resource; /* the one in hand, completed */
    uint64_t resource_key;  /* of whom it is; 0: nobody's */
};

int collect_init(struct collect *collect, const struct receiver_options *options);
void collect_done(struct collect *collect); /* gives the last batch on */

/* Is there an exporter with room for so much? */
bool collect_has_room(const struct collect *collect, size_t bytes);

/*
 * One span of `peer`, whose resource is completed by what is known of the peer. False where it is
 * larger than a batch may be: it is rejected.
 */
bool collect_span(struct collect *collect, const struct peer *peer, uint64_t origin_key,
                  const struct batch_origin *origin, struct bytes span);

/* Gives the batch on if it is old. In how many milliseconds it will be, or -1: there is none. */
int collect_advance(struct collect *collect);
