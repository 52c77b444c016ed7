/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a collector's answer means for the batch (OpenTelemetry specification, protocol/otlp.md,
 * "OTLP/gRPC Response"). Pure functions.
 */
#pragma once

#include "exporters/exporter.h"
#include "rpc/client.h"

#define ANSWER_REASON_MAX (RPC_MESSAGE_MAX + 64)

/* `response`: the bytes of an ExportTraceServiceResponse, looked at where the status is OK. */
struct export_outcome answer_outcome(const struct rpc_answer *answer, struct bytes response,
                                     char reason[static ANSWER_REASON_MAX]);
