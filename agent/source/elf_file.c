/* SPDX-License-Identifier: Apache-2.0 */
/* ELF: header -> section headers -> symbols and their strings; program headers for file offsets. */
#include "source/elf_file.h"

#include "base/macro.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define SECTIONS_MAX 4096
#define SEGMENTS_MAX 256
#define STRINGS_MAX (256u << 20)
#define NAMES_MAX (1u << 20)
#define SYMBOLS_AT_ONCE 1024
#define TEXT_AT_ONCE (256u << 10) /* bytes */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OWN_BYTE_ORDER ELFDATA2LSB
#else
#define OWN_BYTE_ORDER ELFDATA2MSB
#endif

struct elf_file {
    int fd;
    Elf64_Shdr *sections;
    size_t n_sections;
    Elf64_Phdr *segments;
    size_t n_segments;
    size_t names; /* the section that holds the sections' names */
};

int elf_read(int fd, void *out, size_t len, uint64_t offset)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = pread(fd, (char *)out + done, len - done, (off_t)(offset + done));

        if (n < 0)
            return -errno;
        if (n == 0)
            return -ENOEXEC;
        done += (size_t)n;
    }
    return 0;
}

/* `n` items of `size` bytes from the file, allocated. */
static int read_table(int fd, size_t size, size_t n, uint64_t offset, void **ret_table)
{
    _cleanup_(freep) void *table = NULL;
    int r;

    if (offset > INT64_MAX - size * n)
        return -ENOEXEC;
    table = malloc(size * n + 1);
    if (!table)
        return -ENOMEM;
    r = elf_read(fd, table, size * n, offset);
    if (r < 0)
        return r;
    ((char *)table)[size * n] = '\0';
    *ret_table = TAKE_PTR(table);
    return 0;
}

static void elf_done(struct elf_file *file)
{
    free(file->sections);
    free(file->segments);
}

static int elf_open(int fd, struct elf_file *ret_file)
{
    _cleanup_(elf_done) struct elf_file file = {.fd = fd};
    Elf64_Ehdr header;
    void *table;
    int r = elf_read(fd, &header, sizeof(header), 0);

    if (r < 0)
        return r;
    if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_ident[EI_DATA] != OWN_BYTE_ORDER || header.e_shentsize != sizeof(Elf64_Shdr) ||
        header.e_phentsize != sizeof(Elf64_Phdr) || header.e_shnum == 0 ||
        header.e_shnum > SECTIONS_MAX || header.e_phnum == 0 || header.e_phnum > SEGMENTS_MAX)
        return -ENOEXEC;
    r = read_table(fd, sizeof(Elf64_Shdr), header.e_shnum, header.e_shoff, &table);
    if (r < 0)
        return r;
    file.sections = table;
    file.n_sections = header.e_shnum;
    r = read_table(fd, sizeof(Elf64_Phdr), header.e_phnum, header.e_phoff, &table);
    if (r < 0)
        return r;
    file.segments = table;
    file.n_segments = header.e_phnum;
    file.names = header.e_shstrndx;
    *ret_file = file;
    file = (struct elf_file){0};
    return 0;
}

/* 0: the address is in no executable part of the file. */
static uint64_t offset_of_address(const struct elf_file *file, uint64_t address)
{
    for (size_t i = 0; i < file->n_segments; i++) {
        const Elf64_Phdr *segment = &file->segments[i];

        if (segment->p_type == PT_LOAD && segment->p_flags & PF_X && address >= segment->p_vaddr &&
            address - segment->p_vaddr < segment->p_filesz)
            return address - segment->p_vaddr + segment->p_offset;
    }
    return 0;
}

static void take_symbol(const struct elf_file *file, const Elf64_Sym *symbol, struct bytes strings,
                        struct elf_function *functions, size_t n)
{
    const char *name;

    if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || symbol->st_shndx == SHN_UNDEF ||
        symbol->st_name >= strings.len)
        return;
    name = (const char *)strings.ptr + symbol->st_name;
    for (size_t i = 0; i < n; i++)
        if (functions[i].offset == 0 && strcmp(functions[i].name, name) == 0) {
            functions[i].offset = offset_of_address(file, symbol->st_value);
            functions[i].size = symbol->st_size;
        }
}

static bool is_mentioned(struct bytes strings, const struct elf_function *functions, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memmem(strings.ptr, strings.len, functions[i].name, strlen(functions[i].name) + 1))
            return true;
    return false;
}

static int scan_symbols(const struct elf_file *file, const Elf64_Shdr *table,
                        struct elf_function *functions, size_t n)
{
    _cleanup_(freep) void *strings = NULL;
    const Elf64_Shdr *names;
    Elf64_Sym symbols[SYMBOLS_AT_ONCE];
    uint64_t left = table->sh_size / sizeof(Elf64_Sym), offset = table->sh_offset;
    int r;

    if (table->sh_link >= file->n_sections)
        return -ENOEXEC;
    names = &file->sections[table->sh_link];
    if (names->sh_size > STRINGS_MAX)
        return -ENOEXEC;
    r = read_table(file->fd, 1, names->sh_size, names->sh_offset, &strings);
    if (r < 0)
        return r;
    /* The byte behind the strings is a NUL: the last of them ends. */
    if (!is_mentioned(bytes_make(strings, names->sh_size + 1), functions, n))
        return 0;
    while (left && r == 0) {
        size_t some = MIN(left, (uint64_t)SYMBOLS_AT_ONCE);

        r = elf_read(file->fd, symbols, some * sizeof(*symbols), offset);
        for (size_t i = 0; i < some && r == 0; i++)
            take_symbol(file, &symbols[i], bytes_make(strings, names->sh_size), functions, n);
        left -= some;
        offset += some * sizeof(*symbols);
    }
    return r;
}

static size_t count_found(const struct elf_function *functions, size_t n)
{
    size_t found = 0;

    for (size_t i = 0; i < n; i++)
        found += functions[i].offset != 0;
    return found;
}

int elf_find_functions(int fd, struct elf_function *functions, size_t n)
{
    static const uint32_t kinds[] = {SHT_DYNSYM, SHT_SYMTAB};
    _cleanup_(elf_done) struct elf_file file = {0};
    int r = elf_open(fd, &file);

    for (size_t i = 0; i < n; i++)
        functions[i].offset = functions[i].size = 0;
    for (size_t kind = 0; kind < ELEMENTSOF(kinds) && r == 0; kind++)
        for (size_t i = 0; i < file.n_sections && r == 0; i++)
            if (file.sections[i].sh_type == kinds[kind] && count_found(functions, n) == 0)
                r = scan_symbols(&file, &file.sections[i], functions, n);
    return r < 0 ? r : (int)count_found(functions, n);
}

int elf_find_section(int fd, const char *name, struct elf_section *ret_section)
{
    _cleanup_(elf_done) struct elf_file file = {0};
    _cleanup_(freep) void *names = NULL;
    const Elf64_Shdr *strings;
    int r = elf_open(fd, &file);

    if (r < 0)
        return r;
    if (file.names >= file.n_sections)
        return -ENOENT;
    strings = &file.sections[file.names];
    if (strings->sh_size > NAMES_MAX)
        return -ENOEXEC;
    r = read_table(fd, 1, strings->sh_size, strings->sh_offset, &names);
    for (size_t i = 0; i < file.n_sections && r == 0; i++) {
        const Elf64_Shdr *section = &file.sections[i];

        if (section->sh_name < strings->sh_size && section->sh_type != SHT_NOBITS &&
            strcmp((const char *)names + section->sh_name, name) == 0) {
            *ret_section = (struct elf_section){section->sh_addr, section->sh_offset,
                                                section->sh_size};
            return 0;
        }
    }
    return r < 0 ? r : -ENOENT;
}

bool elf_section_mentions(int fd, const char *section, const char *text)
{
    _cleanup_(freep) char *window = malloc(TEXT_AT_ONCE);
    struct elf_section place;
    size_t len = strlen(text);

    if (!window || elf_find_section(fd, section, &place) < 0 || place.size > STRINGS_MAX)
        return false;
    for (uint64_t at = 0; at < place.size; at += TEXT_AT_ONCE - len) {
        size_t n = (size_t)MIN(place.size - at, (uint64_t)TEXT_AT_ONCE);

        if (elf_read(fd, window, n, place.offset + at) < 0)
            return false;
        if (memmem(window, n, text, len))
            return true;
    }
    return false;
}
