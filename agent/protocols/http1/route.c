/* SPDX-License-Identifier: Apache-2.0 */
/* Paths -> routes; the rule stands in route.h. */
#include "protocols/http1/route.h"

#define WORD_MAX 5 /* longer segments with a digit are values */

static bool is_value(struct bytes segment)
{
    size_t n_digits = 0;

    for (size_t i = 0; i < segment.len; i++)
        n_digits += segment.ptr[i] >= '0' && segment.ptr[i] <= '9';
    return n_digits > 0 && (segment.len > WORD_MAX || 2 * n_digits > segment.len);
}

size_t route_write(struct bytes path, uint8_t out[ROUTE_MAX])
{
    size_t len = 0;

    while (path.len) {
        size_t slash = path.ptr[0] == '/' ? 1 : 0;
        size_t n = bytes_find(bytes_skip(path, slash), '/');
        struct bytes segment = bytes_slice(path, slash, n);
        struct bytes shown = is_value(segment) ? BYTES_LITERAL("{}") : segment;

        if (slash + shown.len > ROUTE_MAX - len)
            break;
        memcpy(out + len, path.ptr, slash);
        if (shown.len)
            memcpy(out + len + slash, shown.ptr, shown.len);
        len += slash + shown.len;
        path = bytes_skip(path, slash + segment.len);
    }
    return len;
}
