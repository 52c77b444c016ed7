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

#include "base/clock.h"
#include "base/macro.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>

#define HEAPS 2
/* Above what a full batch takes, below the tables of kernel types and symbols, which are read once. */
#define LARGE (512 << 10)
#define KEPT (512 << 10) /* of what is free at a heap's end */
#define EACH_NS (30 * NS_PER_S)
#define SOON_NS NS_PER_S
/* Above what comes back of itself, 5 MB with two exporters; connecting them takes 9. */
#define GROWN ((size_t)6 << 20)

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

static void give_back(void)
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

/* 0 where it cannot be read. */
static size_t resident(void)
{
    FILE *statm = fopen("/proc/self/statm", "re");
    size_t pages = 0;

    if (!statm)
        return 0;
    if (fscanf(statm, "%*u %zu", &pages) != 1)
        pages = 0;
    fclose(statm);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

void memory_give_back(struct memory *memory, uint64_t now_ns)
{
    give_back();
    *memory = (struct memory){now_ns, SOON_NS, resident()};
}

void memory_tend(struct memory *memory, uint64_t now_ns)
{
    uint64_t since = now_ns - memory->gave_back_ns, wait = memory->wait_ns;

    if (since < wait || (since < EACH_NS && resident() < memory->left + GROWN))
        return;
    memory_give_back(memory, now_ns);
    if (since < EACH_NS)
        memory->wait_ns = MIN(2 * wait, EACH_NS);
}
