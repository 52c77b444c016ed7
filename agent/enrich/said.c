/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of attributes, as people write them; the contract stands in said.h. */
#include "enrich/said.h"

#include "base/macro.h"

#include <errno.h>

int said_add(struct said *said, struct bytes key, struct bytes text)
{
    size_t i = 0;

    while (i < said->n && !bytes_equal(said->attributes[i].key, key))
        i++;
    if (i == SAID_MAX)
        return -E2BIG;
    said->attributes[i] = (struct attribute){.key = key, .type = ATTRIBUTE_TEXT, .text = text};
    said->n = MAX(said->n, i + 1);
    return 0;
}

struct bytes said_text(const struct said *said, struct bytes key)
{
    for (size_t i = 0; i < said->n; i++)
        if (bytes_equal(said->attributes[i].key, key))
            return said->attributes[i].text;
    return BYTES_NULL;
}

/* "%2C" to ",". Returns 0, -EINVAL for a '%' without two digits, or -E2BIG. */
static int decode(struct bytes text, struct arena *arena, struct bytes *ret_text)
{
    struct bytes copy = arena_copy(arena, text);
    uint8_t *out = (uint8_t *)copy.ptr;

    if (copy.len < text.len)
        return -E2BIG;
    for (size_t i = 0; i < text.len; i++, out++) {
        *out = text.ptr[i];
        if (*out != '%')
            continue;
        if (bytes_from_hex(bytes_slice(text, i + 1, 2), out, 1) < 0)
            return -EINVAL;
        i += 2;
    }
    *ret_text = bytes_make(copy.ptr, (size_t)(out - copy.ptr));
    return 0;
}

static int parse_pair(struct bytes pair, struct arena *arena, struct said *said)
{
    size_t equals = bytes_find(pair, '=');
    struct bytes key, text;
    int r;

    if (equals == SIZE_MAX)
        return -EINVAL;
    r = decode(bytes_trim(bytes_slice(pair, 0, equals)), arena, &key);
    if (r == 0)
        r = decode(bytes_trim(bytes_skip(pair, equals + 1)), arena, &text);
    if (r < 0)
        return r;
    return key.len ? said_add(said, key, text) : -EINVAL;
}

int said_parse(struct bytes text, struct arena *arena, struct said *ret_said)
{
    struct said said = {0};
    int r = 0;

    while (text.len && r == 0) {
        struct bytes pair = bytes_slice(text, 0, bytes_find(text, ','));

        text = bytes_skip(text, pair.len + 1);
        if (bytes_trim(pair).len)
            r = parse_pair(pair, arena, &said);
    }
    if (r == 0)
        *ret_said = said;
    return r;
}
