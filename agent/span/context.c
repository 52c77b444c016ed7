/* SPDX-License-Identifier: Apache-2.0 */
/* Names, precedence and what the formats share; the contracts stand in context.h. */
#include "span/context_internal.h"

#include "base/macro.h"

#include <assert.h>
#include <errno.h>

struct name_row {
    struct bytes name; /* lower case */
    enum context_name id;
};

#define ROW(text, name_id) {{(const uint8_t *)(text), sizeof(text) - 1}, name_id}

/* Sorted by length. */
static const struct name_row names[] = {
    ROW("b3", CONTEXT_B3),
    ROW("sw8", CONTEXT_SKYWALKING),
    ROW("baggage", CONTEXT_BAGGAGE),
    ROW("tracestate", CONTEXT_TRACESTATE),
    ROW("x-b3-flags", CONTEXT_B3_FLAGS),
    ROW("traceparent", CONTEXT_TRACEPARENT),
    ROW("x-b3-spanid", CONTEXT_B3_SPAN_ID),
    ROW("x-b3-traceid", CONTEXT_B3_TRACE_ID),
    ROW("x-b3-sampled", CONTEXT_B3_SAMPLED),
    ROW("uber-trace-id", CONTEXT_JAEGER),
    ROW("grpc-trace-bin", CONTEXT_GRPC_TRACE_BIN),
    ROW("x-datadog-tags", CONTEXT_DATADOG_TAGS),
    ROW("x-amzn-trace-id", CONTEXT_XRAY),
    ROW("x-datadog-trace-id", CONTEXT_DATADOG_TRACE_ID),
    ROW("x-datadog-parent-id", CONTEXT_DATADOG_PARENT_ID),
    ROW("x-datadog-sampling-priority", CONTEXT_DATADOG_PRIORITY),
};
static_assert(ELEMENTSOF(names) == CONTEXT_NAME_COUNT - 1, "a row for every name");

/* The rows of each length: a name costs one look-up, and a comparison with hardly more than one. */
static const struct {
    uint8_t begin, end;
} rows_by_length[CONTEXT_NAME_MAX + 1] = {
    [2] = {0, 1},   [3] = {1, 2},    [7] = {2, 3},    [10] = {3, 5},   [11] = {5, 7},
    [12] = {7, 9},  [13] = {9, 10},  [14] = {10, 12}, [15] = {12, 13}, [18] = {13, 14},
    [19] = {14, 15}, [27] = {15, 16},
};

#define LETTER(c) (UINT32_C(1) << ((c) & 31))
const uint32_t context_name_letters =
    LETTER('b') | LETTER('g') | LETTER('s') | LETTER('t') | LETTER('u') | LETTER('x');

/* By precedence. */
static context_parser *const parsers[] = {
    context_read_traceparent, context_read_b3,         context_read_b3_multi,
    context_read_jaeger,      context_read_datadog,    context_read_skywalking,
    context_read_xray,        context_read_grpc_trace_bin,
};

enum context_name context_name_of(struct bytes name)
{
    if (name.len > CONTEXT_NAME_MAX)
        return CONTEXT_NONE;
    for (unsigned i = rows_by_length[name.len].begin; i < rows_by_length[name.len].end; i++)
        if (bytes_begin_alike(name, names[i].name) && bytes_equal_nocase(name, names[i].name))
            return names[i].id;
    return CONTEXT_NONE;
}

void context_carrier_add(struct context_carrier *carrier, enum context_name name,
                         struct bytes value)
{
    assert(name < CONTEXT_NAME_COUNT);
    value = bytes_trim(value);
    if (!carrier->values[name].ptr)
        carrier->values[name] = value;
    else if (!bytes_equal(carrier->values[name], value))
        carrier->repeated |= UINT32_C(1) << name;
}

bool context_read(const struct context_carrier *carrier, struct trace_context *ret_context,
                  unsigned *ret_invalid)
{
    *ret_invalid = 0;
    for (size_t i = 0; i < ELEMENTSOF(parsers); i++) {
        struct trace_context context = {0};
        int r = parsers[i](carrier, &context);

        if (r == 0 && !(carrier->repeated & UINT32_C(1) << context.name)) {
            *ret_context = context;
            return true;
        }
        *ret_invalid += r != -ENOENT;
    }
    return false;
}

/* ---- what the formats share ------------------------------------------------------------------ */

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool context_hex(struct bytes hex, uint8_t *out, size_t len)
{
    if (hex.len == 0 || hex.len > 2 * len)
        return false;
    memset(out, 0, len);
    for (size_t i = 0; i < hex.len; i++) {
        int digit = hex_digit(hex.ptr[hex.len - 1 - i]);

        if (digit < 0)
            return false;
        out[len - 1 - i / 2] |= (uint8_t)(digit << (i % 2 ? 4 : 0));
    }
    return true;
}

bool context_denies(const struct context_carrier *carrier)
{
    bool b3_decides = carrier->values[CONTEXT_B3].len || carrier->values[CONTEXT_B3_SAMPLED].len ||
                      carrier->values[CONTEXT_B3_FLAGS].len;

    return b3_decides ? context_b3_denies(carrier) : context_xray_denies(carrier);
}

bool context_base64(struct bytes text, uint8_t *out, size_t size, size_t *ret_len)
{
    uint32_t bits = 0;
    size_t len = 0;

    if (text.len % 4 == 0)
        for (int i = 0; i < 2 && text.len && text.ptr[text.len - 1] == '='; i++)
            text.len--;
    if (text.len % 4 == 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        int digit = bytes_base64_digit(text.ptr[i]);

        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 == 0)
            continue;
        if (len == size)
            return false;
        out[len++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    *ret_len = len;
    return true;
}

struct bytes context_part(struct bytes *rest, uint8_t c)
{
    size_t n = bytes_find(*rest, c);
    struct bytes part = bytes_slice(*rest, 0, n);

    *rest = n == SIZE_MAX ? BYTES_NULL : bytes_skip(*rest, n + 1);
    return part;
}
