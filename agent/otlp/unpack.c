/* SPDX-License-Identifier: Apache-2.0 */
/* Scan, then unpack; the contract stands in unpack.h. */
#include "otlp/unpack.h"

#include "otlp/scan.h"

#include <errno.h>

/* A span needs a depth of 3; the rest is for lists within lists. */
#define LIMITS .depth = 16, .fields = 65536

int message_check(const ProtobufCMessageDescriptor *descriptor, struct bytes data)
{
    static const struct scan_limits limits = {LIMITS, .contents = true};

    return scan_message(descriptor, data, &limits);
}

int message_unpack(const ProtobufCMessageDescriptor *descriptor, struct bytes data,
                   ProtobufCMessage **ret_message)
{
    static const struct scan_limits limits = {LIMITS};
    int r = scan_message(descriptor, data, &limits);
    ProtobufCMessage *message;

    if (r < 0)
        return r;
    message = protobuf_c_message_unpack(descriptor, NULL, data.len, data.ptr);
    if (!message)
        return -ENOMEM;
    *ret_message = message;
    return 0;
}
