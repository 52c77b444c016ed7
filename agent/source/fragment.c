/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A datagram under assembly is a buffer of the largest size and a bitmap of its eight-byte units,
 * in which all fragments but the last are counted.
 */
#include "source/fragment.h"

#include "base/macro.h"

#include <errno.h>
#include <stdlib.h>

#define DATAGRAMS 32
#define DATAGRAM_MAX 65535
#define UNIT 8
#define UNITS (DATAGRAM_MAX / UNIT + 1)

struct datagram {
    uint64_t age; /* 0: free */
    uint8_t source[16];
    uint8_t destination[16];
    uint32_t id;
    uint8_t transport;
    size_t length;  /* 0: the last fragment is still missing */
    size_t n_units; /* that are there */
    uint8_t seen[UNITS / 8 + 1];
    uint8_t data[DATAGRAM_MAX];
};

struct fragments {
    uint64_t now; /* datagrams begun */
    uint64_t lost;
    struct datagram datagrams[DATAGRAMS];
};

int fragments_new(struct fragments **ret_fragments)
{
    struct fragments *fragments = calloc(1, sizeof(*fragments));

    if (!fragments)
        return -ENOMEM;
    *ret_fragments = fragments;
    return 0;
}

void fragments_free(struct fragments *fragments)
{
    free(fragments);
}

uint64_t fragments_lost(const struct fragments *fragments)
{
    return fragments->lost;
}

static bool is_of(const struct datagram *datagram, const struct fragment *fragment)
{
    return datagram->age && datagram->id == fragment->id &&
           datagram->transport == fragment->transport &&
           memcmp(datagram->source, fragment->source, 16) == 0 &&
           memcmp(datagram->destination, fragment->destination, 16) == 0;
}

static struct datagram *begin(struct fragments *fragments, const struct fragment *fragment)
{
    struct datagram *oldest = &fragments->datagrams[0];

    for (size_t i = 0; i < DATAGRAMS; i++)
        if (fragments->datagrams[i].age < oldest->age)
            oldest = &fragments->datagrams[i];
    if (oldest->age)
        fragments->lost++;
    memset(oldest, 0, offsetof(struct datagram, data));
    oldest->age = ++fragments->now;
    oldest->id = fragment->id;
    oldest->transport = fragment->transport;
    memcpy(oldest->source, fragment->source, 16);
    memcpy(oldest->destination, fragment->destination, 16);
    return oldest;
}

static struct datagram *find(struct fragments *fragments, const struct fragment *fragment)
{
    for (size_t i = 0; i < DATAGRAMS; i++)
        if (is_of(&fragments->datagrams[i], fragment))
            return &fragments->datagrams[i];
    return begin(fragments, fragment);
}

/* Marks the fragment's units; false where one of them was there already. */
static bool mark(struct datagram *datagram, const struct fragment *fragment)
{
    size_t first = fragment->offset / UNIT;
    size_t end = (fragment->offset + fragment->data.len + UNIT - 1) / UNIT;

    for (size_t unit = first; unit < end; unit++) {
        if (datagram->seen[unit / 8] & 1 << unit % 8)
            return false;
        datagram->seen[unit / 8] |= (uint8_t)(1 << unit % 8);
        datagram->n_units++;
    }
    return true;
}

static bool is_sound(const struct datagram *datagram, const struct fragment *fragment)
{
    size_t end = fragment->offset + fragment->data.len;

    if (fragment->offset % UNIT || end > DATAGRAM_MAX || fragment->data.len == 0)
        return false;
    if (fragment->last)
        return datagram->length == 0;
    return fragment->data.len % UNIT == 0 && (datagram->length == 0 || end < datagram->length);
}

bool fragments_add(struct fragments *fragments, const struct fragment *fragment,
                   struct bytes *ret_datagram)
{
    struct datagram *datagram = find(fragments, fragment);

    if (!is_sound(datagram, fragment) || !mark(datagram, fragment)) {
        datagram->age = 0;
        fragments->lost++;
        return false;
    }
    /* A fragment inside a tunnel may itself lie in a datagram that was put together here. */
    memmove(datagram->data + fragment->offset, fragment->data.ptr, fragment->data.len);
    if (fragment->last)
        datagram->length = fragment->offset + fragment->data.len;
    if (datagram->length == 0 || datagram->n_units * UNIT < datagram->length)
        return false;
    datagram->age = 0;
    *ret_datagram = bytes_make(datagram->data, datagram->length);
    return true;
}
