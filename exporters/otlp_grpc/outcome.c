/* SPDX-License-Identifier: Apache-2.0 */
/* The table of statuses; its contract stands in outcome.h. */
#include "exporters/otlp_grpc/outcome.h"

#include "otlp/otlp.h"

#include <assert.h>
#include <stdio.h>

enum meaning { FINAL, PASSING, PASSING_IF_TOLD };

/* "Failures", table of retryable codes. What is not named is FINAL. */
static const enum meaning meanings[] = {
    [RPC_CANCELLED] = PASSING,
    [RPC_DEADLINE_EXCEEDED] = PASSING,
    /* Only a backend that says when to come again is expected to recover. */
    [RPC_RESOURCE_EXHAUSTED] = PASSING_IF_TOLD,
    [RPC_ABORTED] = PASSING,
    [RPC_OUT_OF_RANGE] = PASSING,
    [RPC_UNAVAILABLE] = PASSING,
    [RPC_DATA_LOSS] = PASSING,
    [RPC_UNAUTHENTICATED] = FINAL,
};
static_assert(ELEMENTSOF(meanings) == RPC_STATUS_COUNT, "a meaning for each status");

static struct export_outcome delivered(const struct rpc_response *response, char *reason)
{
    struct otlp_partial partial = {0};

    otlp_decode_response(buffer_bytes(&response->message), &partial);
    snprintf(reason, OTLP_REASON_MAX, "%s", partial.words);
    return (struct export_outcome){.result = EXPORT_OK, .rejected_spans = partial.rejected_spans,
                                   .reason = reason};
}

/*
 * A request that is too large is refused as RESOURCE_EXHAUSTED too, and the words tell: "received
 * message larger than max" of gRPC's C and Go, "message exceeds maximum size" of its Java. With
 * "CLIENT:" it is gRPC here that complains, of the response.
 */
static bool is_too_large(const struct rpc_response *response)
{
    return response->status == RPC_RESOURCE_EXHAUSTED && !response->has_retry_delay &&
           strncmp(response->text, "CLIENT:", 7) != 0 &&
           (strcasestr(response->text, "larger than max") ||
            strcasestr(response->text, "exceeds maximum"));
}

struct export_outcome outcome_make(const struct rpc_response *response, const char *endpoint,
                                   char reason[static OTLP_REASON_MAX])
{
    enum meaning meaning = meanings[response->status];
    bool passes = meaning == PASSING || (meaning == PASSING_IF_TOLD && response->has_retry_delay);

    if (response->status == RPC_OK)
        return delivered(response, reason);
    snprintf(reason, OTLP_REASON_MAX, "%s: %s%s%s", endpoint, rpc_status_name(response->status),
             response->text[0] ? ": " : "", response->text);
    if (is_too_large(response))
        return (struct export_outcome){.result = EXPORT_TOO_LARGE, .reason = reason};
    return (struct export_outcome){.result = passes ? EXPORT_RETRY : EXPORT_REFUSED,
                                   .retry_after_ns = passes ? response->retry_delay_ns : 0,
                                   .reason = reason};
}
