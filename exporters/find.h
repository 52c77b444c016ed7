/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what stands behind --export to an exporter, its target and its settings:
 *
 *   otlp:https://collector:4317;ca=/etc/ca.pem;headers=x-tenant=shop
 *   NAME:TARGET;SETTING=VALUE;...
 *
 * SETTING is one of the exporter's, which counts for this one exporter alone.
 */
#pragma once

#include "exporters/exporter.h"

struct exporter_choice {
    const struct exporter_ops *ops;
    char *target;
    void *settings; /* the struct of the exporter's section */
};

/*
 * The choice is freed by exporter_choice_done, and must be kept as long as the exporter. Errors are
 * logged. Returns 0 or a negative errno; -ENOENT: no such exporter.
 */
int exporter_choose(const char *spec, const struct settings *settings,
                    struct exporter_choice *ret_choice);
void exporter_choice_done(struct exporter_choice *choice);
