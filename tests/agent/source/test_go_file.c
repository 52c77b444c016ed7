/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Code as Go's compiler wrote it, and a table laid out by hand after src/debug/gosym/pclntab.go;
 * tests/e2e/test_tls.py has whole Go programs, stripped ones too.
 */
#include "source/go_file.h"

#include "base/macro.h"

#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>

#include <cmocka.h>

#if defined(__x86_64__)

/* The ends of crypto/tls.(*Conn).Read of Go 1.26: frame of 0x58 bytes. */
static const uint8_t code[] = {
    0x49, 0x3b, 0x66, 0x10,                   /* cmp 0x10(%r14),%rsp */
    0x0f, 0x86, 0x7a, 0x03, 0x00, 0x00,       /* jbe */
    0x55, 0x48, 0x89, 0xe5,                   /* push %rbp; mov %rsp,%rbp */
    0x48, 0x83, 0xec, 0x58,                   /* sub $0x58,%rsp */
    0x31, 0xc9,                               /* xor %ecx,%ecx */
    0x48, 0x83, 0xc4, 0x58, 0x5d, 0xc3,       /* add $0x58,%rsp; pop %rbp; ret */
    0xb8, 0xc3, 0x5d, 0xc3, 0x00,             /* mov $0xc35dc3,%eax: no return */
    0x48, 0x83, 0xc4, 0x50, 0x5d, 0xc3,       /* another frame's end: not this function's */
    0x48, 0x83, 0xc4, 0x58, 0x5d, 0xc3,
};

static void returns_are_found_by_the_frame_that_they_end(void **state)
{
    uint32_t offsets[8];

    assert_int_equal(go_find_returns(bytes_make(code, sizeof(code)), offsets, 8), 2);
    assert_int_equal(offsets[0], 25);
    assert_int_equal(offsets[1], sizeof(code) - 1);
    assert_int_equal(go_find_returns(bytes_make(code, sizeof(code)), offsets, 1), 1);
}

static void code_of_another_form_has_none(void **state)
{
    uint32_t offsets[8];

    assert_int_equal(go_find_returns(bytes_make(code + 14, sizeof(code) - 14), offsets, 8), 0);
    assert_int_equal(go_find_returns(BYTES_NULL, offsets, 8), 0);
    for (size_t len = 0; len < sizeof(code); len++)
        assert_true(go_find_returns(bytes_make(code, len), offsets, 8) <= 1);
}

#endif

#define TEXT_ADDRESS 0x401000
#define TEXT_SIZE 0x400
#define NAMES "\0.text\0.gopclntab\0.shstrtab"

/* A file that is nothing but its sections: text, Go's table, the sections' names. */
struct file {
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    Elf64_Shdr sections[4];
    uint8_t text[TEXT_SIZE];
    struct {
        uint32_t magic;
        uint8_t zero[2], quantum, pointer_size;
        uint64_t n_functions, n_files, text_start, names, units, files, pcs, functions;
        char name_table[32];
        uint32_t entries[5];      /* {entry, function} * 2, end */
        uint32_t function_rows[4]; /* {entry, name} * 2 */
    } table;
    char names[sizeof(NAMES)];
};

static struct file make_file(void)
{
    struct file file = {
        .header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB},
                   .e_phoff = offsetof(struct file, segment),
                   .e_shoff = offsetof(struct file, sections),
                   .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1,
                   .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = 4, .e_shstrndx = 3},
        .sections = {[1] = {.sh_name = 1, .sh_type = SHT_PROGBITS, .sh_addr = TEXT_ADDRESS,
                            .sh_offset = offsetof(struct file, text), .sh_size = TEXT_SIZE},
                     [2] = {.sh_name = 7, .sh_type = SHT_PROGBITS,
                            .sh_offset = offsetof(struct file, table),
                            .sh_size = sizeof(file.table)},
                     [3] = {.sh_name = 18, .sh_type = SHT_STRTAB,
                            .sh_offset = offsetof(struct file, names), .sh_size = sizeof(NAMES)}},
        .table = {.magic = 0xfffffff1, .quantum = 1, .pointer_size = 8, .n_functions = 2,
                  .text_start = TEXT_ADDRESS, .name_table = "main.first\0main.second",
                  .entries = {0x10, 20, 0x200, 28, 0x300},
                  .function_rows = {0x10, 0, 0x200, 11}},
        .names = NAMES,
    };

    file.table.names = offsetof(typeof(file.table), name_table);
    file.table.functions = offsetof(typeof(file.table), entries);
    return file;
}

static int find_second(const struct file *file, struct elf_function *ret_function)
{
    _cleanup_(closep) int fd = memfd_create("go", MFD_CLOEXEC);
    int r;

    *ret_function = (struct elf_function){.name = "main.second"};
    assert_int_equal(write(fd, file, sizeof(*file)), sizeof(*file));
    r = go_find_functions(fd, ret_function, 1);
    return r;
}

static void a_stripped_programs_functions_are_in_gos_own_table(void **state)
{
    struct file file = make_file();
    struct elf_function function;

    assert_int_equal(find_second(&file, &function), 1);
    assert_int_equal(function.offset, offsetof(struct file, text) + 0x200);
    assert_int_equal(function.size, 0x100);
}

static void without_a_text_start_the_section_is_it(void **state)
{
    struct file file = make_file();
    struct elf_function function;

    file.table.text_start = 0;
    assert_int_equal(find_second(&file, &function), 1);
    assert_int_equal(function.offset, offsetof(struct file, text) + 0x200);
}

static void a_program_without_the_table_is_none_of_gos(void **state)
{
    struct file file = make_file();
    struct elf_function function;

    file.names[8] = 'x';
    assert_int_equal(find_second(&file, &function), 0);
}

static void a_broken_table_does_no_harm(void **state)
{
    static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    struct file good = make_file();

    for (size_t at = 0; at < sizeof(good.table); at++)
        for (size_t i = 0; i < ELEMENTSOF(values); i++) {
            struct file bad = good;
            struct elf_function function;

            ((uint8_t *)&bad.table)[at] = values[i];
            assert_in_range(find_second(&bad, &function), 0, 1);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#if defined(__x86_64__)
        cmocka_unit_test(returns_are_found_by_the_frame_that_they_end),
        cmocka_unit_test(code_of_another_form_has_none),
#endif
        cmocka_unit_test(a_stripped_programs_functions_are_in_gos_own_table),
        cmocka_unit_test(without_a_text_start_the_section_is_it),
        cmocka_unit_test(a_program_without_the_table_is_none_of_gos),
        cmocka_unit_test(a_broken_table_does_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
