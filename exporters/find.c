/* SPDX-License-Identifier: Apache-2.0 */
/* From the word of --export to the exporter; the contract stands in worker.h. */
#include "exporters/worker.h"

#include <errno.h>

int exporter_find(const char *spec, const struct exporter_ops **ret_ops, const char **ret_target)
{
    size_t n = strcspn(spec, ":");

    for (const struct exporter_ops *const *ops = exporters; *ops; ops++)
        if (bytes_equal(bytes_make(spec, n), bytes_from_string((*ops)->settings.name))) {
            *ret_ops = *ops;
            *ret_target = spec[n] ? spec + n + 1 : "";
            return 0;
        }
    return -ENOENT;
}
