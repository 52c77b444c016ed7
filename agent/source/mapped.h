/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files as processes begin to map them executable: programs, libraries, also those that are loaded
 * late or in another mount namespace. The kernel tells (perf_event_open(2), PERF_RECORD_MMAP2), so
 * nobody polls; what was mapped before is read from /proc.
 */
#pragma once

#include <stdint.h>

struct mapped;

struct mapped_file {
    uint32_t pid;
    uint64_t start, end; /* of the mapping, in the process */
    uint64_t device;     /* as the kernel numbers it */
    uint64_t inode;
    uint64_t generation; /* 0: not known */
    const char *path;    /* in the process's mount namespace */
};

typedef void (*mapped_sink)(void *arg, const struct mapped_file *file);

/* Begins to listen. Returns 0 or a negative errno. */
int mapped_open(struct mapped **ret_mapped);
void mapped_close(struct mapped *mapped); /* NULL is fine */

/* Everything that all processes have mapped now. */
void mapped_scan(mapped_sink sink, void *arg);

/*
 * Waits for mappings, or until `wake_fd` is readable or the time is over, and delivers them; a lost
 * one leads to a scan. Returns 0, or a negative errno.
 */
int mapped_wait(struct mapped *mapped, int wake_fd, int timeout_ms, mapped_sink sink, void *arg);

/* Opens the file itself, wherever its process sees it. Returns a descriptor or a negative errno. */
int mapped_file_open(const struct mapped_file *file);
