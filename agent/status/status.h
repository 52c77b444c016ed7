/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health and metrics over HTTP on a local port (libmicrohttpd, one thread of its own):
 *   GET /metrics   Prometheus text format 0.0.4
 *   GET /healthz   200 "ok" or 503 with one reason
 * What is in them comes from a provider, so that this room knows none of the others. Providers are
 * called on the status thread: they read atomics only.
 */
#pragma once

#include "base/buffer.h"

struct status;

struct status_provider {
    void (*metrics)(void *arg, struct buffer *out);
    /* True: healthy. Otherwise one line with the reason is appended to `out`. */
    bool (*healthy)(void *arg, struct buffer *out);
    void *arg;
};

/*
 * `listen_on` is ADDRESS:PORT (IPv6 in brackets). Logs what failed: a port in use is an error that
 * names the setting to change. Returns 0 or a negative errno.
 */
int status_start(const char *listen_on, const struct status_provider *provider,
                 struct status **ret_status);
void status_stop(struct status *status); /* NULL is fine */

/* The port that is listened on: what the kernel chose where `listen_on` said 0. */
uint16_t status_port(const struct status *status);

/*
 * One sample; labels without braces ("exporter=\"file\""), or NULL. HELP and TYPE lines come before
 * the first sample of a name: samples of one name must follow each other.
 */
void status_metric(struct buffer *out, const char *name, const char *type, const char *help,
                   const char *labels, uint64_t value);
