/* SPDX-License-Identifier: Apache-2.0 */
/* Names of messages; the contracts stand in name.h. */
#include "protocols/dns/name.h"

#define LABEL_MAX 63
#define POINTER 0xc0

static size_t pointed_at(struct bytes message, size_t at)
{
    return (size_t)(message.ptr[at] & LABEL_MAX) << 8 | message.ptr[at + 1];
}

size_t dns_name_end(struct bytes message, size_t at)
{
    size_t start = at;

    while (at < message.len) {
        uint8_t n = message.ptr[at];

        if (n == 0)
            return at + 1;
        if (n >= POINTER) {
            if (at + 1 >= message.len)
                return DNS_CUT;
            return pointed_at(message, at) < start ? at + 2 : 0;
        }
        at += 1u + n;
        if (n > LABEL_MAX || at - start >= DNS_NAME_BYTES)
            return 0;
    }
    return DNS_CUT;
}

static bool is_plain(uint8_t c)
{
    return c > ' ' && c < 0x7f && c != '.' && c != '\\';
}

/* One label and the dot behind it. Returns where the next goes. */
static uint8_t *put_label(uint8_t *out, const uint8_t *label, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t c = label[i];

        if (is_plain(c)) {
            *out++ = c;
        } else if (c == '.' || c == '\\') {
            *out++ = '\\';
            *out++ = c;
        } else {
            *out++ = '\\';
            *out++ = (uint8_t)('0' + c / 100);
            *out++ = (uint8_t)('0' + c / 10 % 10);
            *out++ = (uint8_t)('0' + c % 10);
        }
    }
    *out++ = '.';
    return out;
}

uint8_t *dns_name_put(struct bytes message, size_t at, uint8_t *out)
{
    size_t start = at, total = 0;

    while (at < message.len) {
        uint8_t n = message.ptr[at];

        if (n == 0 && total == 0)
            *out++ = '.';
        if (n == 0)
            return total == 0 ? out : out - 1; /* without the last dot */
        if (n >= POINTER) {
            if (at + 1 >= message.len)
                return NULL;
            at = pointed_at(message, at);
            if (at >= start)
                return NULL;
            start = at;
            continue;
        }
        total += 1u + n;
        if (n > LABEL_MAX || total >= DNS_NAME_BYTES || n >= message.len - at)
            return NULL;
        out = put_label(out, message.ptr + at + 1, n);
        at += 1u + n;
    }
    return NULL;
}

struct bytes dns_name_text(struct bytes message, size_t at, struct arena *arena)
{
    uint8_t *text = arena_alloc(arena, DNS_NAME_TEXT), *end;

    if (!text)
        return BYTES_NULL;
    end = dns_name_put(message, at, text);
    arena->used -= DNS_NAME_TEXT;
    if (!end)
        return BYTES_NULL;
    arena->used += (size_t)(end - text);
    return bytes_make(text, (size_t)(end - text));
}
