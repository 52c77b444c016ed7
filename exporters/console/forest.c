/* SPDX-License-Identifier: Apache-2.0 */
/* What the console holds; the contract stands in forest.h. */
#include "exporters/console/forest.h"

#include "base/macro.h"
#include "span/semconv.h"

#include <errno.h>

int forest_init(struct forest *forest, size_t max_traces, size_t max_spans)
{
    *forest = (struct forest){0};
    list_init(&forest->by_age);
    if (pool_init(&forest->traces, sizeof(struct held_trace), max_traces) < 0 ||
        pool_init(&forest->nodes, sizeof(struct node), max_spans) < 0 ||
        table_init(&forest->by_id, max_traces) < 0) {
        forest_done(forest);
        return -ENOMEM;
    }
    return 0;
}

void forest_done(struct forest *forest)
{
    table_done(&forest->by_id);
    pool_done(&forest->nodes);
    pool_done(&forest->traces);
}

/* Control characters would reach the terminal as commands: C0, DEL, and C1 (UTF-8: C2 8x). */
static bool is_control(struct bytes text, size_t i)
{
    uint8_t c = text.ptr[i];

    return c < 0x20 || c == 0x7f || (i > 0 && text.ptr[i - 1] == 0xc2 && c >= 0x80 && c < 0xa0);
}

/* Cuts at the start of a UTF-8 sequence. */
static void copy_text(char *out, size_t size, struct bytes text)
{
    size_t n = MIN(text.len, size - 1);

    while (n < text.len && n > 0 && (text.ptr[n] & 0xc0) == 0x80)
        n--;
    for (size_t i = 0; i < n; i++) {
        out[i] = is_control(text, i) ? '?' : (char)text.ptr[i];
        if (i > 0 && is_control(text, i) && text.ptr[i - 1] == 0xc2)
            out[i - 1] = '?';
    }
    out[n] = '\0';
}

static struct bytes text_of(const struct span *span, struct bytes key)
{
    const struct attribute *attribute = span_find(span, key);

    return attribute && attribute->type == ATTRIBUTE_TEXT ? attribute->text : BYTES_NULL;
}

static void node_set(struct node *node, struct bytes service, const struct span *span)
{
    struct bytes error = span->status_message;

    *node = (struct node){.id = span->span_id,
                          .parent_id = span->parent_span_id,
                          .start_ns = span->start_ns,
                          .end_ns = span->end_ns,
                          .kind = span->kind,
                          .status = span->status};
    if (error.len == 0)
        error = text_of(span, SEMCONV_ERROR_TYPE);
    copy_text(node->service, sizeof(node->service), service);
    copy_text(node->name, sizeof(node->name), span->name);
    copy_text(node->evidence, sizeof(node->evidence), text_of(span, FLOWTRACE_PARENT_EVIDENCE));
    copy_text(node->error, sizeof(node->error), error);
}

static uint64_t key_of(const struct trace_id *id)
{
    uint64_t key;

    memcpy(&key, id->bytes + sizeof(id->bytes) - sizeof(key), sizeof(key));
    return key;
}

static struct held_trace *find_trace(struct forest *forest, const struct trace_id *id)
{
    struct table_link *link = table_find(&forest->by_id, key_of(id));

    for (; link; link = table_next(link)) {
        struct held_trace *trace = container_of(link, struct held_trace, link);

        if (memcmp(&trace->id, id, sizeof(*id)) == 0)
            return trace;
    }
    return NULL;
}

static struct held_trace *new_trace(struct forest *forest, const struct trace_id *id)
{
    struct held_trace *trace = pool_take(&forest->traces);

    if (!trace)
        return NULL;
    *trace = (struct held_trace){.id = *id};
    list_init(&trace->by_age);
    table_insert(&forest->by_id, key_of(id), &trace->link);
    return trace;
}

bool forest_add(struct forest *forest, struct bytes service, const struct span *span,
                uint64_t now_ns)
{
    struct held_trace *trace;
    struct node *node = pool_take(&forest->nodes);

    if (!node)
        return false;
    trace = find_trace(forest, &span->trace_id) ?: new_trace(forest, &span->trace_id);
    if (!trace) {
        pool_give(&forest->nodes, node);
        return false;
    }
    node_set(node, service, span);
    node->next = trace->nodes;
    trace->nodes = node;
    trace->n_spans++;
    trace->has_root |= span_id_is_zero(&span->parent_span_id);
    trace->touched_ns = now_ns;
    list_move_to_end(&forest->by_age, &trace->by_age);
    return true;
}

static struct held_trace *trace_at(struct forest *forest, struct list *place)
{
    return place == &forest->by_age ? NULL : container_of(place, struct held_trace, by_age);
}

struct held_trace *forest_oldest(struct forest *forest)
{
    return trace_at(forest, forest->by_age.next);
}

struct held_trace *forest_after(struct forest *forest, struct held_trace *trace)
{
    return trace_at(forest, trace->by_age.next);
}

void forest_give(struct forest *forest, struct held_trace *trace)
{
    while (trace->nodes) {
        struct node *node = trace->nodes;

        trace->nodes = node->next;
        pool_give(&forest->nodes, node);
    }
    list_remove(&trace->by_age);
    table_remove(&forest->by_id, &trace->link);
    pool_give(&forest->traces, trace);
}
