/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What receivers hand to their decoders: the first byte chooses which, the rest is what was sent.
 * What is taken must be something that can be sent on: a span passes the decoder of the console and
 * becomes JSON.
 */
#include "base/macro.h"
#include "events/flow_event.h"
#include "otlp/intake.h"
#include "otlp/otlp.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *arg, const struct attribute *resource, size_t n_resource,
                   const struct span *span)
{
}

static bool take_span(void *arg, uint64_t origin_key, const struct batch_origin *origin,
                      struct bytes span)
{
    _cleanup_(buffer_done) struct buffer json = buffer_make(1 << 22);
    struct batch_group group = {*origin, &span, 1};
    struct batch batch = {.n_groups = 1, .n_spans = 1, .groups = &group};

    assert(otlp_decode_batch(&batch, ignore, NULL) == 0);
    assert(otlp_encode_json(&batch, &json) == 0);
    return true;
}

static void take_event(void *arg, const struct flow_event *event)
{
    _cleanup_(buffer_done) struct buffer encoded = buffer_make(1 << 20);
    uint8_t text[16384];
    struct arena arena = arena_over(text, sizeof(text));
    struct span span;

    flow_event_span(event, 1, 1, &arena, &span);
    assert(otlp_encode_span(&span, &encoded) == 0);
    assert(!span_id_is_zero(&span.span_id) && !trace_id_is_zero(&span.trace_id));
}

static void read_json(struct bytes sent)
{
    _cleanup_(buffer_done) struct buffer request = buffer_make(1 << 20);
    struct otlp_intake intake;
    const char *reason = NULL;

    if (otlp_from_json(sent, &request, &reason) == 0)
        otlp_read_request(buffer_bytes(&request), take_span, NULL, &intake);
    else
        assert(reason);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const fields[] = {"a", "order.total"};
    struct flow_event_rules rules = {.fields = fields, .n_fields = 2};
    const char *reason = NULL;
    struct otlp_intake intake;
    struct bytes sent = bytes_make(data + 1, size ? size - 1 : 0);

    if (size == 0)
        return 0;
    rules.lenient = data[0] & 4;
    switch (data[0] & 3) {
    case 0:
        otlp_read_request(sent, take_span, NULL, &intake);
        break;
    case 1:
        read_json(sent);
        break;
    default:
        flow_events_read(sent, data[0] & 1, &rules, take_event, NULL, &reason);
    }
    return 0;
}
