/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.x as a protocol of the agent; the parts are named in http1.h. */
#include "protocols/http1/http1.h"

const struct protocol http1_protocol = {
    .name = "http",
    .traits = {.state_size = sizeof(struct http1_state)},
    .probe = http1_probe,
    .parse = http1_parse,
    .resync = http1_resync,
    .describe = http1_describe,
};
