/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lead byte says how long its sequence is, and the range of the second byte; every further byte
 * is 80..BF. Nearly all text is ASCII, which is passed over eight bytes at a time.
 */
#include "otlp/utf8.h"

static const uint8_t replacement[] = {0xef, 0xbf, 0xbd}; /* U+FFFD */

struct lead {
    uint8_t first, last;   /* lead bytes */
    uint8_t low, high;     /* of the second byte */
    uint8_t len;           /* of the whole sequence */
};

/* Unicode 15, table 3-7. */
static const struct lead leads[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
    {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static const struct lead *lead_find(uint8_t byte)
{
    for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++)
        if (byte >= leads[i].first && byte <= leads[i].last)
            return &leads[i];
    return NULL;
}

/*
 * The sequence that begins `text`, which is not empty and begins with no ASCII: its length if it is
 * well-formed; else that of its maximal part (1 to 3), and *ret_broken is set.
 */
static size_t sequence_len(struct bytes text, bool *ret_broken)
{
    const struct lead *lead = lead_find(text.ptr[0]);
    size_t n = 1;

    *ret_broken = true;
    if (!lead)
        return 1;
    if (n < text.len && text.ptr[n] >= lead->low && text.ptr[n] <= lead->high)
        n++;
    else
        return n;
    while (n < lead->len && n < text.len && (text.ptr[n] & 0xc0) == 0x80)
        n++;
    *ret_broken = n < lead->len;
    return n;
}

/* How many bytes at the start of `text` are ASCII. */
static size_t ascii_len(struct bytes text)
{
    size_t n = 0;
    uint64_t word;

    for (; n + sizeof(word) <= text.len; n += sizeof(word)) {
        memcpy(&word, text.ptr + n, sizeof(word));
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    while (n < text.len && text.ptr[n] < 0x80)
        n++;
    return n;
}

/* The length of the well-formed text at the start; what follows it is broken, or nothing. */
static size_t valid_len(struct bytes text, size_t *ret_broken_len)
{
    size_t at = ascii_len(text);
    bool broken;

    *ret_broken_len = 0;
    while (at < text.len) {
        size_t n = sequence_len(bytes_skip(text, at), &broken);

        if (broken) {
            *ret_broken_len = n;
            return at;
        }
        at += n;
        at += ascii_len(bytes_skip(text, at));
    }
    return at;
}

bool utf8_valid(struct bytes text)
{
    size_t broken_len;

    return ascii_len(text) == text.len || valid_len(text, &broken_len) == text.len;
}

size_t utf8_repaired_size(struct bytes text)
{
    size_t size = 0, broken_len;

    while (text.len > 0) {
        size_t n = valid_len(text, &broken_len);

        size += n + (broken_len ? sizeof(replacement) : 0);
        text = bytes_skip(text, n + broken_len);
    }
    return size;
}

size_t utf8_cut(struct bytes text, size_t n)
{
    size_t at = 0;
    bool broken;

    for (; n > 0 && at < text.len; n--)
        at += text.ptr[at] < 0x80 ? 1 : sequence_len(bytes_skip(text, at), &broken);
    return at;
}

void utf8_repair(struct bytes text, uint8_t *out)
{
    size_t broken_len;

    while (text.len > 0) {
        size_t n = valid_len(text, &broken_len);

        memcpy(out, text.ptr, n);
        out += n;
        if (broken_len) {
            memcpy(out, replacement, sizeof(replacement));
            out += sizeof(replacement);
        }
        text = bytes_skip(text, n + broken_len);
    }
}
