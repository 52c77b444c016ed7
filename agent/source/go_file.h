/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of Go programs: where they are, also in stripped ones, and where they return. Return
 * probes change the return address on the stack, which Go moves and walks: the return instructions
 * are found instead.
 */
#pragma once

#include "source/elf_file.h"

/* As elf_find_functions; looks into Go's own table (.gopclntab) too, which stripping leaves. */
int go_find_functions(int fd, struct elf_function *functions, size_t n);

/*
 * Offsets of the return instructions in a function's code. How many there are, at most `max`; 0
 * where the code does not have the form that Go's compiler gives it.
 */
size_t go_find_returns(struct bytes code, uint32_t *ret_offsets, size_t max);
