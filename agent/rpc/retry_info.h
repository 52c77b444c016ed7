/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When to come again: google.rpc.RetryInfo out of the trailer grpc-status-details-bin, whose bytes
 * are a google.rpc.Status (google/rpc/status.proto and error_details.proto, field numbers as
 * published).
 *
 *   Status { 3: details[] Any { 1: type_url  2: value RetryInfo { 1: Duration { 1: s  2: ns } } } }
 */
#pragma once

#include "base/bytes.h"

/* A longer wish, or one that does not fit, is answered as this. */
#define RETRY_DELAY_MAX_NS (UINT64_C(86400) * 1000000000)

/* Pure. Returns 0, -ENOENT (no RetryInfo in it) or -EBADMSG. A negative delay is 0. */
int retry_info_parse(struct bytes details, uint64_t *ret_delay_ns);
