/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes in TLS libraries: which functions of a file are watched, and how. A probe belongs to a
 * file (device, inode): every process that maps it, now or later, has it, and it goes with its
 * descriptor, so that nothing is left behind by an agent that is killed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* BPF_TRACE_UPROBE_MULTI, which the programs are loaded with; kernels before 6.6 ignore it. */
#define TLS_ATTACH_TYPE 48
#define TLS_LINKS_MAX 64 /* of one file */

/* The kernel side's programs: at the entry of functions, where they return, and Go's. */
struct tls_programs {
    int enter_fd;
    int return_fd;
    int go_fd; /* all points of Go programs */
};

struct tls_probes {
    const char *library; /* what kind it is: "OpenSSL", ... */
    size_t n_functions;
    int link_fds[TLS_LINKS_MAX];
    size_t n_links;
};

/*
 * Looks for TLS functions in the file and watches them. Returns 1 and the probes, to be given to
 * tls_probes_remove; 0 where the file has no such function; or a negative errno.
 */
int tls_probes_add(int file_fd, const struct tls_programs *programs, struct tls_probes *ret_probes);
void tls_probes_remove(struct tls_probes *probes);

/* Only looks: what tls_probes_add would find in the file, or NULL. */
const char *tls_library_of(int file_fd);

/* TLS that no probe can be put into. */
struct tls_blind {
    const char *library;
    const char *why;
};

/* The same for a file in which tls_library_of finds nothing; `name` is the file's own. Or NULL. */
const struct tls_blind *tls_blind_of(int file_fd, const char *name);
