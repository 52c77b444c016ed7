/* SPDX-License-Identifier: Apache-2.0 */
/* The span that the benchmarks of encoding and delivery are about: 15 attributes. */
#pragma once

#include "span/span.h"

/* A client span of HTTP, as it is made from an exchange. `path` must outlive it. */
void bench_span_make(struct span *span, const char *path);
