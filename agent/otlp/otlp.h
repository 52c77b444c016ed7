/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans to OTLP bytes (opentelemetry-proto 1.x: trace.proto, resource.proto, common.proto,
 * trace_service.proto) and to OTLP/JSON. Pure functions.
 */
#pragma once

#include "base/buffer.h"
#include "otlp/batch.h"
#include "span/span.h"

/*
 * Appends the bytes of one OTLP Span. Text that is not UTF-8 is repaired with U+FFFD, a value of
 * more than max_text characters is cut. How many texts were repaired, and how many values cut, is an
 * attribute more each, where it is not zero (FLOWTRACE_TEXTS_REPAIRED, FLOWTRACE_ATTRIBUTES_CUT)
 * and max_attributes leaves room; else it counts as dropped. Returns how many of these did (0 to 2),
 * or -ENOBUFS (the buffer's cap).
 */
int otlp_encode_span(const struct span *span, struct buffer *buffer);

/* The same of one OTLP Resource with these attributes. Returns 0 or -ENOBUFS. */
int otlp_encode_resource(const struct attribute *attributes, size_t n, struct buffer *buffer);

/* Appends the bytes of one ExportTraceServiceRequest with all of the batch. 0 or -ENOBUFS. */
int otlp_encode_request(const struct batch *batch, struct buffer *buffer);

/*
 * Appends the batch as one ExportTraceServiceRequest in OTLP/JSON (hex ids, 64-bit integers as
 * strings, enums as numbers), without a newline. Returns 0, -ENOBUFS, -ENOMEM or -EBADMSG.
 */
int otlp_encode_json(const struct batch *batch, struct buffer *buffer);

/*
 * Calls `sink` with each span of the batch, decoded, and its resource's attributes; all of it is
 * valid inside the call only. For exporters that show spans to people. 0, -ENOMEM or -EBADMSG.
 */
typedef void (*otlp_span_sink)(void *arg, const struct attribute *resource, size_t n_resource,
                               const struct span *span);
int otlp_decode_batch(const struct batch *batch, otlp_span_sink sink, void *arg);

#define OTLP_WORDS_MAX 160

/* Of an ExportTraceServiceResponse: 0 and "" where it says nothing of them. */
struct otlp_partial {
    uint64_t rejected_spans;
    char words[OTLP_WORDS_MAX]; /* the backend's, cut, and only what is printable ASCII */
};

/* Returns 0, -ENOMEM or -EBADMSG. */
int otlp_decode_response(struct bytes response, struct otlp_partial *ret_partial);

/* The same of a response in OTLP/JSON. Returns 0 or -EBADMSG. */
int otlp_decode_json_response(struct bytes response, struct otlp_partial *ret_partial);
