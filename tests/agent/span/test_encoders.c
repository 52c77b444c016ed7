/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the formats' own libraries encode is read as they meant it; encoders/make wrote the lines.
 */
#include "carrier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define HEADERS_MAX 8
#define LINES_MIN 80

static const char *file;

/* Cuts the line at its tabs, and the headers at their colons. */
static void check_line(char *line)
{
    struct header headers[HEADERS_MAX + 1] = {0};
    char *parts[4], *rest = line;
    unsigned n = 0;

    line[strcspn(line, "\n")] = '\0';
    for (int i = 0; i < 4; i++)
        assert_non_null(parts[i] = strsep(&rest, "\t"));
    while (rest && n < HEADERS_MAX) {
        char *value = strsep(&rest, "\t");

        headers[n].name = strsep(&value, ":");
        assert_non_null(value);
        headers[n++].value = value;
    }
    assert_null(rest);
    assert_all_give(headers, parts[1], parts[2], parts[3][0] == '1');
}

static void what_the_libraries_encode_is_read_as_they_meant_it(void **state)
{
    FILE *lines = fopen(file, "r");
    char line[1024];
    unsigned n = 0;

    assert_non_null(lines);
    for (; fgets(line, sizeof(line), lines); n++)
        check_line(line);
    fclose(lines);
    assert_in_range(n, LINES_MIN, UINT32_MAX);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_libraries_encode_is_read_as_they_meant_it),
    };

    if (argc != 2)
        return 1;
    file = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
