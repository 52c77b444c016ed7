/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's function table, since Go 1.18 (src/internal/abi/symtab.go, src/debug/gosym/pclntab.go):
 *
 *   magic, 0, 0, quantum, pointer size | 8-byte words: functions, files, text start, offset of
 *   names, of compile units, of files, of pc tables, of the function table
 *   function table: {entry, offset of the function} as 4-byte offsets, sorted by entry
 *   function:       entry, offset of the name, ...
 *
 * Text start is 0 since Go 1.26: the text section is it, unless C code was linked in front, and
 * then the code found there does not look like Go's.
 */
#include "source/go_file.h"

#include "base/macro.h"

#include <errno.h>
#include <string.h>

#define MAGIC_1_18 0xfffffff0u
#define MAGIC_1_20 0xfffffff1u
#define HEADER_LEN (8 + 8 * 8)
#define TABLE_MAX (256u << 20)
#define NAME_MAX_LEN 256

struct go_table {
    struct bytes all;
    struct elf_section text;
    uint64_t n_functions;
    uint64_t text_start;
    uint64_t names;     /* offsets in `all` */
    uint64_t functions;
};

static uint64_t read_word(struct bytes data, uint64_t offset, size_t size)
{
    uint64_t word = 0;

    if (offset > data.len || size > data.len - offset)
        return 0;
    memcpy(&word, data.ptr + offset, size); /* the file has this machine's byte order */
    return word;
}

static bool read_header(struct bytes all, const struct elf_section *text, struct go_table *table)
{
    uint64_t magic = read_word(all, 0, 4);

    if (all.len < HEADER_LEN || (magic != MAGIC_1_18 && magic != MAGIC_1_20) || all.ptr[7] != 8)
        return false;
    *table = (struct go_table){
        .all = all,
        .text = *text,
        .n_functions = read_word(all, 8, 8),
        .text_start = read_word(all, 24, 8),
        .names = read_word(all, 32, 8),
        .functions = read_word(all, 64, 8),
    };
    if (table->text_start == 0)
        table->text_start = text->address;
    return table->names < all.len && table->functions < all.len &&
           table->n_functions < (all.len - table->functions) / 8;
}

static bool is_name(const struct go_table *table, uint64_t offset, const char *name)
{
    size_t len = strlen(name) + 1;
    uint64_t at = table->names + offset;

    return offset < table->all.len && at < table->all.len && len <= table->all.len - at &&
           memcmp(table->all.ptr + at, name, len) == 0;
}

static void take_entry(const struct go_table *table, uint64_t i, struct elf_function *functions,
                       size_t n)
{
    uint64_t entry_at = table->functions + i * 8;
    uint64_t entry = read_word(table->all, entry_at, 4);
    uint64_t function = table->functions + read_word(table->all, entry_at + 4, 4);
    uint64_t name = read_word(table->all, function + 4, 4);
    uint64_t offset = table->text_start + entry - table->text.address;

    if (offset >= table->text.size)
        return;
    for (size_t k = 0; k < n; k++)
        if (functions[k].offset == 0 && is_name(table, name, functions[k].name)) {
            functions[k].offset = table->text.offset + offset;
            functions[k].size = read_word(table->all, entry_at + 8, 4) - entry;
        }
}

static int search_table(struct bytes all, const struct elf_section *text,
                        struct elf_function *functions, size_t n)
{
    struct go_table table;
    int found = 0;

    if (!read_header(all, text, &table))
        return 0;
    for (uint64_t i = 0; i < table.n_functions; i++)
        take_entry(&table, i, functions, n);
    for (size_t i = 0; i < n; i++)
        found += functions[i].offset != 0;
    return found;
}

int go_find_functions(int fd, struct elf_function *functions, size_t n)
{
    static const char *const names[] = {".gopclntab", ".data.rel.ro.gopclntab"};
    _cleanup_(freep) uint8_t *content = NULL;
    struct elf_section section = {0}, text;
    int r = -ENOENT;

    for (size_t i = 0; i < ELEMENTSOF(names) && r == -ENOENT; i++)
        r = elf_find_section(fd, names[i], &section);
    if (r == -ENOENT)
        return 0; /* no Go program */
    if (r == 0)
        r = elf_find_section(fd, ".text", &text);
    if (r < 0)
        return r;
    r = elf_find_functions(fd, functions, n);
    if (r != 0)
        return r;
    if (section.size > TABLE_MAX)
        return -ENOEXEC;
    content = malloc(section.size + 1);
    if (!content)
        return -ENOMEM;
    r = elf_read(fd, content, section.size, section.offset);
    return r < 0 ? r : search_table(bytes_make(content, section.size), &text, functions, n);
}

/* ---- return instructions --------------------------------------------------------------------- */

#if defined(__x86_64__)

/* "sub $n,%rsp" or "add $n,%rsp" with 8 or 32 bits of n: its length, 0: something else. */
static size_t read_stack_change(struct bytes code, size_t at, uint8_t operation, uint32_t *ret_n)
{
    struct bytes rest = bytes_skip(code, at);

    if (rest.len >= 7 && rest.ptr[0] == 0x48 && rest.ptr[1] == 0x81 && rest.ptr[2] == operation) {
        memcpy(ret_n, rest.ptr + 3, sizeof(*ret_n));
        return 7;
    }
    if (rest.len >= 4 && rest.ptr[0] == 0x48 && rest.ptr[1] == 0x83 && rest.ptr[2] == operation) {
        *ret_n = (uint32_t)(int32_t)(int8_t)rest.ptr[3];
        return 4;
    }
    return 0;
}

#define SUB_RSP 0xec
#define ADD_RSP 0xc4

/*
 * A frame begins with "push %rbp; mov %rsp,%rbp; sub $n,%rsp" and each of its ends is "add $n,%rsp;
 * pop %rbp; ret" with the same n: six to nine bytes that are nothing else.
 */
size_t go_find_returns(struct bytes code, uint32_t *ret_offsets, size_t max)
{
    static const uint8_t prologue[] = {0x55, 0x48, 0x89, 0xe5};
    const uint8_t *begin = code.len ? memmem(code.ptr, code.len, prologue, sizeof(prologue)) : NULL;
    uint32_t frame, n;
    size_t found = 0;

    if (!begin || !read_stack_change(code, (size_t)(begin - code.ptr) + sizeof(prologue), SUB_RSP,
                                     &frame))
        return 0;
    for (size_t at = 0; at < code.len && found < max; at++) {
        size_t len = read_stack_change(code, at, ADD_RSP, &n);

        if (len && n == frame && at + len + 2 <= code.len && code.ptr[at + len] == 0x5d &&
            code.ptr[at + len + 1] == 0xc3)
            ret_offsets[found++] = (uint32_t)(at + len + 1);
    }
    return found;
}

#elif defined(__aarch64__)

size_t go_find_returns(struct bytes code, uint32_t *ret_offsets, size_t max)
{
    size_t found = 0;

    for (size_t at = 0; at + 4 <= code.len && found < max; at += 4) {
        uint32_t instruction;

        memcpy(&instruction, code.ptr + at, sizeof(instruction));
        if (instruction == 0xd65f03c0) /* ret */
            ret_offsets[found++] = (uint32_t)at;
    }
    return found;
}

#else
#error "this architecture's return instructions are not known here yet"
#endif
