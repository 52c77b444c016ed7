/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where spans go by OTLP over HTTP: from what a person or a variable says to the URL of the POST
 * (OpenTelemetry specification, protocol/exporter.md, "Endpoint URLs for OTLP/HTTP").
 */
#pragma once

#include "exporters/otlp/common.h"

#define URL_MAX 1024

/*
 * "http://...", "https://...", or "HOST[:PORT][/PATH]", which is https unless `insecure`; the port
 * is 4318 where none is given. One OF_SIGNAL is used as it is, "/v1/traces" follows the path of a
 * GENERAL one, and that of one that is GIVEN without a path. Returns 0, or -EINVAL and in `ret_problem` what is wrong.
 */
int url_make(const char *text, enum otlp_origin origin, bool insecure, char ret_url[static URL_MAX],
             const char **ret_problem);
