/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of a request target in its four forms (RFC 9112, section 3.2):
 *
 *   origin     /where?q=now                       the authority is the Host header's
 *   absolute   http://user@shop:8080/where?q=now  scheme and authority are the target's
 *   authority  shop:443                           CONNECT only
 *   asterisk   *                                  no path
 *
 * Nothing is decoded; userinfo is left out everywhere.
 */
#pragma once

#include "base/bytes.h"

/* A NULL pointer is a missing part. */
struct http1_url {
    struct bytes scheme;
    struct bytes host; /* an IPv6 address without its brackets */
    struct bytes port; /* as written */
    struct bytes authority; /* host and port as written */
    struct bytes path;
    struct bytes query; /* without '?' */
};

struct http1_url url_read(bool secure, struct bytes method, struct bytes target,
                          struct bytes host_header);

/* The port number: as written, else the scheme's own; 0 where neither is known. */
uint16_t url_port(const struct http1_url *url);
