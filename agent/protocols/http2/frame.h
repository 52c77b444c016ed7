/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames (RFC 9113, section 4.1): nine bytes in front of each, and what they must be like.
 *
 *   [length:24][type:8][flags:8][reserved:1 stream:31] [length bytes]
 */
#pragma once

#include "base/bytes.h"

#define FRAME_HEADER_LEN 9
#define FRAME_DEFAULT_MAX 16384 /* SETTINGS_MAX_FRAME_SIZE at first, and hardly ever more */

enum frame_type {
    FRAME_DATA,
    FRAME_HEADERS,
    FRAME_PRIORITY,
    FRAME_RST_STREAM,
    FRAME_SETTINGS,
    FRAME_PUSH_PROMISE,
    FRAME_PING,
    FRAME_GOAWAY,
    FRAME_WINDOW_UPDATE,
    FRAME_CONTINUATION,
    FRAME_TYPES, /* whatever else comes is an extension */
};

enum frame_flags {
    FRAME_ACK = 0x1, /* SETTINGS, PING */
    FRAME_END_STREAM = 0x1,
    FRAME_END_HEADERS = 0x4,
    FRAME_PADDED = 0x8,
    FRAME_HAS_PRIORITY = 0x20,
};

struct frame {
    uint32_t length; /* without the header */
    uint8_t type;
    uint8_t flags;
    uint32_t stream;
    bool reserved; /* the bit that must be ignored, and is never set */
};

/* False where there are fewer than nine bytes. */
bool frame_read(struct bytes data, struct frame *ret_frame);

/* A known type may be of this length and on such a stream; extensions may be anything. */
bool frame_is_valid(const struct frame *frame);

/* ... and it is as implementations write it: what garbage hardly ever looks like. */
bool frame_is_plausible(const struct frame *frame);

/* Might the first bytes of a plausible frame, fewer than nine, look like this? */
bool frame_may_begin(struct bytes data);

/*
 * The part of the payload of DATA, HEADERS or PUSH_PROMISE between what stands in front of it
 * (padding's length, priority, promised stream) and the padding. False where it has no place.
 */
bool frame_content(const struct frame *frame, struct bytes payload, struct bytes *ret_content);
