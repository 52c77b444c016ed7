/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where spans go by OTLP over HTTP: from what a person or a variable says to the URL of the POST
 * (OpenTelemetry specification, protocol/exporter.md, "Endpoint URLs for OTLP/HTTP").
 */
#pragma once

#include "base/bytes.h"

#define URL_MAX 1024

enum url_kind {
    URL_BASE,  /* "/v1/traces" follows its path: OTEL_EXPORTER_OTLP_ENDPOINT */
    URL_EXACT, /* used as it is: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT */
    URL_GIVEN, /* of --export: as it is where it has a path, else a base */
};

/*
 * "http://...", "https://...", or "HOST[:PORT][/PATH]", which is https unless `insecure`; the port
 * is 4318 where none is given. Returns 0, or -EINVAL and in `ret_problem` what is wrong.
 */
int url_make(const char *text, enum url_kind kind, bool insecure, char ret_url[static URL_MAX],
             const char **ret_problem);

/* How many bytes of a URL may stand in a log: not its query, which may hold a key; at most 200. */
int url_shown(const char *url);
