/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where spans go by OTLP over gRPC: from what a person wrote to host and port
 * (OpenTelemetry specification, protocol/exporter.md, "Endpoint URLs for OTLP/gRPC").
 */
#pragma once

#include "base/bytes.h"

#define ENDPOINT_MAX 300

struct endpoint {
    char host_port[ENDPOINT_MAX]; /* "HOST:PORT" */
    bool tls;
};

/*
 * "http://HOST[:PORT][/]", "https://...", or "HOST[:PORT]", which is TLS unless `insecure`; IPv6 in
 * brackets; the port is 4317 where none is given. Returns 0, or -EINVAL and in `ret_problem` what
 * is wrong.
 */
int endpoint_parse(const char *url, bool insecure, struct endpoint *ret_endpoint,
                   const char **ret_problem);
