/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes to messages, the one way in: scanned first (scan.h), then unpacked. For what shows spans to
 * people, outside the event path.
 */
#pragma once

#include "base/bytes.h"
#include "base/macro.h"

#include <protobuf-c/protobuf-c.h>

/*
 * The caller owns *ret_message, which points at none of the bytes given. Returns 0, -ENOMEM, or
 * -EBADMSG: not such a message, or nested deeper or with more fields than any that is made here.
 */
int message_unpack(const ProtobufCMessageDescriptor *descriptor, struct bytes data,
                   ProtobufCMessage **ret_message);

/*
 * Would message_unpack take it, and does it hold only texts and ids that may be sent on? Returns 0,
 * -EBADMSG or -EILSEQ (scan.h).
 */
int message_check(const ProtobufCMessageDescriptor *descriptor, struct bytes data);

static inline void message_free(ProtobufCMessage *message)
{
    if (message)
        protobuf_c_message_free_unpacked(message, NULL);
}

DEFINE_CLEANUP(ProtobufCMessage, message_free)
