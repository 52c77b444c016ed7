/* SPDX-License-Identifier: Apache-2.0 */
#include "source/receiver/routes.h"

#include "base/macro.h"

const struct route routes[] = {
    {"/v1/traces", "application/x-protobuf or application/json", otlp_takes, otlp_answer,
     otlp_refuse},
    {"/events", "", events_takes, events_answer, events_refuse},
};

const size_t route_count = ELEMENTSOF(routes);

bool media_type_is(struct bytes content_type, struct bytes type)
{
    size_t end = bytes_find(content_type, ';');

    return bytes_equal_nocase(bytes_trim(bytes_slice(content_type, 0, end)), type);
}
