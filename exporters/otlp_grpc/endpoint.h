/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where spans go by OTLP over gRPC: from what a person wrote to host and port
 * (OpenTelemetry specification, protocol/exporter.md, "Endpoint URLs for OTLP/gRPC").
 */
#pragma once

#include "base/bytes.h"

#define ENDPOINT_MAX 300

/*
 * "http://HOST[:PORT][/]" or "HOST[:PORT]", IPv6 in brackets; the port is 4317 where none is given.
 * `ret_host_port` becomes "HOST:PORT". Returns 0, or -EINVAL or -EPROTONOSUPPORT and in
 * `ret_problem` what is wrong.
 */
int endpoint_parse(const char *url, char ret_host_port[static ENDPOINT_MAX],
                   const char **ret_problem);

/*
 * The target if there is one, else OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, else
 * OTEL_EXPORTER_OTLP_ENDPOINT, else http://localhost:4317. Empty variables count as unset.
 */
const char *endpoint_choose(const char *target);
