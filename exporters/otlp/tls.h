/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of TLS of an exporter: the authorities, and for mutual TLS a certificate and its key,
 * all PEM. What is used is always a set that was read and fits together:
 *
 *   open   files -> read -> check -> in use          else told, and the exporter does not open
 *   look   a file changed -> read -> check -> in use: new connections
 *                                          '-> told, and what is in use stays in use
 */
#pragma once

#include "exporters/otlp/settings.h"

#include <sys/types.h>
#include <time.h>

/* What tells a file from the one that was there before; all zero: none is there. */
struct otlp_stamp {
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct otlp_tls {
    const char *exporter; /* for what is logged */
    const char *paths[3]; /* ca, certificate, key; "": none */
    struct otlp_stamp stamps[3];
    char *ca, *certificate, *key; /* in use, PEM; NULL: none */
};

enum otlp_tls_look { OTLP_TLS_SAME, OTLP_TLS_RENEWED, OTLP_TLS_UNUSABLE };

/*
 * Reads and checks the files of the choice, whose paths must outlive it. What is wrong is logged,
 * with what to do. Returns 0 or a negative errno; otlp_tls_done is fine after both.
 */
int otlp_tls_open(const char *exporter, const struct otlp_choice *choice,
                  struct otlp_tls *ret_tls);
void otlp_tls_done(struct otlp_tls *tls);

/*
 * Whether the files changed since the last look, by a stat for each. UNUSABLE: they did, but cannot
 * be used, which is logged; answered once for each change.
 */
enum otlp_tls_look otlp_tls_look(struct otlp_tls *tls);
