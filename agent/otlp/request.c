/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch to one ExportTraceServiceRequest. The spans are encoded already, so only the heads of the
 * messages around them are written; repeated bytes and repeated messages are the same on the wire.
 *
 *   ExportTraceServiceRequest            trace_service.proto
 *     1 ResourceSpans, per group         trace.proto
 *         1 Resource
 *         2 ScopeSpans
 *             1 InstrumentationScope     1 name, 2 version where it is flowtrace's
 *             2 Span, each
 *             3 schema_url               where there is one
 *         3 schema_url
 */
#include "otlp/otlp.h"

#include "otlp/wire.h"

#include <errno.h>

#define SCOPE_NAME BYTES_LITERAL("flowtrace")
#define SCOPE_VERSION BYTES_LITERAL(FLOWTRACE_VERSION)

/* Of the InstrumentationScope. */
static size_t scope_size(const struct batch_origin *origin)
{
    if (origin->scope.len)
        return origin->scope.len;
    return wire_field_size(SCOPE_NAME.len) + wire_field_size(SCOPE_VERSION.len);
}

static size_t schema_size(struct bytes schema)
{
    return schema.len ? wire_field_size(schema.len) : 0;
}

static size_t scope_spans_size(const struct batch_group *group)
{
    size_t size = wire_field_size(scope_size(&group->origin)) +
                  schema_size(group->origin.scope_schema);

    for (size_t i = 0; i < group->n_spans; i++)
        size += wire_field_size(group->spans[i].len);
    return size;
}

static size_t resource_spans_size(const struct batch_group *group)
{
    return wire_field_size(group->origin.resource.len) + wire_field_size(scope_spans_size(group)) +
           schema_size(group->origin.resource_schema);
}

static uint8_t *put_field(uint8_t *place, unsigned number, struct bytes content)
{
    place = wire_put_head(place, number, content.len);
    if (content.len > 0)
        memcpy(place, content.ptr, content.len);
    return place + content.len;
}

static uint8_t *put_schema(uint8_t *place, struct bytes schema)
{
    return schema.len ? put_field(place, 3, schema) : place;
}

static uint8_t *put_scope(uint8_t *place, const struct batch_origin *origin)
{
    if (origin->scope.len)
        return put_field(place, 1, origin->scope);
    place = wire_put_head(place, 1, scope_size(origin));
    place = put_field(place, 1, SCOPE_NAME);
    return put_field(place, 2, SCOPE_VERSION);
}

static uint8_t *put_group(uint8_t *place, const struct batch_group *group)
{
    place = wire_put_head(place, 1, resource_spans_size(group));
    place = put_field(place, 1, group->origin.resource);
    place = wire_put_head(place, 2, scope_spans_size(group));
    place = put_scope(place, &group->origin);
    for (size_t i = 0; i < group->n_spans; i++)
        place = put_field(place, 2, group->spans[i]);
    place = put_schema(place, group->origin.scope_schema);
    return put_schema(place, group->origin.resource_schema);
}

int otlp_encode_request(const struct batch *batch, struct buffer *buffer)
{
    size_t size = 0;
    uint8_t *place;

    for (size_t i = 0; i < batch->n_groups; i++)
        size += wire_field_size(resource_spans_size(&batch->groups[i]));
    place = buffer_extend(buffer, size);
    if (!place)
        return -ENOBUFS;
    for (size_t i = 0; i < batch->n_groups; i++)
        place = put_group(place, &batch->groups[i]);
    return 0;
}
