/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look at protobuf bytes before they are unpacked. protobuf-c recurses as deep as the bytes say
 * and allocates for every field that they hold: some kilobytes of nested AnyValue overflow its
 * stack. What passes the scan is bounded in both, and is well-formed: unpacking it can then fail
 * for want of memory only.
 */
#pragma once

#include "base/bytes.h"

#include <protobuf-c/protobuf-c.h>

struct scan_limits {
    unsigned depth; /* messages within messages; 1: no message inside */
    size_t fields;  /* in all of them together, unknown ones included */
    bool contents;  /* texts must be UTF-8, and ids be as long as ids are */
};

/* One field of a message as it is on the wire. */
struct scan_field {
    uint64_t tag;         /* number << 3 | wire type */
    struct bytes content; /* of a length-delimited one */
    uint64_t number;      /* of a varint */
};

/* The next field; false at the end, and where the reader has failed: it is then none. */
bool scan_next(struct reader *reader, struct scan_field *ret_field);

/*
 * Returns 0 or -EBADMSG: truncated, a wire type other than the descriptor's, a group, field number
 * 0, or beyond the limits. With `contents` -EILSEQ, too: well-formed, but for its texts or ids.
 */
int scan_message(const ProtobufCMessageDescriptor *descriptor, struct bytes data,
                 const struct scan_limits *limits);
