/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What others send: an ExportTraceServiceRequest taken apart without being decoded. Each span stays
 * the bytes that were sent, so nothing that a newer version of OTLP says in it is lost on the way;
 * what is checked is that it is well-formed, bounded, and may be sent on.
 *
 *   request --otlp_read_request--> span, span, span ... each with its origin
 *   JSON --otlp_from_json--> request
 *
 * Pure functions, of the agent's receivers and of whoever else takes in OTLP.
 */
#pragma once

#include "base/buffer.h"
#include "otlp/batch.h"
#include "span/span.h"

/*
 * Valid inside the call only. `origin_key` is a hash of the origin: equal for equal ones. False:
 * the span is larger than is taken, and rejected.
 */
typedef bool (*otlp_intake_sink)(void *arg, uint64_t origin_key,
                                 const struct batch_origin *origin, struct bytes span);

struct otlp_intake {
    uint64_t taken;     /* spans given to the sink */
    uint64_t rejected;  /* spans that were not: */
    const char *reason; /* of the last of these, one clause for people; NULL: none */
};

/*
 * Gives the spans of the request to `sink`, in its order. Spans without valid ids, or with text
 * that is not UTF-8 in them or their origin, are rejected. Returns 0, or -EBADMSG, before the first
 * span is given: not an ExportTraceServiceRequest, or nested deeper or with more fields than is
 * taken.
 */
int otlp_read_request(struct bytes request, otlp_intake_sink sink, void *arg,
                      struct otlp_intake *ret_intake);

/*
 * Appends the bytes of the ExportTraceServiceRequest that OTLP/JSON says (opentelemetry.io/docs/
 * specs/otlp, "JSON Protobuf Encoding"). Members that are not known are passed over. Returns 0,
 * -EBADMSG (not such JSON; *ret_reason is one clause for people), -ENOBUFS or -ENOMEM.
 */
int otlp_from_json(struct bytes json, struct buffer *buffer, const char **ret_reason);

/* Appends the bytes of an ExportTraceServiceResponse, in protobuf or in JSON. 0 or -ENOBUFS. */
int otlp_encode_response(const struct otlp_intake *intake, bool json, struct buffer *buffer);

/* Appends a google.rpc.Status with this code (of gRPC) and message. 0 or -ENOBUFS. */
int otlp_encode_status(unsigned code, const char *message, bool json, struct buffer *buffer);

/*
 * Calls `sink` with the key and, where it is a text, the value of each attribute of a Resource; the
 * value is empty where it is none. The resource is one that otlp_read_request gave.
 */
typedef void (*otlp_attribute_sink)(void *arg, struct bytes key, struct bytes text,
                                    int64_t integer);
void otlp_each_attribute(struct bytes resource, otlp_attribute_sink sink, void *arg);
