/* SPDX-License-Identifier: Apache-2.0 */
/* Setting and environment; the contract stands in resource.h. */
#include "resource.h"

#include "base/log.h"
#include "base/macro.h"
#include "span/semconv.h"

#define LIST "OTEL_RESOURCE_ATTRIBUTES"

static struct bytes variable(const char *name)
{
    return bytes_from_string(getenv(name) ?: "");
}

static int read_setting(const struct settings *settings, struct said *said)
{
    int r = 0;

    for (size_t i = 0; i < settings->resource_attributes.n && r == 0; i++) {
        struct bytes pair = bytes_from_string(settings->resource_attributes.items[i]);
        size_t equals = bytes_find(pair, '=');

        r = said_add(said, bytes_slice(pair, 0, equals), bytes_skip(pair, equals + 1));
    }
    return r < 0 ? log_error(r, "resource.attributes: more than %d", SAID_MAX) : 0;
}

static void read_environment(struct own_resource *own)
{
    struct arena arena = arena_over(own->text, sizeof(own->text));
    struct said said;

    own->service = variable("OTEL_SERVICE_NAME");
    if (said_parse(variable(LIST), &arena, &said) < 0) {
        log_warning(LIST " is ignored: it is no list of at most %d KEY=VALUE with commas between, "
                    "percent-encoded, in %zu bytes", SAID_MAX, sizeof(own->text));
        return;
    }
    if (own->service.len == 0)
        own->service = said_text(&said, SEMCONV_SERVICE_NAME);
    for (size_t i = 0; i < said.n; i++)
        if (!bytes_starts_with(said.attributes[i].key, BYTES_LITERAL("service.")))
            own->agent.attributes[own->agent.n++] = said.attributes[i];
}

int own_resource_read(const struct settings *settings, struct own_resource *ret_resource)
{
    *ret_resource = (struct own_resource){0};
    read_environment(ret_resource);
    if (ret_resource->service.len == 0)
        ret_resource->service = BYTES_LITERAL("flowtrace-agent");
    return read_setting(settings, &ret_resource->configured);
}
