/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the end of an Export call means for the batch (OpenTelemetry specification,
 * protocol/otlp.md, "OTLP/gRPC Response" and "OTLP/gRPC Throttling"). Pure.
 */
#pragma once

#include "exporters/otlp/common.h"
#include "rpc/client.h"

/*
 * `endpoint` is named in `reason`, at which the outcome's reason then points. A response that does
 * not decode counts as one that rejects nothing: the status says that the backend has the batch.
 */
struct export_outcome outcome_make(const struct rpc_response *response, const char *endpoint,
                                   char reason[static OTLP_REASON_MAX]);
