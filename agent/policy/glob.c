/* SPDX-License-Identifier: Apache-2.0 */
/* Glob patterns; the contract stands in glob.h. */
#include "policy/glob.h"

#include <fnmatch.h>
#include <limits.h>

bool glob_matches(const char *pattern, struct bytes text)
{
    char copy[PATH_MAX];

    if (text.len >= sizeof(copy) || bytes_find(text, '\0') != SIZE_MAX)
        return false;
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return fnmatch(pattern, copy, 0) == 0;
}
