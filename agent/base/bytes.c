/* SPDX-License-Identifier: Apache-2.0 */
/* Byte strings and the soft-failing reader; the contracts stand in bytes.h. */
#include "base/bytes.h"

#include <errno.h>

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* The same for eight bytes at once: bit 7 of each becomes "is from A to Z", then its bit 5. */
static uint64_t lower_eight(uint64_t word)
{
    const uint64_t each = 0x0101010101010101u;
    uint64_t low, from_a, above_z;

    low = word & 0x7f * each;
    from_a = low + (0x80 - 'A') * each;
    above_z = low + (0x7f - 'Z') * each;
    return word | (~word & 0x80 * each & (from_a ^ above_z)) >> 2;
}

static uint64_t eight_at(const uint8_t *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof(word));
    return word;
}

/* Of `len` bytes, four to eight, the first four and the last four. */
static uint64_t ends_of(const uint8_t *bytes, size_t len)
{
    uint32_t first, last;

    memcpy(&first, bytes, sizeof(first));
    memcpy(&last, bytes + len - sizeof(last), sizeof(last));
    return first | (uint64_t)last << 32;
}

/* Header names are compared all day: the last bytes may overlap those before them. */
bool bytes_equal_nocase(struct bytes a, struct bytes b)
{
    size_t i = 0;

    if (a.len != b.len)
        return false;
    for (; i + 8 <= a.len; i += 8)
        if (lower_eight(eight_at(a.ptr + i)) != lower_eight(eight_at(b.ptr + i)))
            return false;
    if (i < a.len && a.len >= 8)
        return lower_eight(eight_at(a.ptr + a.len - 8)) == lower_eight(eight_at(b.ptr + a.len - 8));
    if (i < a.len && a.len >= 4)
        return lower_eight(ends_of(a.ptr, a.len)) == lower_eight(ends_of(b.ptr, a.len));
    for (; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

struct bytes bytes_trim(struct bytes b)
{
    while (b.len && (b.ptr[0] == ' ' || b.ptr[0] == '\t'))
        b = bytes_skip(b, 1);
    while (b.len && (b.ptr[b.len - 1] == ' ' || b.ptr[b.len - 1] == '\t'))
        b.len--;
    return b;
}

int bytes_parse_u64(struct bytes b, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (b.len == 0)
        return -EINVAL;
    for (size_t i = 0; i < b.len; i++) {
        if (b.ptr[i] < '0' || b.ptr[i] > '9')
            return -EINVAL;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(b.ptr[i] - '0'), &value))
            return -ERANGE;
    }
    *ret_value = value;
    return 0;
}

void bytes_to_hex(struct bytes b, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < b.len; i++) {
        *out++ = digits[b.ptr[i] >> 4];
        *out++ = digits[b.ptr[i] & 15];
    }
    *out = '\0';
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int bytes_from_hex(struct bytes hex, uint8_t *out, size_t len)
{
    if (hex.len != 2 * len)
        return -EINVAL;
    for (size_t i = 0; i < hex.len; i++)
        if (hex_value(hex.ptr[i]) < 0)
            return -EINVAL;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(hex_value(hex.ptr[2 * i]) << 4 | hex_value(hex.ptr[2 * i + 1]));
    return 0;
}

int bytes_base64_digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

struct bytes reader_until(struct reader *reader, uint8_t c)
{
    struct bytes left = {reader->data.ptr + reader->pos, reader_left(reader)};
    size_t offset = bytes_find(left, c);

    if (offset == SIZE_MAX) {
        reader->failed = true;
        return BYTES_NULL;
    }
    reader->pos += offset + 1;
    return (struct bytes){left.ptr, offset};
}

static uint64_t read_be(struct reader *reader, size_t n)
{
    struct bytes b = reader_take(reader, n);
    uint64_t value = 0;

    for (size_t i = 0; i < b.len; i++)
        value = value << 8 | b.ptr[i];
    return value;
}

static uint64_t read_le(struct reader *reader, size_t n)
{
    struct bytes b = reader_take(reader, n);
    uint64_t value = 0;

    for (size_t i = b.len; i > 0; i--)
        value = value << 8 | b.ptr[i - 1];
    return value;
}

uint8_t reader_u8(struct reader *reader)
{
    return (uint8_t)read_be(reader, 1);
}

uint16_t reader_be16(struct reader *reader)
{
    return (uint16_t)read_be(reader, 2);
}

uint32_t reader_be32(struct reader *reader)
{
    return (uint32_t)read_be(reader, 4);
}

uint64_t reader_be64(struct reader *reader)
{
    return read_be(reader, 8);
}

uint16_t reader_le16(struct reader *reader)
{
    return (uint16_t)read_le(reader, 2);
}

uint32_t reader_le32(struct reader *reader)
{
    return (uint32_t)read_le(reader, 4);
}

uint64_t reader_le64(struct reader *reader)
{
    return read_le(reader, 8);
}
