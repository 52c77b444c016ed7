/* SPDX-License-Identifier: Apache-2.0 */
/* Context formats; the contracts stand in context.h. */
#include "span/context.h"

#include <errno.h>

#define TRACEPARENT_LEN 55 /* 2 + 1 + 32 + 1 + 16 + 1 + 2 */

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

int context_parse_traceparent(struct bytes text, struct trace_context *ret_context)
{
    struct trace_context context = {0};
    struct reader reader = reader_make(text);
    uint8_t version;

    if (!take_hex(&reader, &version, 1, true) ||
        !take_hex(&reader, context.trace_id.bytes, 16, true) ||
        !take_hex(&reader, context.span_id.bytes, 8, true) ||
        !take_hex(&reader, &context.flags, 1, false))
        return -EINVAL;
    if (version == 0xff || (version == 0 && text.len != TRACEPARENT_LEN))
        return -EINVAL;
    if (text.len > TRACEPARENT_LEN && text.ptr[TRACEPARENT_LEN] != '-')
        return -EINVAL;
    if (trace_id_is_zero(&context.trace_id) || span_id_is_zero(&context.span_id))
        return -EINVAL;
    *ret_context = context;
    return 0;
}
