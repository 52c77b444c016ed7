/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finished exchanges wait until nothing more will be learnt of them:
 *
 *   linger -> [lingering: for the other end, exchange.grace] -> finish_exchange
 *                '-> [undescribed: for the process, a second at most] -'
 */
#include "pipeline/internal.h"

/* Its process is known; of a server's, the other end's too: is that one wanted? */
static bool is_described(struct pipeline *pipeline, const struct exchange *exchange)
{
    struct processes *processes = &pipeline->processes;
    const struct exchange *other = other_end(exchange);

    if (exchange->passive)
        return true;
    if (exchange->cause.kind == SPAN_KIND_SERVER && other &&
        !processes_get(processes, &other->exec, NULL)->described)
        return false;
    return processes_get(processes, &exchange->exec, NULL)->described;
}

/*
 * Nothing more will be learnt of it: its process is known, and its other end, where it matters. A
 * response proves that the server's end was seen before; what gets none has to wait for it.
 */
static bool is_ready(struct pipeline *pipeline, const struct exchange *exchange)
{
    const struct cause *cause = &exchange->cause;
    const struct span_id *known =
        cause->carried ? &cause->linked_span_id : &cause->parent_span_id;
    bool ends_met = other_end(exchange) ||
                    (cause->kind == SPAN_KIND_CLIENT ? exchange->has_response
                                                     : !span_id_is_zero(known));

    return exchange->passive || (ends_met && is_described(pipeline, exchange));
}

static struct exchange *first_of(const struct list *list)
{
    return list_empty(list) ? NULL : container_of(list->next, struct exchange, open);
}

static void finish_undescribed(struct pipeline *pipeline)
{
    pipeline->n_undescribed--;
    finish_exchange(pipeline, first_of(&pipeline->undescribed));
}

/* They shall not take the places of those to come; and each may keep two processes in the tables. */
static void await_process(struct pipeline *pipeline, struct exchange *exchange)
{
    const struct settings *settings = pipeline->options.settings;

    if (pipeline->n_undescribed >= MIN(settings->max_exchanges / 4, settings->max_processes / 8))
        finish_undescribed(pipeline);
    pipeline->n_undescribed++;
    exchange->waits_since_ns = 0;
    list_move_to_end(&pipeline->undescribed, &exchange->open);
}

/* For their other end exchanges wait for the grace, for their process longer. */
static void end_lingering(struct pipeline *pipeline)
{
    uint64_t grace_ns = pipeline->options.settings->grace;
    struct exchange *exchange;

    while ((exchange = first_of(&pipeline->lingering))) {
        if (exchange->finished_ns + grace_ns > pipeline->now_ns && !is_ready(pipeline, exchange))
            return;
        if (is_described(pipeline, exchange))
            finish_exchange(pipeline, exchange);
        else
            await_process(pipeline, exchange);
    }
}

void linger_advance(struct pipeline *pipeline)
{
    struct exchange *exchange;

    end_lingering(pipeline);
    while ((exchange = first_of(&pipeline->undescribed)) && is_described(pipeline, exchange))
        finish_undescribed(pipeline);
}

/*
 * How long an exchange has waited for its process is counted from the first tick that finds it
 * waiting: the events that a late agent catches up with tell times that have long passed.
 */
void linger_tick(struct pipeline *pipeline)
{
    struct list *list = &pipeline->undescribed;
    struct exchange *exchange;

    for (struct list *node = list->prev; node != list; node = node->prev) {
        exchange = container_of(node, struct exchange, open);
        if (exchange->waits_since_ns)
            break;
        exchange->waits_since_ns = pipeline->now_ns;
    }
    while ((exchange = first_of(list)) &&
           exchange->waits_since_ns + DESCRIBED_NS <= pipeline->now_ns)
        finish_undescribed(pipeline);
}

void linger_flush(struct pipeline *pipeline)
{
    struct exchange *exchange;

    while (pipeline->n_undescribed)
        finish_undescribed(pipeline);
    while ((exchange = first_of(&pipeline->lingering)))
        finish_exchange(pipeline, exchange);
}

void linger(struct pipeline *pipeline, struct exchange *exchange)
{
    exchange->finished_ns = pipeline->now_ns;
    list_append(&pipeline->lingering, &exchange->open);
    if (pipeline->lingering.next == &exchange->open && is_ready(pipeline, exchange))
        finish_exchange(pipeline, exchange);
}
