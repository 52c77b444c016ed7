/* SPDX-License-Identifier: Apache-2.0 */
/* Paths -> routes; the rule stands in route.h. */
#include "protocols/http1/route.h"

#define WORD_MAX 5       /* longer segments with a digit are values */
#define HASH_MIN 16      /* so many hex digits, even without a decimal one */
#define LONG_WORD_MAX 40 /* longer segments are values whatever they consist of */

enum byte_kind { BYTE_OTHER, BYTE_DIGIT, BYTE_HEX_LETTER, BYTE_OF_VALUES };

static const uint8_t kinds[256] = {
    ['0' ... '9'] = BYTE_DIGIT,
    ['a' ... 'f'] = BYTE_HEX_LETTER,
    ['A' ... 'F'] = BYTE_HEX_LETTER,
    ['%'] = BYTE_OF_VALUES,
    ['@'] = BYTE_OF_VALUES,
    ['='] = BYTE_OF_VALUES,
    ['+'] = BYTE_OF_VALUES,
    [','] = BYTE_OF_VALUES,
    [0x80 ... 0xff] = BYTE_OF_VALUES,
};

static bool is_value(struct bytes segment)
{
    size_t n[4] = {0};

    for (size_t i = 0; i < segment.len; i++)
        n[kinds[segment.ptr[i]]]++;
    return n[BYTE_OF_VALUES] > 0 || segment.len > LONG_WORD_MAX ||
           (n[BYTE_DIGIT] > 0 &&
            (segment.len > WORD_MAX || 2 * n[BYTE_DIGIT] > segment.len)) ||
           (segment.len >= HASH_MIN && n[BYTE_OTHER] == 0);
}

size_t route_write(struct bytes path, uint8_t out[ROUTE_MAX])
{
    size_t len = 0;

    while (path.len) {
        size_t slash = path.ptr[0] == '/' ? 1 : 0;
        size_t n = bytes_find(bytes_skip(path, slash), '/');
        struct bytes segment = bytes_slice(path, slash, n);
        struct bytes word = bytes_slice(segment, 0, bytes_find(segment, ';'));
        struct bytes shown = is_value(word) ? BYTES_LITERAL("{}") : word;

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
