/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small stand-in for track/: it feeds bytes of both directions to a parser, keeps what the parser
 * wants to see again, passes over what it skips, and writes down every message.
 *
 *   feed(bytes) ---> [leftover|bytes] ---> parse ---> transcript: one line per message
 *                     '-- placed against a page that must not be read, for every single call
 *
 * Every call is checked: see driver.c for the list. A broken promise ends the program, with a line
 * that names it, so that the driver serves unit tests and the fuzzer alike.
 */
#pragma once

#include "protocols/protocol.h"

#include <stdbool.h>

#define DRIVER_WINDOW 262144
#define DRIVER_TRANSCRIPT 65536

struct driver_stream {
    uint64_t offset; /* of the window's first byte in the stream */
    uint64_t skip;   /* bytes still to be passed over */
    bool lost;       /* the next bytes are for resync, not for parse */
    bool opaque;     /* MESSAGE_LAST was seen */
    size_t len;
    uint8_t window[DRIVER_WINDOW];
};

struct driver {
    const struct protocol *protocol;
    bool on_heap;      /* inputs are exact-size heap blocks instead of lying against a guard page */
    enum delivery delivery; /* DATAGRAM: each chunk that is fed is one */
    const struct endpoint *source; /* of all datagrams, whoever sends them; or NULL */
    const struct endpoint *destination;
    bool with_offsets; /* the transcript says where each message begins and ends */
    void *state;
    struct arena scratch;
    struct driver_stream streams[2]; /* by enum sender */
    struct message request;          /* the last one, for describe; its strings are in `strings` */
    uint8_t strings[DRIVER_WINDOW];
    size_t n_messages;
    size_t transcript_len;
    char transcript[DRIVER_TRANSCRIPT];
};

/* Both allocate; driver_free(NULL) is fine. */
struct driver *driver_new(const struct protocol *protocol, bool on_heap);
void driver_free(struct driver *driver);

/* As new, with the same protocol and settings. */
void driver_reset(struct driver *driver);

/* The next bytes of a direction. */
void driver_feed(struct driver *driver, enum sender sender, struct bytes bytes);

/* Bytes of unknown number are missing: what is left over is cut, the next message is sought. */
void driver_gap(struct driver *driver, enum sender sender);

/* probe on these bytes, checked like every call. */
enum probe_result driver_probe(struct driver *driver, struct bytes bytes);

/* Calls to malloc, calloc and realloc so far (the linker wraps them). */
extern unsigned long driver_allocations;
