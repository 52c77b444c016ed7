/* SPDX-License-Identifier: Apache-2.0 */
/* Finding an exporter; the contract stands in find.h. */
#include "exporters/find.h"

#include "base/log.h"
#include "base/macro.h"

#include <errno.h>

static const struct exporter_ops *find(struct bytes name)
{
    for (const struct exporter_ops *const *ops = exporters; *ops; ops++)
        if (bytes_equal(name, bytes_from_string((*ops)->settings.name)))
            return *ops;
    return NULL;
}

int exporter_choose(const char *spec, const struct settings *settings,
                    struct exporter_choice *ret_choice)
{
    struct bytes name = bytes_make(spec, strcspn(spec, ":;"));
    const char *target = spec + name.len + (spec[name.len] == ':');
    size_t len = strcspn(target, ";");
    struct exporter_choice choice = {.ops = find(name)};
    int r;

    if (!choice.ops)
        return log_error(-ENOENT, "no such exporter: %.*s (see --help)", BYTES_PRINTF(name));
    choice.target = strndup(target, len);
    if (!choice.target)
        return log_error(-ENOMEM, "exporter %s", choice.ops->settings.name);
    r = settings_section_new(settings, &choice.ops->settings, target + len, &choice.settings);
    if (r < 0) {
        free(choice.target);
        return r;
    }
    *ret_choice = choice;
    return 0;
}

void exporter_choice_done(struct exporter_choice *choice)
{
    if (!choice->ops)
        return;
    settings_section_free(&choice->ops->settings, choice->settings);
    free(choice->target);
    *choice = (struct exporter_choice){0};
}
