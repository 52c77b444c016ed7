/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people say of a resource: the list of OTEL_RESOURCE_ATTRIBUTES (OpenTelemetry specification,
 * resource/sdk.md, "Specifying resource information via an environment variable").
 *
 *   key1=value1,key2=value2      W3C Baggage without properties: keys and values percent-encoded
 *
 * A list with one error in it says nothing at all. Pure.
 */
#pragma once

#include "base/arena.h"
#include "span/span.h"

#define SAID_MAX 32        /* attributes of one list */
#define SAID_TEXT_MAX 1024 /* bytes of one list that are carried with a process */

/* Texts, no key twice: the last one counts. */
struct said {
    size_t n;
    struct attribute attributes[SAID_MAX];
};

/*
 * Strings go to the arena, which needs text.len bytes. Returns 0, -EINVAL (no such list) or -E2BIG
 * (more than SAID_MAX, or the arena is full).
 */
int said_parse(struct bytes text, struct arena *arena, struct said *ret_said);

/* Adds an attribute, or replaces the one with this key. Returns 0 or -E2BIG. */
int said_add(struct said *said, struct bytes key, struct bytes text);

/* The text of the attribute with this key, or empty. */
struct bytes said_text(const struct said *said, struct bytes key);
