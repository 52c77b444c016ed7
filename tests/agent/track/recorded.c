/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line is a chunk in hexadecimal digits, the server's behind a tab, as tshark follows a stream:
 *
 *   5353482d322e302d...
 *           5353482d322e302d...
 */
#include "recorded.h"

#include "base/macro.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CHUNKS_MAX 64

static struct foreign_chunk read_chunk(const char *line)
{
    struct foreign_chunk chunk = {.sender = *line == '\t' ? SENDER_SERVER : SENDER_CLIENT};
    size_t len = strspn(line += *line == '\t', "0123456789abcdef") / 2;
    uint8_t *bytes = malloc(len);

    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(sscanf(line + 2 * i, "%2hhx", &bytes[i]), 1);
    chunk.bytes = bytes_make(bytes, len);
    return chunk;
}

static struct foreign read_file(const char *path)
{
    struct foreign_chunk *chunks = calloc(CHUNKS_MAX, sizeof(*chunks));
    char *name = strdup(strrchr(path, '/') + 1);
    struct foreign foreign = {.name = name, .chunks = chunks};
    _cleanup_(freep) char *line = NULL;
    FILE *file = fopen(path, "re");
    size_t size = 0;

    assert_true(chunks && name && file);
    *strrchr(name, '.') = '\0';
    while (getline(&line, &size, file) > 0) {
        assert_true(foreign.n_chunks < CHUNKS_MAX);
        chunks[foreign.n_chunks++] = read_chunk(line);
    }
    fclose(file);
    return foreign;
}

const struct foreign *recorded_read(const char *folder, size_t *ret_n)
{
    _cleanup_(freep) char *pattern = NULL;
    struct foreign *all;
    glob_t found;

    assert_true(asprintf(&pattern, "%s/*.talk", folder) > 0);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    all = calloc(found.gl_pathc, sizeof(*all));
    assert_non_null(all);
    for (size_t i = 0; i < found.gl_pathc; i++)
        all[i] = read_file(found.gl_pathv[i]);
    *ret_n = found.gl_pathc;
    globfree(&found);
    return all;
}
