/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_scan.h"

/* Behind the string whose first character is at `at`. */
static size_t skip_string(struct bytes json, size_t at)
{
    for (; at < json.len && json.ptr[at] != '"'; at++)
        if (json.ptr[at] == '\\')
            at++;
    return at;
}

bool json_is_bounded(struct bytes json, unsigned depth, size_t values)
{
    size_t separators = 0;
    unsigned open = 0;

    for (size_t at = 0; at < json.len; at++) {
        switch (json.ptr[at]) {
        case '"':
            at = skip_string(json, at + 1);
            break;
        case '{':
        case '[':
            separators++;
            if (++open > depth)
                return false;
            break;
        case '}':
        case ']':
            open -= open > 0;
            break;
        case ',':
            separators++;
            break;
        }
    }
    return separators <= values;
}
