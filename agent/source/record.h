/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record file: the events that the core was given, in order, so that a run can be replayed bit
 * for bit. A format of its own, little endian, not the kernel's structs:
 *
 *   file     "FTRECORD" u32 version  u32 reserved   then events until the end
 *   event    u32 length of what follows
 *            u8 kind  u8 dir  u16 parts  u64 time_ns  u64 connection
 *            u32 tgid  u32 tid  u64 process_start_ns  u64 coroutine
 *            u64 position  u32 length  string data       (string: u32 length, bytes)
 *            [connection facts] [process facts] [host facts] [UNIX facts] [TLS facts]
 *            [attributes]
 *            as `parts` says
 *
 * A reader checks every length; a file that ends inside an event is reported and played until
 * there.
 */
#pragma once

#include "base/buffer.h"
#include "enrich/process.h"
#include "source/source.h"

#define RECORD_MAGIC BYTES_LITERAL("FTRECORD")
#define RECORD_VERSION 1u
#define RECORD_HEADER_LEN 16
#define RECORD_EVENT_MAX (1u << 20) /* bytes of one event */

/* Appends the event with its length in front. Returns 0 or -ENOBUFS. */
int record_encode(const struct event *event, struct buffer *buffer);

/* What a decoded event points to. */
struct record_facts {
    struct connection_facts connection;
    struct process_facts process;
    struct host_facts host;
};

/* One event without its length; it points into `data` and ret_facts. Returns 0 or -EBADMSG. */
int record_decode(struct bytes data, struct event *ret_event, struct record_facts *ret_facts);

struct recorder;

/* Creates the file (0600; an older recording is replaced, nothing else). Logs what failed. */
int recorder_open(const char *path, struct recorder **ret_recorder);

/* A failing write is logged once and ends the recording, not the run. */
void recorder_write(struct recorder *recorder, const struct event *event);

/* Writes what is buffered. Returns 0, or the error that ended the recording. NULL is fine. */
int recorder_close(struct recorder *recorder);
