/* SPDX-License-Identifier: Apache-2.0 */
/* Writes docs/configuration.md to standard output: see scripts/update-docs. */
#include "config/settings.h"

#include "base/log.h"
#include "exporters/exporter.h"

#include <stdlib.h>

int main(void)
{
    int r = settings_print_reference(exporter_sections, STDOUT_FILENO);

    if (r < 0)
        log_error(r, "the reference could not be written");
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
