/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a span takes over of the contexts that its request carried, beside the parent: the
 * tracestate of a traceparent, and those members of the baggage that the settings name. Baggage may
 * hold secrets: by default nothing of it leaves the agent.
 */
#include "pipeline/internal.h"

#define BAGGAGE_PREFIX BYTES_LITERAL("baggage.")

/* All values that came under the name, in order, joined by commas; empty where there is none. */
static struct bytes join_values(const struct exchange *exchange, enum context_name name,
                                struct arena *arena)
{
    const struct message_copy *request = &exchange->request;
    struct bytes joined = BYTES_NULL;

    for (unsigned i = 0; i < request->n_fields; i++) {
        struct bytes value = request->fields[i].value;

        if (request->fields[i].id != name || value.len == 0)
            continue;
        joined = joined.len ? arena_printf(arena, "%.*s,%.*s", BYTES_PRINTF(joined),
                                           BYTES_PRINTF(value))
                            : value;
    }
    return joined;
}

static void add_trace_state(struct pipeline *pipeline, const struct exchange *exchange,
                            struct span *span)
{
    struct bytes state;

    if (!exchange->cause.carried || exchange->cause.context.name != CONTEXT_TRACEPARENT)
        return;
    state = bytes_trim(join_values(exchange, CONTEXT_TRACESTATE, span->arena));
    if (tracestate_is_valid(state))
        span->trace_state = state;
    else if (state.len)
        counters_add(pipeline->counters, COUNTER_tracestates_invalid, 1);
}

static bool is_wanted(const struct settings *settings, struct bytes key)
{
    for (size_t i = 0; i < settings->baggage_keys.n; i++)
        if (bytes_equal(key, bytes_from_string(settings->baggage_keys.items[i])))
            return true;
    return false;
}

static void add_baggage(struct pipeline *pipeline, const struct exchange *exchange,
                        struct span *span)
{
    struct bytes key, value, list;

    if (pipeline->options.settings->baggage_keys.n == 0)
        return;
    list = join_values(exchange, CONTEXT_BAGGAGE, span->arena);
    while (baggage_next(&list, &key, &value)) {
        struct bytes name;

        if (!is_wanted(pipeline->options.settings, key))
            continue;
        name = arena_printf(span->arena, "%.*s%.*s", BYTES_PRINTF(BAGGAGE_PREFIX),
                            BYTES_PRINTF(key));
        if (name.len == BAGGAGE_PREFIX.len + key.len)
            span_add_text(span, name, value);
    }
}

void add_carried(struct pipeline *pipeline, const struct exchange *exchange, struct span *span)
{
    add_trace_state(pipeline, exchange, span);
    add_baggage(pipeline, exchange, span);
}
