/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first line of a RESP value (RESP2 and RESP3, redis.io "Redis serialization protocol"): the
 * one place that says what such a line looks like, for probe, parse and resync.
 *
 *   $5 CR LF hello CR LF      a length: the payload and CR LF follow     $ = !
 *   *2 CR LF ...              a count: so many values follow             * ~ > (% and |: pairs)
 *   +OK CR LF                 the value itself                           + - : _ # , (
 *
 * Strict: digits without leading zeros, no controls in texts, CR LF and nothing else. Streamed
 * values ("$?"), which no server sends, do not fit.
 */
#pragma once

#include "base/bytes.h"

#define RESP_LINE_MAX 4096          /* bytes of a line; an error's text is the longest */
#define RESP_LENGTH_MAX (1u << 30)  /* bytes of a payload: Redis allows 512 MB */
#define RESP_COUNT_MAX (1u << 30)   /* values of an aggregate; twice that fits 32 bits */

enum resp_match {
    RESP_NO,
    RESP_MORE, /* all bytes fit, but the line does not end here */
    RESP_FITS,
};

enum resp_class { RESP_SCALAR, RESP_PAYLOAD, RESP_AGGREGATE };

struct resp_line {
    uint8_t type; /* the first byte */
    enum resp_class class;
    bool null;         /* "$-1", "*-1" */
    uint32_t value;    /* payload: its bytes; aggregate: its values, of pairs two each */
    struct bytes text; /* what stands between the type and CR LF */
    size_t len;        /* of the line, with CR LF */
};

/* With RESP_MORE only `type` and `text`, which may be cut, are set. */
enum resp_match resp_line_match(struct bytes data, struct resp_line *ret_line);
