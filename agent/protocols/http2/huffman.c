/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding the code of huffman.h: the next 32 bits are compared with the first code of each length,
 * all shifted to the left.
 *
 *   0x50000000 <= bits < 0xb8000000     a code of 6 bits: the symbol stands at
 *                                       symbols[10 + (bits - 0x50000000 >> 26)]
 */
#include "protocols/http2/huffman.h"

#include "base/macro.h"

#include <assert.h>

#define END_OF_STRING 256

/* By length of their codes, then by value (RFC 7541, appendix B); END_OF_STRING would follow. */
static const uint8_t symbols[] = {
    48, 49, 50, 97, 99, 101, 105, 111, 115, 116, 32, 37, 45, 46, 47, 51, 52, 53, 54, 55, 56, 57, 61,
    65, 95, 98, 100, 102, 103, 104, 108, 109, 110, 112, 114, 117, 58, 66, 67, 68, 69, 70, 71, 72,
    73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 89, 106, 107, 113, 118, 119, 120,
    121, 122, 38, 42, 44, 59, 88, 90, 33, 34, 40, 41, 63, 39, 43, 124, 35, 62, 0, 36, 64, 91, 93,
    126, 94, 125, 60, 96, 123, 92, 195, 208, 128, 130, 131, 162, 184, 194, 224, 226, 153, 161, 167,
    172, 176, 177, 179, 209, 216, 217, 227, 229, 230, 129, 132, 133, 134, 136, 146, 154, 156, 160,
    163, 164, 169, 170, 173, 178, 181, 185, 186, 187, 189, 190, 196, 198, 228, 232, 233, 1, 135,
    137, 138, 139, 140, 141, 143, 147, 149, 150, 151, 152, 155, 157, 158, 165, 166, 168, 174, 175,
    180, 182, 183, 188, 191, 197, 231, 239, 9, 142, 144, 145, 148, 159, 171, 206, 215, 225, 236,
    237, 199, 207, 234, 235, 192, 193, 200, 201, 202, 205, 210, 213, 218, 219, 238, 240, 242, 243,
    255, 203, 204, 211, 212, 214, 221, 222, 223, 241, 244, 245, 246, 247, 248, 250, 251, 252, 253,
    254, 2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29,
    30, 31, 127, 220, 249, 10, 13, 22,
};
static_assert(ELEMENTSOF(symbols) == END_OF_STRING, "a place for every byte");

static const struct {
    uint32_t first; /* code of this length, in the highest bits */
    uint8_t bits;
    uint8_t symbol; /* its place */
} lengths[] = {
    {0x00000000, 5, 0}, {0x50000000, 6, 10}, {0xb8000000, 7, 36}, {0xf8000000, 8, 68},
    {0xfe000000, 10, 74}, {0xff400000, 11, 79}, {0xffa00000, 12, 82}, {0xffc00000, 13, 84},
    {0xfff00000, 14, 90}, {0xfff80000, 15, 92}, {0xfffe0000, 19, 95}, {0xfffe6000, 20, 98},
    {0xfffee000, 21, 106}, {0xffff4800, 22, 119}, {0xffffb000, 23, 145}, {0xffffea00, 24, 174},
    {0xfffff600, 25, 186}, {0xfffff800, 26, 190}, {0xfffffbc0, 27, 205}, {0xfffffe20, 28, 224},
    {0xfffffff0, 30, 253},
};

/* The place in `lengths` of the code that `code` begins with. */
static size_t find_length(uint32_t code)
{
    size_t i = 0;

    while (i + 1 < ELEMENTSOF(lengths) && lengths[i + 1].first <= code)
        i++;
    return i;
}

bool huffman_decode(struct bytes in, uint8_t *out, size_t size, size_t *ret_len)
{
    uint64_t bits = 0; /* not yet decoded, from the highest on, */
    unsigned n = 0;    /* so many */
    size_t at = 0, len = 0;

    for (;;) {
        while (n <= 56 && at < in.len) {
            bits |= (uint64_t)in.ptr[at++] << (56 - n);
            n += 8;
        }
        /* Behind the end there are ones, as in a padding. */
        uint32_t code = (uint32_t)(bits >> 32) | (n < 32 ? UINT32_MAX >> n : 0);
        size_t i = find_length(code);
        size_t place = lengths[i].symbol + ((code - lengths[i].first) >> (32 - lengths[i].bits));

        if (lengths[i].bits > n) {
            *ret_len = len;
            return n < 8 && code == UINT32_MAX;
        }
        if (place == END_OF_STRING)
            return false;
        if (len < size)
            out[len] = symbols[place];
        len++;
        bits <<= lengths[i].bits;
        n -= lengths[i].bits;
    }
}
