/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that come compressed, inflated with a bound. gRPC itself inflates before it looks at its
 * message limit: 400 KB would grow to hundreds of megabytes.
 */
#pragma once

#include "base/buffer.h"

/*
 * Appends what `gzip`, one whole gzip stream (RFC 1952), inflates to, at most the buffer's cap.
 * Returns 0, -EBADMSG (not such a stream), -ENOBUFS (the cap, or no memory).
 */
int gunzip(struct bytes gzip, struct buffer *buffer);
