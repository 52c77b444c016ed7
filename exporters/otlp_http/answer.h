/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the answer to a POST means for the batch (OpenTelemetry specification, protocol/otlp.md,
 * "OTLP/HTTP Response" and "OTLP/HTTP Throttling"). Pure.
 *
 *   2xx                 OK; the body may tell of rejected spans; a web page: refused
 *   413                 too large
 *   429, 502, 503, 504  come again, after Retry-After where that is said
 *   anything else       refused
 */
#pragma once

#include "exporters/otlp/common.h"

enum answer_type { ANSWER_PROTOBUF, ANSWER_JSON, ANSWER_PAGE };

/* Of a Content-Type, in any case, with any parameters. NULL, or one not known: protobuf. */
enum answer_type answer_type_of(const char *content_type);

struct answer {
    long status;
    enum answer_type type; /* of the body */
    uint64_t retry_after_s; /* 0: not said */
    struct bytes body;
};

/*
 * `url` is named in `reason`, at which the outcome's reason then points, together with what of the
 * body is readable text. A body of a success that does not decode counts as one that rejects
 * nothing: the status says that the backend has the batch.
 */
struct export_outcome answer_outcome(const struct answer *answer, const char *url,
                                     char reason[static OTLP_REASON_MAX]);
