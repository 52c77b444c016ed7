/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch cut by trace: parts, each of them the spans of one trace under their resources, in the
 * order in which they stand in the batch. Pure.
 */
#pragma once

#include "otlp/batch.h"
#include "span/span.h"

/*
 * Called with each part; part and id are valid inside the call only. Spans that do not begin with a
 * trace id, which none encoded here does, share the zero id. Returns 0 or what the first call that
 * did not return 0 returned, or -ENOMEM.
 */
typedef int (*trace_sink)(void *arg, const struct trace_id *id, const struct batch *part);
int partition_by_trace(const struct batch *batch, trace_sink sink, void *arg);
