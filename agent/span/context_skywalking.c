/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SkyWalking's cross process propagation header, version 3
 * (https://skywalking.apache.org/docs/main/latest/en/api/x-process-propagation-headers-v3/):
 *
 *   sw8: 1-TRACE-SEGMENT-3-SERVICE-INSTANCE-ENDPOINT-TARGET     upper case: base64 of a text
 *        |               '-- number of the parent span in its segment
 *        '-- sampled
 *
 * SkyWalking's ids are texts. They become ids of 16 and 8 bytes by the rule of the OpenTelemetry
 * Collector's receiver for SkyWalking, so that spans that come that way are in the same trace:
 *
 *   56a5e1c519ae4c76a2b8b11d92cead7f.12.16563474296430001   = UUID . thread . time and counter
 *   16 bytes  =  UUID  xor  [span number LE 32][thread LE 32][time and counter LE 64]
 *   span id   =  high half xor low half of the 16 bytes
 */
#include "span/context_internal.h"

#include <errno.h>

#define ID_TEXT_MAX 128
#define UUID_DIGITS 32
#define UUID_TEXT 36 /* with its dashes */

static bool uuid_read(struct bytes text, uint8_t out[16])
{
    uint8_t digits[UUID_DIGITS];
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.len == UUID_TEXT && (i == 8 || i == 13 || i == 18 || i == 23)) {
            if (text.ptr[i] != '-')
                return false;
            continue;
        }
        if (n == sizeof(digits))
            return false;
        digits[n++] = text.ptr[i];
    }
    return n == sizeof(digits) && context_hex(bytes_make(digits, n), out, 16);
}

static void xor_le(uint8_t *out, uint64_t value, int len)
{
    for (int i = 0; i < len; i++)
        out[i] ^= (uint8_t)(value >> (8 * i));
}

static bool id_read(struct bytes text, uint32_t span_number, uint8_t out[16])
{
    struct bytes rest = text, uuid = context_part(&rest, '.'), thread = context_part(&rest, '.');
    uint64_t thread_number, counter;

    if (!uuid_read(uuid, out))
        return false;
    xor_le(out, span_number, 4);
    if (!thread.ptr)
        return true;
    if (bytes_parse_u64(thread, &thread_number) < 0 || bytes_parse_u64(rest, &counter) < 0)
        return false;
    xor_le(out + 4, thread_number, 4);
    xor_le(out + 8, counter, 8);
    return true;
}

/* A base64 text that is an id, as 16 bytes. */
static bool field_read(struct bytes base64, uint32_t span_number, uint8_t out[16])
{
    uint8_t text[ID_TEXT_MAX];
    size_t len;

    return context_base64(base64, text, sizeof(text), &len) &&
           id_read(bytes_make(text, len), span_number, out);
}

int context_read_skywalking(const struct context_carrier *carrier,
                            struct trace_context *ret_context)
{
    struct bytes rest = carrier->values[CONTEXT_SKYWALKING];
    struct bytes sample = context_part(&rest, '-'), trace = context_part(&rest, '-');
    struct bytes segment = context_part(&rest, '-'), number = context_part(&rest, '-');
    struct trace_context context = {.name = CONTEXT_SKYWALKING};
    uint64_t span_number;
    uint8_t span[16];

    if (!sample.ptr)
        return -ENOENT;
    if (sample.len != 1 || (sample.ptr[0] != '0' && sample.ptr[0] != '1') || !rest.ptr ||
        bytes_parse_u64(number, &span_number) < 0 || span_number > UINT32_MAX ||
        !field_read(trace, 0, context.trace_id.bytes) ||
        !field_read(segment, (uint32_t)span_number, span))
        return -EINVAL;
    for (int i = 0; i < 8; i++)
        context.span_id.bytes[i] = span[i] ^ span[i + 8];
    if (!context_is_valid(&context))
        return -EINVAL;
    context.flags = sample.ptr[0] == '1' ? CONTEXT_FLAG_SAMPLED : 0;
    *ret_context = context;
    return 0;
}
