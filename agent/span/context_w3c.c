/* SPDX-License-Identifier: Apache-2.0 */
/*
 * W3C Trace Context, level 2 (https://www.w3.org/TR/trace-context-2/) and W3C Baggage:
 *
 *   traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
 *                version  trace id                    parent id     flags     all lowercase hex
 *   tracestate:  congo=t61rcWkgMzE,tenant@vendor=00f067aa0ba902b7
 *   baggage:     userId=alice,isProduction=false;property
 */
#include "span/context_internal.h"

#include <errno.h>

#define TRACEPARENT_LEN 55 /* 2 + 1 + 32 + 1 + 16 + 1 + 2 */
#define TRACESTATE_MEMBERS_MAX 32
#define TRACESTATE_KEY_MAX 256
#define TRACESTATE_TENANT_MAX 241
#define TRACESTATE_SYSTEM_MAX 14
#define TRACESTATE_VALUE_MAX 256
#define KNOWN_FLAGS 0x03 /* sampled and random: the others mean nothing yet */

static bool is_lower_hex(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        if (!((b.ptr[i] >= '0' && b.ptr[i] <= '9') || (b.ptr[i] >= 'a' && b.ptr[i] <= 'f')))
            return false;
    return true;
}

/* `hex_len` hex digits and the dash behind them (none is wanted behind the last group). */
static bool take_hex(struct reader *reader, uint8_t *out, size_t len, bool dash)
{
    struct bytes hex = reader_take(reader, 2 * len);

    if (reader->failed || !is_lower_hex(hex) || bytes_from_hex(hex, out, len) < 0)
        return false;
    return !dash || reader_u8(reader) == '-';
}

/* Section 3.2. Versions above 00 may be longer. */
int context_read_traceparent(const struct context_carrier *carrier,
                             struct trace_context *ret_context)
{
    struct bytes text = carrier->values[CONTEXT_TRACEPARENT];
    struct trace_context context = {.name = CONTEXT_TRACEPARENT};
    struct reader reader = reader_make(text);
    uint8_t version;

    if (!text.ptr)
        return -ENOENT;
    if (!take_hex(&reader, &version, 1, true) ||
        !take_hex(&reader, context.trace_id.bytes, 16, true) ||
        !take_hex(&reader, context.span_id.bytes, 8, true) ||
        !take_hex(&reader, &context.flags, 1, false))
        return -EINVAL;
    if (version == 0xff || (version == 0 && text.len != TRACEPARENT_LEN))
        return -EINVAL;
    if (text.len > TRACEPARENT_LEN && text.ptr[TRACEPARENT_LEN] != '-')
        return -EINVAL;
    if (!context_is_valid(&context))
        return -EINVAL;
    context.flags &= KNOWN_FLAGS;
    *ret_context = context;
    return 0;
}

/* ---- tracestate ------------------------------------------------------------------------------ */

/* The characters of a key behind its first one, section 3.3.1.3.1. */
static const bool is_key[256] = {
    ['a' ... 'z'] = true, ['0' ... '9'] = true, ['_'] = true, ['-'] = true, ['*'] = true,
    ['/'] = true,
};

static bool is_key_part(struct bytes part, size_t max, bool digit_first)
{
    if (part.len == 0 || part.len > max)
        return false;
    if (!(part.ptr[0] >= 'a' && part.ptr[0] <= 'z') &&
        !(digit_first && part.ptr[0] >= '0' && part.ptr[0] <= '9'))
        return false;
    for (size_t i = 0; i < part.len; i++)
        if (!is_key[part.ptr[i]])
            return false;
    return true;
}

/* simple-key, or tenant@system; level 2 lets a simple key, too, begin with a digit. */
static bool is_tracestate_key(struct bytes key)
{
    size_t at = bytes_find(key, '@');

    if (at == SIZE_MAX)
        return is_key_part(key, TRACESTATE_KEY_MAX, true);
    return is_key_part(bytes_slice(key, 0, at), TRACESTATE_TENANT_MAX, true) &&
           is_key_part(bytes_skip(key, at + 1), TRACESTATE_SYSTEM_MAX, false);
}

/* Printable, without ',' and '=', section 3.3.1.3.2; commas are the list's. */
static bool is_tracestate_value(struct bytes value)
{
    if (value.len == 0 || value.len > TRACESTATE_VALUE_MAX)
        return false;
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] < 0x20 || value.ptr[i] > 0x7e || value.ptr[i] == '=')
            return false;
    return true;
}

static bool contains(const struct bytes *keys, unsigned n, struct bytes key)
{
    for (unsigned i = 0; i < n; i++)
        if (bytes_equal(keys[i], key))
            return true;
    return false;
}

bool tracestate_is_valid(struct bytes list)
{
    struct bytes keys[TRACESTATE_MEMBERS_MAX];
    unsigned n = 0;

    while (list.len) {
        struct bytes member = bytes_trim(context_part(&list, ',')), value = member, key;

        if (member.len == 0)
            continue; /* empty members are allowed */
        if (bytes_find(member, '=') == SIZE_MAX || n == TRACESTATE_MEMBERS_MAX)
            return false;
        key = context_part(&value, '=');
        if (!is_tracestate_key(key) || !is_tracestate_value(value) || contains(keys, n, key))
            return false;
        keys[n++] = key;
    }
    return n > 0;
}

/* ---- baggage --------------------------------------------------------------------------------- */

bool baggage_next(struct bytes *list, struct bytes *ret_key, struct bytes *ret_value)
{
    while (list->len) {
        struct bytes member = context_part(list, ',');
        struct bytes rest = context_part(&member, ';'), value = rest, key;

        if (bytes_find(rest, '=') == SIZE_MAX)
            continue;
        key = bytes_trim(context_part(&value, '='));
        if (key.len == 0)
            continue;
        *ret_key = key;
        *ret_value = bytes_trim(value);
        return true;
    }
    return false;
}
