/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header fields that are of interest: the list of what may ever be kept. A field of any other
 * name, a cookie or an authorization, is passed over and its value stored nowhere.
 *
 * A name is the number of its field in a message: an enum context_name, a field of the older
 * version, whose meaning is the same (RFC 9110), or of gRPC, or one of these.
 */
#pragma once

#include "protocols/http/grpc.h"
#include "protocols/http1/http1.h"

enum http2_field {
    HTTP2_NAME_UNKNOWN = 0, /* defined before the connection was joined */
    HTTP2_FIELD_RESET = FIELD_PROTOCOL + 32, /* four bytes, big endian: the code of RST_STREAM */
    HTTP2_NAME_STATUS, /* :status becomes the message's code */
    HTTP2_NAME_OTHER,  /* of no interest */
};

/* Any bytes: HTTP2_NAME_OTHER is the answer to all but a few. */
uint8_t http2_name_of(struct bytes name);
