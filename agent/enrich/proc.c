/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of the texts of /proc; their contracts stand in proc.h. */
#include "enrich/proc.h"

#include <errno.h>

#define FIELD_START 22
#define FIELD_STATE 3 /* the first behind the command name */

/* The command name may hold blanks and parentheses: fields are counted from the last ")". */
int proc_parse_start(struct bytes stat, uint64_t *ret_ticks)
{
    struct reader reader;
    size_t behind = stat.len;
    struct bytes field = BYTES_NULL;

    while (behind > 0 && stat.ptr[behind - 1] != ')')
        behind--;
    if (behind == 0)
        return -EINVAL;
    reader = reader_make(bytes_skip(stat, behind + 1));
    for (unsigned i = FIELD_STATE; i <= FIELD_START; i++)
        field = reader_until(&reader, ' ');
    return reader.failed ? -EINVAL : bytes_parse_u64(field, ret_ticks) < 0 ? -EINVAL : 0;
}

struct bytes proc_cgroup_path(struct bytes cgroup)
{
    static const struct bytes root = BYTES_LITERAL("/");
    struct bytes unified = BYTES_NULL, other = BYTES_NULL;

    while (cgroup.len) {
        struct bytes line = bytes_slice(cgroup, 0, bytes_find(cgroup, '\n'));
        struct reader reader = reader_make(line);
        struct bytes number = reader_until(&reader, ':');
        struct bytes path;

        reader_until(&reader, ':');
        path = reader_rest(&reader);
        if (bytes_equal(number, BYTES_LITERAL("0")))
            unified = path;
        else if (other.len == 0 && !bytes_equal(path, root))
            other = path;
        cgroup = bytes_skip(cgroup, line.len + 1);
    }
    return other.len && (unified.len == 0 || bytes_equal(unified, root)) ? other : unified;
}

struct bytes proc_next_string(struct bytes *rest)
{
    struct bytes string = bytes_slice(*rest, 0, bytes_find(*rest, '\0'));

    *rest = bytes_skip(*rest, string.len + 1);
    return string;
}

struct bytes proc_environment(struct bytes environment, struct bytes name)
{
    while (environment.len) {
        struct bytes entry = proc_next_string(&environment);

        if (bytes_starts_with(entry, name) && entry.len > name.len && entry.ptr[name.len] == '=')
            return bytes_skip(entry, name.len + 1);
    }
    return BYTES_NULL;
}

struct bytes proc_file_name(struct bytes path)
{
    size_t start = path.len;

    while (start > 0 && path.ptr[start - 1] != '/')
        start--;
    return bytes_skip(path, start);
}
