/* SPDX-License-Identifier: Apache-2.0 */
/* The oracle is the loader: it knows where it has put this program's own functions. */
#include "source/elf_file.h"

#include "base/macro.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

/* Visible to the linker, so that it has a symbol; never inlined, so that it has code. */
int a_function_to_be_found(int x);

__attribute__((noinline)) int a_function_to_be_found(int x)
{
    return x * 3 + 1;
}

struct place {
    uintptr_t address;
    uint64_t offset;
};

static int find_place(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct place *place = arg;

    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;

        if (segment->p_type == PT_LOAD && place->address >= start &&
            place->address < start + segment->p_memsz)
            place->offset = place->address - start + segment->p_offset;
    }
    return place->offset != 0;
}

static void a_function_is_where_the_loader_has_it(void **state)
{
    struct elf_function functions[] = {{.name = "no_such_function_anywhere"},
                                       {.name = "a_function_to_be_found"}};
    struct place place = {.address = (uintptr_t)a_function_to_be_found};
    _cleanup_(closep) int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    dl_iterate_phdr(find_place, &place);
    assert_int_equal(elf_find_functions(fd, functions, ELEMENTSOF(functions)), 1);
    assert_int_equal(functions[0].offset, 0);
    assert_int_equal(functions[1].offset, place.offset);
    assert_true(functions[1].size > 0);
}

static void a_section_is_found_by_name(void **state)
{
    _cleanup_(closep) int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct place place = {.address = (uintptr_t)a_function_to_be_found};
    struct elf_section text;

    dl_iterate_phdr(find_place, &place);
    assert_int_equal(elf_find_section(fd, ".text", &text), 0);
    assert_in_range(place.offset, text.offset, text.offset + text.size);
    assert_int_equal(elf_find_section(fd, ".no-such-section", &text), -ENOENT);
}

static void a_section_holds_the_texts_that_the_program_has(void **state)
{
    _cleanup_(closep) int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    const char *text = "a text among the constants";
    char other[64];

    snprintf(other, sizeof(other), "%s, or not", text);
    assert_true(elf_section_mentions(fd, ".rodata", text));
    assert_false(elf_section_mentions(fd, ".rodata", other));
    assert_false(elf_section_mentions(fd, ".no-such-section", text));
}

/* This program's own file, in memory. */
struct copy {
    int fd;
    uint8_t *bytes;
    size_t len;
};

static struct copy copy_self(void)
{
    struct copy copy = {.fd = memfd_create("copy", MFD_CLOEXEC)};
    int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat stat;

    assert_int_equal(fstat(self, &stat), 0);
    copy.len = (size_t)stat.st_size;
    assert_int_equal(ftruncate(copy.fd, stat.st_size), 0);
    copy.bytes = mmap(NULL, copy.len, PROT_READ | PROT_WRITE, MAP_SHARED, copy.fd, 0);
    assert_ptr_not_equal(copy.bytes, MAP_FAILED);
    assert_int_equal(pread(self, copy.bytes, copy.len, 0), copy.len);
    close(self);
    return copy;
}

static void drop_copy(struct copy *copy)
{
    munmap(copy->bytes, copy->len);
    close(copy->fd);
}

static int find_in(int fd)
{
    struct elf_function function = {.name = "a_function_to_be_found"};
    struct elf_section section;

    elf_find_section(fd, ".text", &section);
    return elf_find_functions(fd, &function, 1);
}

static void a_file_cut_anywhere_is_refused_or_lacks_the_function(void **state)
{
    struct copy copy = copy_self();

    assert_int_equal(find_in(copy.fd), 1);
    for (size_t len = copy.len; len > 0; len -= MIN(len, copy.len / 400 + 1)) {
        assert_int_equal(ftruncate(copy.fd, (off_t)len - 1), 0);
        assert_true(find_in(copy.fd) <= 0);
    }
    drop_copy(&copy);
}

/* Every byte of the headers is set to values that break sizes, counts and offsets. */
static void broken_headers_do_no_harm(void **state)
{
    static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    struct copy copy = copy_self();
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)copy.bytes;
    size_t table = header->e_shoff, end = table + header->e_shnum * sizeof(Elf64_Shdr);

    for (size_t at = 0; at < end; at = at + 1 == sizeof(*header) + 512 ? table : at + 1) {
        uint8_t good = copy.bytes[at];

        for (size_t i = 0; i < ELEMENTSOF(values); i++) {
            copy.bytes[at] = values[i];
            assert_true(find_in(copy.fd) <= 1);
        }
        copy.bytes[at] = good;
    }
    assert_int_equal(find_in(copy.fd), 1);
    drop_copy(&copy);
}

static void what_is_no_elf_file_is_refused(void **state)
{
    int fd = memfd_create("text", MFD_CLOEXEC);

    assert_int_equal(find_in(fd), -ENOEXEC);
    assert_int_equal(write(fd, "#!/bin/sh\n", 10), 10);
    assert_int_equal(find_in(fd), -ENOEXEC);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_is_where_the_loader_has_it),
        cmocka_unit_test(a_section_is_found_by_name),
        cmocka_unit_test(a_section_holds_the_texts_that_the_program_has),
        cmocka_unit_test(a_file_cut_anywhere_is_refused_or_lacks_the_function),
        cmocka_unit_test(broken_headers_do_no_harm),
        cmocka_unit_test(what_is_no_elf_file_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
