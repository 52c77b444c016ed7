/* SPDX-License-Identifier: Apache-2.0 */
/* The names of each service; the contract stands in names.h. */
#include "pipeline/names.h"

#include "base/hash.h"
#include "base/macro.h"

/* Of all services together: 1 MiB when all are used. */
#define NAMES_MAX 65536

struct service {
    struct table_link link;
    size_t n_names;
};

int names_init(struct names *names, size_t max_services, size_t max_per_service)
{
    int r;

    names->per_service = max_per_service;
    r = pool_init(&names->name_pool, sizeof(struct table_link), NAMES_MAX);
    if (r == 0)
        r = pool_init(&names->service_pool, sizeof(struct service), max_services);
    if (r == 0)
        r = table_init(&names->names, NAMES_MAX / 16);
    return r < 0 ? r : table_init(&names->services, max_services);
}

void names_done(struct names *names)
{
    pool_done(&names->name_pool);
    pool_done(&names->service_pool);
    table_done(&names->names);
    table_done(&names->services);
}

static struct service *get_service(struct names *names, uint64_t key)
{
    struct table_link *link = table_find(&names->services, key);
    struct service *service;

    if (link)
        return container_of(link, struct service, link);
    service = pool_take(&names->service_pool);
    if (service) {
        service->n_names = 0;
        table_insert(&names->services, key, &service->link);
    }
    return service;
}

bool names_admit(struct names *names, uint64_t service_key, struct bytes name)
{
    uint64_t key = hash_pair(service_key, hash_bytes(name));
    struct service *service;
    struct table_link *link;

    if (table_find(&names->names, key))
        return true;
    service = get_service(names, service_key);
    if (!service || service->n_names >= names->per_service)
        return false;
    link = pool_take(&names->name_pool);
    if (!link)
        return false;
    service->n_names++;
    table_insert(&names->names, key, link);
    return true;
}
