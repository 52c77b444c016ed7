/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the fuzz target over the files named on the command line: the corpora as a plain test. */
#include "base/macro.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define FILE_MAX_LEN 262144

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Returns false where the file cannot be read. */
static bool run_file(const char *path)
{
    static uint8_t memory[FILE_MAX_LEN];
    _cleanup_(freep) uint8_t *copy = NULL;
    FILE *file = fopen(path, "rb");
    size_t size;

    if (!file) {
        perror(path);
        return false;
    }
    size = fread(memory, 1, sizeof(memory), file);
    fclose(file);
    copy = malloc(MAX(size, (size_t)1));
    if (!copy)
        return false;
    memcpy(copy, memory, size);
    LLVMFuzzerTestOneInput(copy, size);
    return true;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return EXIT_FAILURE;
    for (int i = 1; i < argc; i++)
        if (!run_file(argv[i]))
            return EXIT_FAILURE;
    printf("%d inputs\n", argc - 1);
    return EXIT_SUCCESS;
}
