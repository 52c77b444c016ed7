/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many span names a service has: a backend keeps an index of them, and a path that looks like a
 * word and is a value would fill it.
 *
 *   (service, "GET /a/{}") -> known already, or one more while the service has room
 *
 * A name once admitted stays for the run. Both tables are bounded; a full one admits no new name.
 */
#pragma once

#include "base/bytes.h"
#include "base/pool.h"
#include "base/table.h"

struct names {
    size_t per_service;
    struct pool name_pool;
    struct pool service_pool;
    struct table names;    /* by service and name */
    struct table services; /* by service */
};

int names_init(struct names *names, size_t max_services, size_t max_per_service);
void names_done(struct names *names);

/* May the service (a hash of what it is called) have a span of this name? */
bool names_admit(struct names *names, uint64_t service, struct bytes name);
