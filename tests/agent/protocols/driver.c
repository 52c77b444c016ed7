/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is checked around every call of a protocol's functions:
 *
 *   - nothing behind the input is read: a guard page, or the sanitizer's red zone, lies there
 *   - nothing is allocated
 *   - used <= len; MORE uses nothing and needs more than there is; MESSAGE and NONE make progress;
 *     cut bytes are never answered by MORE
 *   - the message is written with MESSAGE only; its strings lie in the input, the state or the scratch
 *   - resync and probe stay inside their ranges
 */
#include "driver.h"

#include "base/macro.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define POISON 0xa5

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s: a parser broke its promise: %s\n", driver->protocol->name,        \
                    #condition);                                                                   \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

unsigned long driver_allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *ptr, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *ptr, size_t size);

void *__wrap_malloc(size_t size)
{
    driver_allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    driver_allocations++;
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *ptr, size_t size)
{
    driver_allocations++;
    return __real_realloc(ptr, size);
}

/* The end of DRIVER_WINDOW readable bytes: the page behind it is not. */
static uint8_t *guard_end(void)
{
    static uint8_t *end;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *memory;

    if (end)
        return end;
    memory = mmap(NULL, DRIVER_WINDOW + page, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + DRIVER_WINDOW, page, PROT_NONE) < 0)
        abort();
    end = memory + DRIVER_WINDOW;
    return end;
}

/* A copy of `bytes` with nothing readable behind it; given back with release(). */
static struct bytes place(const struct driver *driver, struct bytes bytes)
{
    uint8_t *copy = driver->on_heap ? malloc(MAX(bytes.len, (size_t)1)) : guard_end() - bytes.len;

    if (driver->on_heap && bytes.len == 0) {
        /* malloc(0) may be NULL: stand at the end of a block of one byte. */
        return (struct bytes){copy + 1, 0};
    }
    if (bytes.len)
        memcpy(copy, bytes.ptr, bytes.len);
    return (struct bytes){copy, bytes.len};
}

static void release(const struct driver *driver, struct bytes placed)
{
    if (driver->on_heap)
        free((void *)(placed.len ? placed.ptr : placed.ptr - 1));
}

struct driver *driver_new(const struct protocol *protocol, bool on_heap)
{
    struct driver *driver = calloc(1, sizeof(*driver));

    if (!driver)
        abort();
    driver->protocol = protocol;
    driver->on_heap = on_heap;
    driver->with_offsets = true;
    driver->state = calloc(1, MAX(protocol->traits.state_size, (size_t)1));
    if (!driver->state || arena_init(&driver->scratch, SCRATCH_SIZE) < 0)
        abort();
    return driver;
}

void driver_free(struct driver *driver)
{
    if (driver) {
        free(driver->state);
        arena_done(&driver->scratch);
    }
    free(driver);
}

void driver_reset(struct driver *driver)
{
    memset(driver->state, 0, driver->protocol->traits.state_size);
    for (size_t i = 0; i < 2; i++)
        memset(&driver->streams[i], 0, offsetof(struct driver_stream, window));
    driver->request.n_fields = 0;
    driver->n_messages = 0;
    driver->transcript_len = 0;
    driver->transcript[0] = '\0';
}

static bool lies_in(struct bytes part, struct bytes whole)
{
    return part.len == 0 ||
           (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void check_message(const struct driver *driver, const struct message *message,
                          struct bytes input)
{
    struct bytes state = bytes_make(driver->state, driver->protocol->traits.state_size);
    struct bytes scratch = bytes_make(driver->scratch.base, driver->scratch.used);

    CHECK(message->kind <= MESSAGE_PART);
    CHECK(message->n_fields <= MESSAGE_FIELDS_MAX);
    CHECK(lies_in(message->head, input));
    for (unsigned i = 0; i < message->n_fields; i++)
        CHECK(message->fields[i].value.ptr && (lies_in(message->fields[i].value, input) ||
                                               lies_in(message->fields[i].value, state) ||
                                               lies_in(message->fields[i].value, scratch)));
}

/* Like bytes in a log: what is not printable becomes a dot, so that lines stay lines. */
static void write_down(struct driver *driver, enum sender sender, const struct message *message,
                       const struct parse_result *result)
{
    uint64_t offset = driver->streams[sender].offset;
    char *out = driver->transcript;
    size_t len = driver->transcript_len;

#define WRITE(...)                                                                                 \
    (len += (size_t)snprintf(out + MIN(len, (size_t)DRIVER_TRANSCRIPT),                            \
                             DRIVER_TRANSCRIPT - MIN(len, (size_t)DRIVER_TRANSCRIPT), __VA_ARGS__))
    WRITE("%c kind=%d flags=%#x code=%" PRId64 " stream=%" PRIu64, sender ? 'S' : 'C',
          message->kind, message->flags, message->code, message->stream);
    if (driver->with_offsets)
        WRITE(" at=%" PRIu64 "+%zu skip=%" PRIu64, offset, result->used, result->skip);
    for (unsigned i = 0; i < message->n_fields; i++) {
        WRITE(" %u=", message->fields[i].id);
        for (size_t j = 0; j < message->fields[i].value.len; j++) {
            uint8_t c = message->fields[i].value.ptr[j];

            WRITE("%c", c > ' ' && c < 0x7f ? c : '.');
        }
    }
    WRITE("\n");
#undef WRITE
    driver->transcript_len = MIN(len, (size_t)DRIVER_TRANSCRIPT - 1);
    driver->n_messages++;
}

/* The last request, with strings that stay: what track keeps of it. */
static void keep_request(struct driver *driver, const struct message *message)
{
    struct arena arena = arena_over(driver->strings, sizeof(driver->strings));

    driver->request = *message;
    driver->request.head = arena_copy(&arena, message->head);
    for (unsigned i = 0; i < message->n_fields; i++)
        driver->request.fields[i].value = arena_copy(&arena, message->fields[i].value);
}

/* With arenas of several sizes: running out of room must be harmless. */
static void describe(struct driver *driver, const struct message *response)
{
    static const size_t sizes[] = {0, 1, 16, 100, 4096};
    static uint8_t memory[4096];
    static struct span span;

    for (size_t i = 0; i < 2 * ELEMENTSOF(sizes); i++) {
        struct arena arena = arena_over(memory, sizes[i / 2]);
        unsigned long allocations = driver_allocations;

        span_reset(&span, &arena);
        span.kind = i % 2 ? SPAN_KIND_CLIENT : SPAN_KIND_SERVER;
        driver->protocol->describe(&driver->request, response, &span);
        CHECK(driver_allocations == allocations);
        CHECK(arena.used <= arena.size);
        CHECK(sizes[i / 2] < 4096 || driver->request.head.len > 1000 || span.name.len > 0);
    }
}

static void take_message(struct driver *driver, enum sender sender,
                         const struct message *message, const struct parse_result *result)
{
    write_down(driver, sender, message, result);
    if (message->kind == MESSAGE_REQUEST) {
        keep_request(driver, message);
        describe(driver, NULL);
    } else if (message->kind == MESSAGE_RESPONSE && driver->request.n_fields) {
        describe(driver, message);
    }
    driver->streams[0].opaque |= message->flags & MESSAGE_LAST;
    driver->streams[1].opaque |= message->flags & MESSAGE_LAST;
}

/* The window without its first n bytes, and without as many behind them as `skip` says. */
static void advance(struct driver_stream *stream, size_t n, uint64_t skip)
{
    size_t skipped;

    stream->skip += skip;
    skipped = (size_t)MIN((uint64_t)(stream->len - n), stream->skip);
    if (stream->skip != SKIP_UNTIL_CLOSE)
        stream->skip -= skipped;
    n += skipped;
    stream->len -= n;
    stream->offset += n;
    memmove(stream->window, stream->window + n, stream->len);
}

/* What the parser can do without. */
static void take_out(struct driver_stream *stream, size_t at, size_t len)
{
    stream->len -= len;
    stream->offset += len;
    memmove(stream->window + at, stream->window + at + len, stream->len - at);
}

/* What is pending, placed; the scratch is filled with something else at every call. */
static struct parse_input make_input(struct driver *driver, enum sender sender, bool cut)
{
    struct driver_stream *stream = &driver->streams[sender];
    struct bytes data = place(driver, bytes_make(stream->window, stream->len));

    arena_reset(&driver->scratch);
    memset(driver->scratch.base, POISON, driver->scratch.size);
    return (struct parse_input){.sender = sender,
                                .cut = cut || driver->delivery == DELIVERY_DATAGRAM,
                                .data = data,
                                .scratch = &driver->scratch,
                                .delivery = driver->delivery,
                                .source = driver->source,
                                .destination = driver->destination};
}

static enum parse_status parse(struct driver *driver, enum sender sender, bool cut)
{
    struct driver_stream *stream = &driver->streams[sender];
    struct parse_input input = make_input(driver, sender, cut);
    unsigned long allocations = driver_allocations;
    struct message message, poison;
    struct parse_result result;

    memset(&message, POISON, sizeof(message));
    memset(&poison, POISON, sizeof(poison));
    result = driver->protocol->parse(driver->state, &input, &message);
    CHECK(driver_allocations == allocations);
    CHECK(result.used <= input.data.len);
    switch (result.status) {
    case PARSE_MESSAGE:
        CHECK(result.used > 0 || result.skip > 0);
        check_message(driver, &message, input.data);
        take_message(driver, sender, &message, &result);
        break;
    case PARSE_NONE:
        CHECK(result.used > 0 || result.skip > 0);
        break;
    case PARSE_MORE:
        CHECK(!input.cut && result.used == 0 && result.skip == 0 && result.need > input.data.len);
        CHECK(result.spare.at <= input.data.len &&
              result.spare.len <= input.data.len - result.spare.at);
        take_out(stream, result.spare.at, result.spare.len);
        break;
    case PARSE_BAD:
        break;
    }
    CHECK(result.status == PARSE_MESSAGE || memcmp(&message, &poison, sizeof(message)) == 0);
    release(driver, input.data);
    if (result.status == PARSE_BAD) {
        advance(stream, MIN(stream->len, (size_t)1), 0);
        stream->lost = true;
    } else {
        advance(stream, result.used, result.skip);
    }
    return result.status;
}

static void resync(struct driver *driver, enum sender sender)
{
    struct driver_stream *stream = &driver->streams[sender];
    struct parse_input input = make_input(driver, sender, false);
    unsigned long allocations = driver_allocations;
    size_t offset = driver->protocol->resync(driver->state, &input);

    CHECK(driver_allocations == allocations);
    CHECK(offset <= input.data.len);
    stream->lost = offset == input.data.len;
    release(driver, input.data);
    advance(stream, offset, 0);
}

/* Until the parser wants more, or nothing is left. */
static void run(struct driver *driver, enum sender sender, bool cut)
{
    struct driver_stream *stream = &driver->streams[sender];

    while (stream->len > 0 && !stream->opaque) {
        if (stream->lost)
            resync(driver, sender);
        else if (parse(driver, sender, cut) == PARSE_MORE)
            break;
    }
    if (stream->opaque)
        advance(stream, stream->len, 0);
}

void driver_feed(struct driver *driver, enum sender sender, struct bytes bytes)
{
    struct driver_stream *stream = &driver->streams[sender];

    CHECK(bytes.len <= DRIVER_WINDOW - stream->len);
    if (bytes.len)
        memcpy(stream->window + stream->len, bytes.ptr, bytes.len);
    stream->len += bytes.len;
    advance(stream, 0, 0);
    run(driver, sender, false);
    if (driver->delivery == DELIVERY_DATAGRAM) {
        /* The next one is another. */
        advance(stream, stream->len, 0);
        stream->skip = 0;
        stream->lost = false;
    }
}

void driver_gap(struct driver *driver, enum sender sender)
{
    struct driver_stream *stream = &driver->streams[sender];

    run(driver, sender, true);
    if (stream->skip == 0 && !stream->lost && !stream->opaque)
        parse(driver, sender, true);
    advance(stream, stream->len, 0);
    stream->skip = 0;
    stream->lost = true;
}

enum probe_result driver_probe(struct driver *driver, struct bytes bytes)
{
    struct bytes placed = place(driver, bytes);
    unsigned long allocations = driver_allocations;
    enum probe_result result = driver->protocol->probe(placed, driver->delivery);

    CHECK(driver_allocations == allocations);
    CHECK(result >= PROBE_NO && result <= PROBE_FIRST);
    release(driver, placed);
    return result;
}
