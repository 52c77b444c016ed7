/* SPDX-License-Identifier: Apache-2.0 */
/* The properties of harness.h, each a comparison of the transcripts of two runs. */
#include "harness.h"

#include "base/hash.h"
#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define RANDOM_RUNS 100

DEFINE_CLEANUP(struct driver, driver_free)

/* One number after the other, the same in every run. */
static uint64_t next_random(uint64_t *seed)
{
    return hash_mix((*seed)++);
}

/* As new, for this conversation. */
static void begin(struct driver *driver, const struct conversation *conversation)
{
    driver_reset(driver);
    driver->delivery = conversation->datagrams ? DELIVERY_DATAGRAM : DELIVERY_STREAM;
}

static void feed_all(struct driver *driver, const struct conversation *conversation)
{
    for (unsigned i = 0; i < conversation->n_chunks; i++)
        driver_feed(driver, conversation->chunks[i].sender, conversation->chunks[i].bytes);
}

/* The transcript of the conversation as it stands; the caller frees it. */
static char *transcribe(struct driver *driver, const struct conversation *conversation)
{
    char *transcript;

    begin(driver, conversation);
    feed_all(driver, conversation);
    transcript = strdup(driver->transcript);
    assert_non_null(transcript);
    return transcript;
}

static bool ends_with(const char *text, const char *end)
{
    size_t text_len = strlen(text), end_len = strlen(end);

    return text_len >= end_len && strcmp(text + text_len - end_len, end) == 0;
}

static void expect(const struct driver *driver, const struct conversation *conversation,
                   bool holds, const char *expected)
{
    if (!holds)
        fail_msg("%s: \"%s\"\n--- expected\n%s--- found\n%s", driver->protocol->name,
                 conversation->name, expected, driver->transcript);
}

#define FOR_EACH(fixture, conversation)                                                            \
    for (const struct conversation *conversation = (fixture)->conversations;                       \
         conversation < (fixture)->conversations + (fixture)->n_conversations; conversation++)

#define FOR_EACH_STREAM(fixture, conversation)                                                     \
    FOR_EACH(fixture, conversation)                                                                \
        if (!conversation->datagrams)

void harness_finds_the_messages(const struct fixture *fixture)
{
    _cleanup_(driver_freep) struct driver *driver = driver_new(fixture->protocol, false);

    FOR_EACH(fixture, conversation) {
        begin(driver, conversation);
        feed_all(driver, conversation);
        expect(driver, conversation, driver->n_messages == conversation->n_messages,
               "another number of messages\n");
        for (unsigned i = 0; i < 2; i++)
            assert_int_equal(driver->streams[i].len, 0);
    }
}

/* What probe has to say at last of a sender's first chunk. */
static enum probe_result right_answer(const struct fixture *fixture, enum sender sender)
{
    if (sender == SENDER_CLIENT)
        return PROBE_CLIENT;
    return fixture->answers_prove_nothing ? PROBE_NO : PROBE_SERVER;
}

/* Never the wrong side, at any length; yes or no at the latest when the chunk is complete. */
void harness_probe_knows_the_sender(const struct fixture *fixture)
{
    _cleanup_(driver_freep) struct driver *driver = driver_new(fixture->protocol, false);

    FOR_EACH(fixture, conversation) {
        bool seen[2] = {false, false};

        begin(driver, conversation);
        for (unsigned i = 0; i < conversation->n_chunks; i++) {
            const struct chunk *chunk = &conversation->chunks[i];
            enum probe_result right = right_answer(fixture, chunk->sender);
            enum probe_result answer = PROBE_MORE;

            if (seen[chunk->sender])
                continue;
            seen[chunk->sender] = true;
            for (size_t len = conversation->datagrams ? chunk->bytes.len : 0;
                 len <= chunk->bytes.len; len++) {
                enum probe_result before = answer;

                answer = driver_probe(driver, bytes_slice(chunk->bytes, 0, len));
                if (answer == PROBE_FIRST)
                    answer = i == 0 ? PROBE_CLIENT : PROBE_NO;
                assert_true(answer == right || (answer == PROBE_MORE && before == PROBE_MORE));
            }
            assert_int_equal(answer, right);
        }
    }
}

void harness_is_deterministic(const struct fixture *fixture)
{
    _cleanup_(driver_freep) struct driver *driver = driver_new(fixture->protocol, false);
    _cleanup_(driver_freep) struct driver *other = driver_new(fixture->protocol, true);

    FOR_EACH(fixture, conversation) {
        _cleanup_(freep) char *expected = transcribe(driver, conversation);

        begin(other, conversation);
        feed_all(other, conversation);
        expect(other, conversation, strcmp(other->transcript, expected) == 0, expected);
        assert_memory_equal(driver->state, other->state, fixture->protocol->traits.state_size);
    }
}

/* Feeds the conversation with its chunks cut where `cut_here` says so. */
static void feed_cut(struct driver *driver, const struct conversation *conversation,
                     bool (*cut_here)(uint64_t *argument, size_t position), uint64_t argument)
{
    size_t position = 0;

    for (unsigned i = 0; i < conversation->n_chunks; i++) {
        struct bytes bytes = conversation->chunks[i].bytes;
        size_t begin = 0;

        for (size_t end = 1; end <= bytes.len; end++, position++) {
            if (end < bytes.len && !cut_here(&argument, position))
                continue;
            driver_feed(driver, conversation->chunks[i].sender,
                        bytes_slice(bytes, begin, end - begin));
            begin = end;
        }
    }
}

static bool cut_everywhere(uint64_t *argument, size_t position)
{
    return true;
}

static bool cut_at(uint64_t *argument, size_t position)
{
    return position == *argument;
}

static bool cut_at_random(uint64_t *argument, size_t position)
{
    return next_random(argument) % 16 == 0;
}

static size_t conversation_len(const struct conversation *conversation)
{
    size_t len = 0;

    for (unsigned i = 0; i < conversation->n_chunks; i++)
        len += conversation->chunks[i].bytes.len;
    return len;
}

static void expect_same_cut(struct driver *driver, const struct conversation *conversation,
                            bool (*cut_here)(uint64_t *argument, size_t position),
                            uint64_t argument, const char *expected)
{
    begin(driver, conversation);
    feed_cut(driver, conversation, cut_here, argument);
    expect(driver, conversation, strcmp(driver->transcript, expected) == 0, expected);
}

void harness_is_split_invariant(const struct fixture *fixture)
{
    _cleanup_(driver_freep) struct driver *driver = driver_new(fixture->protocol, false);

    FOR_EACH_STREAM(fixture, conversation) {
        _cleanup_(freep) char *expected = transcribe(driver, conversation);

        expect_same_cut(driver, conversation, cut_everywhere, 0, expected);
        for (uint64_t i = 0; i < conversation_len(conversation); i++)
            expect_same_cut(driver, conversation, cut_at, i, expected);
        for (uint64_t i = 0; i < RANDOM_RUNS; i++)
            expect_same_cut(driver, conversation, cut_at_random, i << 32, expected);
    }
}

/* Feeds what stands before byte `end` of chunk `last`. */
static void feed_until(struct driver *driver, const struct conversation *conversation,
                       unsigned last, size_t end)
{
    begin(driver, conversation);
    for (unsigned i = 0; i < last; i++)
        driver_feed(driver, conversation->chunks[i].sender, conversation->chunks[i].bytes);
    driver_feed(driver, conversation->chunks[last].sender,
                bytes_slice(conversation->chunks[last].bytes, 0, end));
}

/*
 * The messages of a beginning are the first of the whole. When the rest is then lost in both
 * directions, the conversation is found again in whole, unless the connection has moved on.
 */
void harness_survives_every_truncation(const struct fixture *fixture)
{
    _cleanup_(driver_freep) struct driver *driver = driver_new(fixture->protocol, false);

    driver->with_offsets = false;
    FOR_EACH_STREAM(fixture, conversation) {
        _cleanup_(freep) char *expected = transcribe(driver, conversation);

        for (unsigned i = 0; i < conversation->n_chunks; i++)
            for (size_t end = 0; end <= conversation->chunks[i].bytes.len; end++) {
                feed_until(driver, conversation, i, end);
                expect(driver, conversation,
                       strncmp(driver->transcript, expected, driver->transcript_len) == 0,
                       expected);
                driver_gap(driver, SENDER_CLIENT);
                driver_gap(driver, SENDER_SERVER);
                feed_all(driver, conversation);
                expect(driver, conversation,
                       driver->streams[0].opaque || conversation->fragile ||
                           ends_with(driver->transcript, expected),
                       expected);
            }
    }
}

static const struct bytes garbage[] = {
    {(const uint8_t *)"\0", 1},
    {(const uint8_t *)"\r\n\r\n", 4},
    {(const uint8_t *)"half of a body\"}]}", 18},
    {(const uint8_t *)"a line\nand one more\n", 20},
    {(const uint8_t *)"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\xff\xff\xff\xff\0\0\0\0", 19},
    {(const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff\0", 9},
};

/* Behind a gap, whole and byte by byte. */
void harness_finds_messages_behind_garbage(const struct fixture *fixture)
{
    _cleanup_(driver_freep) struct driver *driver = driver_new(fixture->protocol, false);

    driver->with_offsets = false;
    FOR_EACH_STREAM(fixture, conversation) {
        _cleanup_(freep) char *expected = transcribe(driver, conversation);

        for (size_t i = 0; i < 4 * ELEMENTSOF(garbage); i++) {
            begin(driver, conversation);
            for (unsigned sender = 0; sender < 2; sender++) {
                if (i % 2)
                    driver_gap(driver, sender);
                driver_feed(driver, sender, garbage[i / 4]);
            }
            if (i % 4 < 2)
                feed_all(driver, conversation);
            else
                feed_cut(driver, conversation, cut_everywhere, 0);
            expect(driver, conversation,
                   conversation->fragile || ends_with(driver->transcript, expected), expected);
        }
    }
}

/* Whatever the end of one that is missing, the conversation behind it is told as ever. */
void harness_datagrams_stand_alone(const struct fixture *fixture)
{
    _cleanup_(driver_freep) struct driver *driver = driver_new(fixture->protocol, false);

    driver->with_offsets = false;
    FOR_EACH(fixture, conversation) {
        _cleanup_(freep) char *expected = transcribe(driver, conversation);

        for (unsigned i = 0; conversation->datagrams && i < conversation->n_chunks; i++)
            for (size_t end = 0; end <= conversation->chunks[i].bytes.len; end++) {
                driver_reset(driver);
                driver_feed(driver, conversation->chunks[i].sender,
                            bytes_slice(conversation->chunks[i].bytes, 0, end));
                feed_all(driver, conversation);
                expect(driver, conversation, ends_with(driver->transcript, expected), expected);
            }
    }
}

/* Behind whatever damage and a gap: within one message of valid data, and nothing is invented. */
static void expect_resumption(struct driver *driver, const struct conversation *conversation)
{
    size_t n_before, n_found;

    if (driver->streams[0].opaque || conversation->datagrams || conversation->fragile)
        return;
    driver_gap(driver, SENDER_CLIENT);
    driver_gap(driver, SENDER_SERVER);
    n_before = driver->n_messages;
    feed_all(driver, conversation);
    n_found = driver->n_messages - n_before;
    expect(driver, conversation,
           driver->streams[0].opaque || n_found == conversation->n_messages ||
               n_found + 1 == conversation->n_messages,
           "all messages but one, at the end\n");
}

/* Bytes overwritten, chunks repeated, lost and sent by the wrong side: driver.c judges as well. */
void harness_survives_damage(const struct fixture *fixture)
{
    _cleanup_(driver_freep) struct driver *driver = driver_new(fixture->protocol, false);
    _cleanup_(freep) uint8_t *copy = malloc(DRIVER_WINDOW);
    uint64_t seed = 0;

    assert_non_null(copy);
    FOR_EACH(fixture, conversation)
        for (unsigned run = 0; run < 20 * RANDOM_RUNS; run++) {
            begin(driver, conversation);
            for (unsigned i = 0; i < conversation->n_chunks; i++) {
                struct bytes bytes = conversation->chunks[i].bytes;
                enum sender sender = conversation->chunks[i].sender;
                uint64_t dice = next_random(&seed) % 16;

                memcpy(copy, bytes.ptr, bytes.len);
                for (uint64_t n = next_random(&seed) % 4; n > 0 && bytes.len; n--)
                    copy[next_random(&seed) % bytes.len] = (uint8_t)next_random(&seed);
                if (dice == 0)
                    driver_gap(driver, sender);
                if (dice == 1)
                    driver_feed(driver, !sender, bytes_make(copy, bytes.len));
                if (dice != 2)
                    driver_feed(driver, sender, bytes_make(copy, bytes.len));
            }
            expect_resumption(driver, conversation);
        }
}
