/* SPDX-License-Identifier: Apache-2.0 */
/* Batches for the tests of the exporters. Whatever goes wrong here fails the test. */
#pragma once

#include "base/macro.h"
#include "exporters/exporter.h"
#include "otlp/batch.h"
#include "span/span.h"

DEFINE_CLEANUP(struct batch, batch_unref)

/* One span of a table; ids are small numbers, 0 is none. */
struct sample {
    const char *service;
    uint8_t trace, id, parent;
    enum span_kind kind;
    const char *name;
    uint64_t start_us, end_us; /* since SAMPLE_EPOCH_NS */
    const char *evidence;      /* or NULL */
    const char *error;         /* or NULL: the status is unset */
};

#define SAMPLE_EPOCH_NS (UINT64_C(1700000000) * 1000000000)

void sample_span(const struct sample *sample, struct span *ret_span);
struct batch *sample_batch(const struct sample *samples, size_t n);

/* n spans of one trace. */
struct batch *sample_batch_of(size_t n);

/*
 * An exporter of this kind on the target, with these assignments. Returns what its open returns.
 * The settings are valid until the next call, so that one exporter at a time can be open.
 */
int sample_open(const struct exporter_ops *ops, const char *target, const char *const *assignments,
                const _Atomic bool *stopping, void **ret_exporter);

/* Sends n spans. */
struct export_outcome sample_send(const struct exporter_ops *ops, void *exporter, size_t n);

#define SAMPLE_TIMEOUT_NS (20 * UINT64_C(1000000000)) /* of a send: longer than any test */

/*
 * The settings of this exporter's section after these assignments ("otlp.ca=/x", NULL-terminated).
 * Valid until the next call.
 */
const void *sample_settings(const struct exporter_ops *ops, const char *const *assignments);
