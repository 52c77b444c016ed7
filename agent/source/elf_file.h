/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where functions stand in an ELF file (64 bits, this machine's byte order), for probes. Files are
 * whatever processes have mapped: nothing in them is believed, sizes are bounded, and the file is
 * read, not mapped, since it may be cut short meanwhile. Source: the System V ABI (gABI 4), elf(5).
 */
#pragma once

#include "base/bytes.h"

struct elf_function {
    const char *name;
    uint64_t offset; /* in the file; 0: not found */
    uint64_t size;   /* bytes; 0: not known */
};

/*
 * Looks `functions` up by name, in the dynamic symbols and then in all symbols. Sets offset and
 * size of those that are found; returns how many are, or a negative errno: -ENOEXEC where this is
 * no such file or a broken one.
 */
int elf_find_functions(int fd, struct elf_function *functions, size_t n);

struct elf_section {
    uint64_t address;
    uint64_t offset; /* in the file */
    uint64_t size;
};

/* Returns 0, -ENOENT where there is no such section, or another negative errno. */
int elf_find_section(int fd, const char *name, struct elf_section *ret_section);

/* Does the section hold this text? False also where there is no such section. */
bool elf_section_mentions(int fd, const char *section, const char *text);

/* Exactly `len` bytes from `offset` of the file. Returns 0 or a negative errno. */
int elf_read(int fd, void *out, size_t len, uint64_t offset);
