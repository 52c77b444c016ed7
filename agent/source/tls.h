/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds TLS libraries and puts probes into them: at the start into all that are mapped or stand
 * where libraries do, then, in a thread of its own, into each file when a process begins to map it.
 */
#pragma once

#include "source/tls_probe.h"

struct tls;

/*
 * *n_files is kept at the number of files with probes, which
 * the kernel side reads. When it returns 0, what is there now has its probes. Logs what failed.
 */
int tls_start(const struct tls_programs *programs, uint32_t *n_files, struct tls **ret_tls);
void tls_stop(struct tls *tls); /* NULL is fine */

/* One file with TLS inside; `why` is why what it carries is not seen, or NULL. */
typedef void (*tls_survey_sink)(void *arg, const char *library, const char *why,
                                const char *path);

/* What tls_start would find now, for the check command; needs no rights but to read the files. */
void tls_survey(tls_survey_sink sink, void *arg);
