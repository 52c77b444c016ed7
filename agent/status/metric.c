/* SPDX-License-Identifier: Apache-2.0 */
/* Prometheus text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). */
#include "status/status.h"

#include <inttypes.h>
#include <stdio.h>

static bool has_type_line(const struct buffer *out, const char *name)
{
    char line[256];
    int n = snprintf(line, sizeof(line), "# TYPE %s ", name);

    return out->len && memmem(out->ptr, out->len, line, MIN((size_t)n, sizeof(line) - 1));
}

void status_metric(struct buffer *out, const char *name, const char *type, const char *help,
                   const char *labels, uint64_t value)
{
    if (!has_type_line(out, name))
        buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
    buffer_printf(out, labels ? "%s{%s} %" PRIu64 "\n" : "%s%s %" PRIu64 "\n", name, labels ?: "",
                  value);
}
