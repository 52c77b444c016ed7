/* SPDX-License-Identifier: Apache-2.0 */
#include "carrier.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

bool read_headers(const struct header *headers, struct trace_context *ret_context,
                  unsigned *ret_invalid)
{
    struct context_carrier carrier = {0};

    for (; headers->name; headers++) {
        enum context_name name = context_name_of(bytes_from_string(headers->name));

        if (name != CONTEXT_NONE)
            context_carrier_add(&carrier, name, bytes_from_string(headers->value));
    }
    return context_read(&carrier, ret_context, ret_invalid);
}

static bool read_one(const char *name, const char *value, struct trace_context *ret_context,
                     unsigned *ret_invalid)
{
    const struct header headers[] = {{name, value}, {0}};

    return read_headers(headers, ret_context, ret_invalid);
}

void assert_all_give(const struct header *headers, const char *trace_id, const char *span_id,
                     unsigned flags)
{
    struct trace_context context;
    unsigned invalid;
    char hex[33];

    if (!read_headers(headers, &context, &invalid))
        fail_msg("no context in %s: %s", headers->name, headers->value);
    bytes_to_hex(bytes_make(context.trace_id.bytes, 16), hex);
    assert_string_equal(hex, trace_id);
    bytes_to_hex(bytes_make(context.span_id.bytes, 8), hex);
    assert_string_equal(hex, span_id);
    assert_int_equal(context.flags, flags);
}

void assert_gives(const char *name, const char *value, const char *trace_id, const char *span_id,
                  unsigned flags)
{
    const struct header headers[] = {{name, value}, {0}};

    assert_all_give(headers, trace_id, span_id, flags);
}

void assert_invalid(const char *name, const char *value)
{
    struct trace_context context = {.flags = 42};
    unsigned invalid;

    if (read_one(name, value, &context, &invalid))
        fail_msg("a context in %s: %s", name, value);
    if (invalid != 1)
        fail_msg("not counted as invalid: %s: %s", name, value);
    assert_int_equal(context.flags, 42);
}

void assert_silent(const char *name, const char *value)
{
    struct trace_context context;
    unsigned invalid;

    if (read_one(name, value, &context, &invalid))
        fail_msg("a context in %s: %s", name, value);
    if (invalid)
        fail_msg("counted as invalid: %s: %s", name, value);
}
