/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of PostgreSQL's frontend/backend protocol 3.0 as frames (PostgreSQL manual, sections
 * 55.2 and 55.7): the one place that says what such a message looks like.
 *
 *   Q  00 00 00 0d  select 1 \0          00 00 00 52  00 03 00 00  user \0 ... \0
 *   |  '---len---'  '--- body ---'       '---len---'  '-version-'  '--- body ---'
 *   type                                 a start-up packet has no type
 *
 * The length counts itself, but not the type.
 */
#pragma once

#include "protocols/protocol.h"

#define FRAME_LEN_MAX (1u << 30) /* a message has at most 1 GB */

enum frame_match {
    FRAME_NO,
    FRAME_MORE, /* all bytes fit, but more are needed */
    FRAME_FITS,
};

enum startup_code {
    STARTUP_VERSION_3 = 3 << 16, /* minor versions 0 and 2 */
    STARTUP_CANCEL = 80877102,
    STARTUP_SSL = 80877103,
    STARTUP_GSS = 80877104,
};

struct frame {
    uint8_t type;      /* 0: a start-up packet, with `code` */
    uint32_t code;
    uint64_t total;    /* bytes on the wire */
    struct bytes body; /* what is there of it, at most what was wished for */
    size_t used;       /* header and body */
    bool whole;        /* the body is all of it */
};

/*
 * The frame at the start of `data`, with at most `wish` bytes of its body; of a length that its
 * type can have. With `cut`, what is there of the body suffices.
 */
enum frame_match postgres_frame_read(enum sender sender, struct bytes data, size_t wish, bool cut,
                            struct frame *ret_frame);

/* A NUL-terminated string at the reader; NULL where it does not end. */
struct bytes frame_string(struct reader *reader);
