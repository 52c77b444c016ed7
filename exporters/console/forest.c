/* SPDX-License-Identifier: Apache-2.0 */
/* What the console holds; the contract stands in forest.h. */
#include "exporters/console/forest.h"

#include "base/macro.h"
#include "span/semconv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

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

/*
 * What would reach the terminal as a command, or turn the text around: C0, DEL, C1 (C2 80..9F), and
 * the invisible formatting of U+200B..U+200F, U+202A..U+202E and U+2060..U+206F (E2 80, E2 81).
 * Returns its length, or 0.
 */
static size_t control_at(struct bytes text, size_t i)
{
    uint8_t c = text.ptr[i], second = i + 1 < text.len ? text.ptr[i + 1] : 0;
    uint8_t third = i + 2 < text.len ? text.ptr[i + 2] : 0;

    if (c < 0x20 || c == 0x7f)
        return 1;
    if (c == 0xc2 && second >= 0x80 && second < 0xa0)
        return 2;
    if (c == 0xe2 && second == 0x80 &&
        ((third >= 0x8b && third <= 0x8f) || (third >= 0xaa && third <= 0xae)))
        return 3;
    return c == 0xe2 && second == 0x81 && third >= 0xa0 && third <= 0xaf ? 3 : 0;
}

/* Cuts at the start of a UTF-8 sequence. */
static void copy_text(char *out, size_t size, struct bytes text)
{
    size_t n = MIN(text.len, size - 1);

    while (n < text.len && n > 0 && (text.ptr[n] & 0xc0) == 0x80)
        n--;
    text.len = n;
    for (size_t i = 0; i < n;) {
        size_t control = control_at(text, i);

        memset(out + i, '?', control);
        if (control == 0)
            out[i] = (char)text.ptr[i];
        i += control ?: 1;
    }
    out[n] = '\0';
}

static struct bytes text_of(const struct span *span, struct bytes key)
{
    const struct attribute *attribute = span_find(span, key);

    return attribute && attribute->type == ATTRIBUTE_TEXT ? attribute->text : BYTES_NULL;
}

/*
 * The protocol's own result code: what the conventions call http.response.status_code and the like.
 */
static const struct attribute *find_status_code(const struct span *span)
{
    for (unsigned i = 0; i < span->n_attributes; i++)
        if (bytes_ends_with(span->attributes[i].key, BYTES_LITERAL(".status_code")))
            return &span->attributes[i];
    return NULL;
}

/* What is said of an error, best first; where all went well, the result code. */
static void set_outcome(struct node *node, const struct span *span)
{
    const struct attribute *code = find_status_code(span);
    struct bytes text = span->status_message;

    if (text.len == 0)
        text = text_of(span, SEMCONV_ERROR_TYPE);
    if (text.len == 0 && code && code->type == ATTRIBUTE_TEXT)
        text = code->text;
    if (text.len == 0 && code && code->type == ATTRIBUTE_INTEGER)
        snprintf(node->outcome, sizeof(node->outcome), "%" PRId64, code->integer);
    else
        copy_text(node->outcome, sizeof(node->outcome), text);
}

static void node_set(struct node *node, struct bytes service, const struct span *span)
{
    *node = (struct node){.id = span->span_id,
                          .parent_id = span->parent_span_id,
                          .start_ns = span->start_ns,
                          .end_ns = span->end_ns,
                          .kind = span->kind,
                          .status = span->status};
    copy_text(node->service, sizeof(node->service), service);
    copy_text(node->name, sizeof(node->name), span->name);
    copy_text(node->evidence, sizeof(node->evidence), text_of(span, FLOWTRACE_PARENT_EVIDENCE));
    set_outcome(node, span);
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
