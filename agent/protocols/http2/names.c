/* SPDX-License-Identifier: Apache-2.0 */
/* Names of header fields -> numbers; the contract stands in names.h. */
#include "protocols/http2/names.h"

#include "base/macro.h"

struct name_row {
    struct bytes name;
    uint8_t id;
};

#define ROW(text, field) {{(const uint8_t *)(text), sizeof(text) - 1}, field}

static const struct name_row rows[] = {
    ROW("host", HTTP1_FIELD_HOST),
    ROW(":path", HTTP1_FIELD_TARGET),
    ROW(":method", HTTP1_FIELD_METHOD),
    ROW(":scheme", HTTP1_FIELD_SCHEME),
    ROW(":status", HTTP2_NAME_STATUS),
    ROW(":authority", HTTP1_FIELD_HOST),
    ROW("user-agent", HTTP1_FIELD_USER_AGENT),
    ROW("grpc-status", GRPC_FIELD_STATUS),
    ROW("content-type", GRPC_FIELD_CONTENT_TYPE),
    ROW("grpc-timeout", GRPC_FIELD_TIMEOUT),
    ROW("content-length", HTTP1_FIELD_BODY_SIZE),
};

uint8_t http2_name_of(struct bytes name)
{
    enum context_name context;

    for (size_t i = 0; i < ELEMENTSOF(rows); i++)
        if (rows[i].name.len == name.len && bytes_equal(rows[i].name, name))
            return rows[i].id;
    context = context_name_of(name);
    return context == CONTEXT_NONE ? HTTP2_NAME_OTHER : (uint8_t)context;
}
