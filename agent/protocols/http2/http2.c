/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2 as a protocol of the agent; the parts are named in http2.h. */
#include "protocols/http2/http2.h"

#define CAPTURE_HEAD 16384 /* frames of many streams share an operation: the most there is */

const struct protocol http2_protocol = {
    .name = "http2",
    .traits = {.state_size = sizeof(struct http2_state), .capture_head = CAPTURE_HEAD,
               .token = "h2c"},
    .probe = http2_probe,
    .parse = http2_parse,
    .resync = http2_resync,
    .describe = http2_describe,
};
