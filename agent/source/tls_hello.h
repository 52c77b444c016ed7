/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a TLS handshake says before it is encrypted: the name that the client asks for (RFC 6066,
 * 3), the version that the server chooses (RFC 8446, 4.1.3 and 4.2.1; RFC 5246, 7.4.1.3) and, up to
 * TLS 1.2, the end of the server's certificate (RFC 5246, 7.4.2; RFC 5280, 4.1). From 1.3 on the
 * certificate is encrypted.
 *
 *   records of one direction -> handshake messages: ClientHello | ServerHello, Certificate
 *
 * Pure and fed piecemeal: what is not certain stays unknown.
 */
#pragma once

#include "span/event.h"

#define TLS_MESSAGES_MAX 4096 /* bytes of one direction's messages that are looked at */

struct tls_hello {
    struct tls_facts facts;
    struct socket_name server_name;
};

/* One direction. All zero at first. */
struct tls_hello_stream {
    bool done; /* nothing more is to be learnt from it */
    bool begun;
    uint64_t next; /* position of the next byte */
    uint8_t header[5];
    uint32_t header_len;
    uint32_t record_left; /* bytes of the record that are still to come */
    uint32_t len;
    uint8_t messages[TLS_MESSAGES_MAX];
};

/*
 * The bytes at `position` of the direction's cipher text, from its first byte on; a gap ends it.
 * Adds to *hello what they tell.
 */
void tls_hello_feed(struct tls_hello_stream *stream, uint64_t position, struct bytes data,
                    struct tls_hello *hello);
