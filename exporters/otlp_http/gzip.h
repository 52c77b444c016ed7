/* SPDX-License-Identifier: Apache-2.0 */
/* Requests as gzip (RFC 1952); a stream of zlib is made once and used for all of them. */
#pragma once

#include "base/buffer.h"

struct gzip;

int gzip_new(struct gzip **ret_gzip); /* 0 or -ENOMEM */
void gzip_free(struct gzip *gzip);    /* NULL is fine */

/* Appends `data` as one gzip stream. Returns 0 or -ENOBUFS (the buffer's cap, or no memory). */
int gzip_append(struct gzip *gzip, struct bytes data, struct buffer *buffer);
