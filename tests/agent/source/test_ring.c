/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's part is played by a file of the same pages: positions, data, and the data's
 * beginning once more. What the real kernel shares is read in every end-to-end test.
 */
#include "source/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#define PAGES 2
#define RECORD_MAX 5000 /* more than a page, less than the data */
#define ROUNDS 20000
#define TAKEN_MAX 64

struct kernel {
    struct ring *ring;
    uint8_t *memory;
    int fd;
    size_t page, size, file;
    unsigned long written; /* the producer's position */
};

struct taken {
    size_t n;
    size_t lengths[TAKEN_MAX];
    uint8_t firsts[TAKEN_MAX];
    bool wrong; /* a record whose bytes are not all alike */
};

static void setup(struct kernel *kernel)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = PAGES * page;

    *kernel = (struct kernel){.page = page, .size = size, .file = 2 * page + 2 * size};
    kernel->fd = memfd_create("ring", MFD_CLOEXEC);
    assert_true(kernel->fd >= 0);
    assert_int_equal(ftruncate(kernel->fd, (off_t)kernel->file), 0);
    kernel->memory = mmap(NULL, kernel->file, PROT_READ | PROT_WRITE, MAP_SHARED, kernel->fd, 0);
    assert_true(kernel->memory != MAP_FAILED);
    assert_int_equal(ring_new(kernel->fd, size, RECORD_MAX, &kernel->ring), 0);
}

static void teardown(struct kernel *kernel)
{
    ring_free(kernel->ring);
    munmap(kernel->memory, kernel->file);
    close(kernel->fd);
}

static unsigned long consumed(const struct kernel *kernel)
{
    return *(const unsigned long *)kernel->memory;
}

static void put_byte(struct kernel *kernel, unsigned long position, uint8_t byte)
{
    uint8_t *data = kernel->memory + 2 * kernel->page;

    data[position % kernel->size] = byte;
    data[position % kernel->size + kernel->size] = byte;
}

static void put_head(struct kernel *kernel, unsigned long position, uint32_t head)
{
    for (size_t i = 0; i < sizeof(head); i++)
        put_byte(kernel, position + i, (uint8_t)(head >> 8 * i));
}

static void publish(struct kernel *kernel, unsigned long position)
{
    kernel->written = position;
    *(unsigned long *)(kernel->memory + kernel->page) = position;
}

static size_t room_of(size_t length)
{
    return (BPF_RINGBUF_HDR_SZ + length + 7) & ~(size_t)7;
}

static bool has_room(const struct kernel *kernel, size_t length)
{
    return kernel->written + room_of(length) - consumed(kernel) <= kernel->size;
}

/* Returns where its head is. */
static unsigned long produce(struct kernel *kernel, size_t length, uint8_t byte, uint32_t flags)
{
    unsigned long at = kernel->written;

    assert_true(has_room(kernel, length));
    for (size_t i = 0; i < length; i++)
        put_byte(kernel, at + BPF_RINGBUF_HDR_SZ + i, byte);
    put_head(kernel, at, (uint32_t)length | flags);
    publish(kernel, at + room_of(length));
    return at;
}

/* Leaves an empty ring whose next record begins at this offset. */
static void move_to(struct kernel *kernel, unsigned long position)
{
    *(unsigned long *)kernel->memory = position;
    publish(kernel, position);
}

static void take(void *arg, struct bytes record)
{
    struct taken *taken = arg;

    assert_true(taken->n < TAKEN_MAX);
    for (size_t i = 0; i < record.len; i++)
        taken->wrong |= record.ptr[i] != record.ptr[0];
    taken->firsts[taken->n] = record.len ? record.ptr[0] : 0;
    taken->lengths[taken->n++] = record.len;
}

static void records_are_taken_in_order_and_once(void **state)
{
    struct taken taken = {0};
    struct kernel kernel;

    setup(&kernel);
    produce(&kernel, 1, 'a', 0);
    produce(&kernel, 8, 'b', 0);
    produce(&kernel, 0, 0, 0);
    assert_int_equal(ring_consume(kernel.ring, take, &taken), 3);
    assert_int_equal(ring_consume(kernel.ring, take, &taken), 0);
    assert_int_equal(taken.n, 3);
    assert_int_equal(taken.firsts[0], 'a');
    assert_int_equal(taken.lengths[1], 8);
    assert_int_equal(taken.lengths[2], 0);
    assert_int_equal(consumed(&kernel), kernel.written);
    teardown(&kernel);
}

static void a_record_that_wraps_is_whole(void **state)
{
    struct kernel kernel;

    setup(&kernel);
    for (size_t before = 8; before <= 64; before += 8) {
        struct taken taken = {0};

        move_to(&kernel, 3 * kernel.size - before);
        produce(&kernel, RECORD_MAX, 'w', 0);
        assert_int_equal(ring_consume(kernel.ring, take, &taken), 1);
        assert_int_equal(taken.lengths[0], RECORD_MAX);
        assert_false(taken.wrong);
    }
    teardown(&kernel);
}

static void positions_may_overflow(void **state)
{
    struct taken taken = {0};
    struct kernel kernel;

    setup(&kernel);
    move_to(&kernel, -16ul);
    produce(&kernel, 100, 'o', 0);
    assert_int_equal(ring_consume(kernel.ring, take, &taken), 1);
    assert_int_equal(taken.lengths[0], 100);
    teardown(&kernel);
}

static void a_record_that_is_being_written_holds_back_those_behind_it(void **state)
{
    struct taken taken = {0};
    struct kernel kernel;
    unsigned long busy;

    setup(&kernel);
    produce(&kernel, 5, 'a', 0);
    busy = produce(&kernel, 6, 'b', BPF_RINGBUF_BUSY_BIT);
    produce(&kernel, 7, 'c', 0);
    assert_int_equal(ring_consume(kernel.ring, take, &taken), 1);
    assert_int_equal(consumed(&kernel), busy);
    put_head(&kernel, busy, 6);
    assert_int_equal(ring_consume(kernel.ring, take, &taken), 2);
    assert_int_equal(taken.firsts[2], 'c');
    teardown(&kernel);
}

static void what_was_discarded_is_passed_over(void **state)
{
    struct taken taken = {0};
    struct kernel kernel;

    setup(&kernel);
    produce(&kernel, 5, 'a', BPF_RINGBUF_DISCARD_BIT);
    produce(&kernel, 6, 'b', 0);
    produce(&kernel, 7, 'c', BPF_RINGBUF_DISCARD_BIT);
    assert_int_equal(ring_consume(kernel.ring, take, &taken), 1);
    assert_int_equal(taken.firsts[0], 'b');
    assert_int_equal(consumed(&kernel), kernel.written);
    teardown(&kernel);
}

struct meanwhile {
    struct kernel *kernel;
    unsigned more;
    size_t seen;
};

static void take_and_produce(void *arg, struct bytes record)
{
    struct meanwhile *meanwhile = arg;

    meanwhile->seen++;
    if (meanwhile->more-- > 0)
        produce(meanwhile->kernel, 9, 'm', 0);
}

static void what_comes_meanwhile_is_taken_too(void **state)
{
    struct kernel kernel;
    struct meanwhile meanwhile = {&kernel, 3, 0};

    setup(&kernel);
    produce(&kernel, 9, 'm', 0);
    assert_int_equal(ring_consume(kernel.ring, take_and_produce, &meanwhile), 4);
    assert_int_equal(meanwhile.seen, 4);
    teardown(&kernel);
}

static void lengths_that_cannot_be_are_refused(void **state)
{
    static const struct {
        size_t length, published;
    } wrong[] = {
        {RECORD_MAX + 1, RECORD_MAX + 16}, /* longer than records are */
        {100, 96},                         /* beyond the producer's position */
        {0x3fffffff, 4096},
        {8, 1 << 20}, /* more than the ring holds */
    };
    struct taken taken = {0};
    struct kernel kernel;

    setup(&kernel);
    for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
        unsigned long at = i * 64;

        move_to(&kernel, at);
        put_head(&kernel, at, (uint32_t)wrong[i].length);
        publish(&kernel, at + wrong[i].published);
        assert_int_equal(ring_consume(kernel.ring, take, &taken), -EBADMSG);
        assert_int_equal(consumed(&kernel), at);
    }
    assert_int_equal(taken.n, 0);
    teardown(&kernel);
}

static void sizes_that_cannot_be_are_refused(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct ring *ring = NULL;

    assert_int_equal(ring_new(-1, 0, 8, &ring), -EINVAL);
    assert_int_equal(ring_new(-1, 3 * page, 8, &ring), -EINVAL);
    assert_int_equal(ring_new(-1, page / 2, 8, &ring), -EINVAL);
    assert_int_equal(ring_new(-1, page, page, &ring), -EINVAL);
    assert_int_equal(ring_new(-1, page, 8, &ring), -EBADF);
    assert_null(ring);
}

/* Whatever the order of writing, discarding and reading: what was written is what is taken. */
static void all_that_is_written_is_taken_as_it_was(void **state)
{
    struct kernel kernel;
    uint64_t seed = 0x9e3779b97f4a7c15;

    setup(&kernel);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct taken expected = {0}, taken = {0};

        while (expected.n < TAKEN_MAX) {
            size_t length;

            seed = seed * 6364136223846793005 + 1442695040888963407;
            length = (seed >> 33) % (seed >> 62 ? 200 : RECORD_MAX + 1);
            if ((seed >> 40) % 5 == 0 || !has_room(&kernel, length))
                break;
            if ((seed >> 45) % 7 == 0) {
                produce(&kernel, length, 'd', BPF_RINGBUF_DISCARD_BIT);
                continue;
            }
            produce(&kernel, length, (uint8_t)(seed >> 50), 0);
            expected.firsts[expected.n] = length ? (uint8_t)(seed >> 50) : 0;
            expected.lengths[expected.n++] = length;
        }
        assert_int_equal(ring_consume(kernel.ring, take, &taken), expected.n);
        assert_memory_equal(&taken, &expected, sizeof(taken));
    }
    teardown(&kernel);
}

static void add_room(void *arg, struct bytes record)
{
    volatile uint8_t last = record.len ? record.ptr[record.len - 1] : 0; /* it can be read */

    (void)last;
    *(size_t *)arg += room_of(record.len);
}

/* No head makes the reader leave its pages, or take what is not between the positions. */
static void any_memory_is_read_within_its_bounds(void **state)
{
    struct kernel kernel;
    uint64_t seed = 42;

    setup(&kernel);
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned long at = (seed >> 20) & ~7ul;
        size_t room = 0;

        move_to(&kernel, at);
        for (unsigned i = 0; i < 16; i++) {
            put_head(&kernel, at + i * 24, (uint32_t)(seed >> 32) >> (i * 2 + seed % 8) % 32);
            seed = seed * 6364136223846793005 + 1442695040888963407;
        }
        publish(&kernel, at + (seed >> 40) % (2 * kernel.size));
        ring_consume(kernel.ring, add_room, &room);
        assert_true(room <= consumed(&kernel) - at);
        assert_true(consumed(&kernel) - at <= kernel.written - at);
    }
    teardown(&kernel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_taken_in_order_and_once),
        cmocka_unit_test(a_record_that_wraps_is_whole),
        cmocka_unit_test(positions_may_overflow),
        cmocka_unit_test(a_record_that_is_being_written_holds_back_those_behind_it),
        cmocka_unit_test(what_was_discarded_is_passed_over),
        cmocka_unit_test(what_comes_meanwhile_is_taken_too),
        cmocka_unit_test(lengths_that_cannot_be_are_refused),
        cmocka_unit_test(sizes_that_cannot_be_are_refused),
        cmocka_unit_test(all_that_is_written_is_taken_as_it_was),
        cmocka_unit_test(any_memory_is_read_within_its_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
