/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said of every resource: by the setting resource.attributes, and by the agent's own
 * environment. What the programs' environments say is another thing (enrich/process.h).
 */
#pragma once

#include "config/settings.h"
#include "enrich/said.h"

struct own_resource {
    struct bytes service;   /* what the agent is called, in its own spans */
    struct said configured; /* strings are the settings' */
    struct said agent;      /* without service.*, which is the agent's name alone */
    uint8_t text[4096];
};

/*
 * OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES; a list that is not valid is told and says nothing.
 * `ret_resource` must stay where it is. Returns 0 or -E2BIG (logged): more attributes than SAID_MAX.
 */
int own_resource_read(const struct settings *settings, struct own_resource *ret_resource);
