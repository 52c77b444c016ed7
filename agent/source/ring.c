/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel shares (Documentation/bpf/ringbuf.rst, kernel/bpf/ringbuf.c), in pages:
 *
 *   | consumer's position | producer's position | data ...... | the same data again ...... |
 *   |<- mapped to write ->|<------------- mapped to read ------------->|  (longest record)
 *
 * Positions only grow; position modulo size is where in the data. A record is
 *
 *   | u32 length, bit 31 busy, bit 30 discarded | u32 the kernel's own | bytes ... up to 8 bytes |
 *
 * and runs on, at the end of the data, into the second appearance of its beginning. Of that no more
 * is mapped than the longest record needs: all mapped pages count as resident, and libbpf, which
 * maps both appearances whole, shows a ring at twice its size.
 *
 * The kernel sets `busy` before it moves the producer's position, and clears it with a full barrier
 * when the bytes are written; it reads the consumer's position with acquire. So: acquire, acquire,
 * release.
 */
#include "source/ring.h"

#include <errno.h>
#include <limits.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <sys/mman.h>

#define ALIGNMENT 8u

struct ring {
    unsigned long *consumer;
    const unsigned long *producer; /* its page, then the data */
    const uint8_t *data;
    size_t page, size, readable;
    size_t record_max;
};

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

static bool is_power_of_two(size_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

static int map_pages(int fd, off_t at, size_t size, int rights, void *ret_pages)
{
    void *pages = mmap(NULL, size, rights, MAP_SHARED, fd, at);

    if (pages == MAP_FAILED)
        return -errno;
    *(void **)ret_pages = pages;
    return 0;
}

int ring_new(int fd, size_t size, size_t record_max, struct ring **ret_ring)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    _cleanup_(ring_freep) struct ring *ring = NULL;
    int r;

    if (!is_power_of_two(size) || size < page || record_max > size - BPF_RINGBUF_HDR_SZ)
        return -EINVAL;
    ring = calloc(1, sizeof(*ring));
    if (!ring)
        return -ENOMEM;
    ring->page = page;
    ring->size = size;
    ring->record_max = record_max;
    ring->readable = page + size + round_up(BPF_RINGBUF_HDR_SZ + record_max, page);
    r = map_pages(fd, 0, page, PROT_READ | PROT_WRITE, &ring->consumer);
    if (r == 0)
        r = map_pages(fd, (off_t)page, ring->readable, PROT_READ, &ring->producer);
    if (r < 0)
        return r;
    ring->data = (const uint8_t *)ring->producer + page;
    *ret_ring = TAKE_PTR(ring);
    return 0;
}

void ring_free(struct ring *ring)
{
    if (!ring)
        return;
    if (ring->consumer)
        munmap(ring->consumer, ring->page);
    if (ring->producer)
        munmap((void *)ring->producer, ring->readable);
    free(ring);
}

int ring_consume(struct ring *ring, ring_record_fn take, void *arg)
{
    unsigned long position = *ring->consumer, end = position; /* nobody else writes it */
    int n = 0;

    while (n < INT_MAX) {
        const uint8_t *record = ring->data + (position & (ring->size - 1));
        size_t length, room;
        uint32_t head;

        if (position == end)
            end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
        if (position == end)
            break;
        head = __atomic_load_n((const uint32_t *)record, __ATOMIC_ACQUIRE);
        if (head & BPF_RINGBUF_BUSY_BIT)
            break;
        length = head & ~BPF_RINGBUF_DISCARD_BIT;
        room = round_up(BPF_RINGBUF_HDR_SZ + length, ALIGNMENT);
        if (length > ring->record_max || room > end - position || end - position > ring->size)
            return -EBADMSG;
        if (!(head & BPF_RINGBUF_DISCARD_BIT)) {
            take(arg, bytes_make(record + BPF_RINGBUF_HDR_SZ, length));
            n++;
        }
        position += room;
        __atomic_store_n(ring->consumer, position, __ATOMIC_RELEASE);
    }
    return n;
}
