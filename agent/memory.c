/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Code and constants of files, found in /proc/self/smaps (proc(5)); the contract stands in
 * memory.h. What was ever written to has anonymous pages, which would be lost: relocated tables are
 * left alone.
 *
 *   7f..000-7f..000 r-xp 00000000 08:01 1234   /usr/lib/libx.so.1
 *   ...
 *   Anonymous:             0 kB
 */
#include "memory.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

#define HEAPS 2
/* Above what a full batch takes, below the tables of kernel types and symbols, which are read once. */
#define LARGE (512 << 10)
#define KEPT (512 << 10) /* of what is free at a heap's end */

/* glibc's own bounds grow with what is freed, up to 32 MiB: these stay. */
void memory_share_heaps(void)
{
    mallopt(M_ARENA_MAX, HEAPS);
    mallopt(M_MMAP_THRESHOLD, LARGE);
    mallopt(M_TRIM_THRESHOLD, KEPT);
}

struct mapping {
    uintptr_t begin, end;
    bool only_read; /* from a file */
};

/* False, and nothing else, for the lines between two heads. */
static bool parse_head(const char *line, struct mapping *mapping)
{
    uintptr_t begin, end;
    uint64_t inode;
    char rights[8];

    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s %*s %*s %" SCNu64, &begin, &end, rights,
               &inode) != 4)
        return false;
    *mapping = (struct mapping){begin, end,
                                inode != 0 && rights[0] == 'r' && rights[1] == '-' &&
                                    rights[3] == 'p'};
    return true;
}

void memory_give_back(void)
{
    FILE *smaps = fopen("/proc/self/smaps", "re");
    struct mapping mapping = {0};
    char line[512];
    unsigned kib;

    /* What libbpf needed to read the kernel's types is free, but lies below what is not. */
    malloc_trim(0);
    while (smaps && fgets(line, sizeof(line), smaps)) {
        if (parse_head(line, &mapping) || sscanf(line, "Anonymous: %u kB", &kib) != 1)
            continue;
        if (mapping.only_read && kib == 0)
            madvise((void *)mapping.begin, mapping.end - mapping.begin, MADV_DONTNEED);
    }
    if (smaps)
        fclose(smaps);
}
