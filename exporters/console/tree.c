/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces as trees; the contract stands in tree.h.
 *
 *   14:03:07.120 trace 4bf92f3577b34da6a3ce929d0e0e4736, 4 spans, 45.2 ms
 *   shop server GET /cart  45.2 ms
 *   ├─ shop client GET  12.1 ms (thread)
 *   │  └─ stock server GET /items  10.3 ms ERROR 500 (wire)
 *   └─ shop client GET  3.00 ms (thread)
 *
 * Neither linking nor printing recurses: a chain of spans may be as long as the trace is large.
 */
#include "exporters/console/tree.h"

#include "base/clock.h"
#include "base/macro.h"

#include <assert.h>
#include <time.h>

#define DEPTH_MAX 1000 /* how far up a circle of parents is looked for */
#define INDENT_MAX 24  /* levels that are drawn */

#define DIM "\033[2m"
#define BOLD "\033[1m"
#define RED "\033[31m"
#define PLAIN "\033[0m"

static const char *const kind_names[] = {
    [SPAN_KIND_UNSPECIFIED] = "span", [SPAN_KIND_INTERNAL] = "internal",
    [SPAN_KIND_SERVER] = "server",    [SPAN_KIND_CLIENT] = "client",
    [SPAN_KIND_PRODUCER] = "producer", [SPAN_KIND_CONSUMER] = "consumer",
};
static_assert(ELEMENTSOF(kind_names) == SPAN_KIND_CONSUMER + 1, "every kind has its word");

static int compare_ids(const void *a, const void *b)
{
    return memcmp(&(*(struct node *const *)a)->id, &(*(struct node *const *)b)->id,
                  sizeof(struct span_id));
}

/* Latest first: each is then put before its siblings. */
static int compare_starts(const void *a, const void *b)
{
    const struct node *x = *(struct node *const *)a, *y = *(struct node *const *)b;

    if (x->start_ns != y->start_ns)
        return x->start_ns < y->start_ns ? 1 : -1;
    return compare_ids(b, a);
}

static struct node *find_parent(struct node **by_id, size_t n, const struct node *child)
{
    struct node wanted = {.id = child->parent_id}, *key = &wanted, **hit;

    if (span_id_is_zero(&child->parent_id))
        return NULL;
    hit = bsearch(&key, by_id, n, sizeof(struct node *), compare_ids);
    return hit ? *hit : NULL;
}

/* Could `node` stand below `parent` without closing a circle or making a chain too long? */
static bool fits_below(const struct node *parent, const struct node *node)
{
    unsigned depth = 0;

    for (; parent && depth < DEPTH_MAX; parent = parent->parent, depth++)
        if (parent == node)
            return false;
    return depth < DEPTH_MAX;
}

static size_t find_parents(struct node **order, size_t n)
{
    size_t n_orphans = 0;

    for (size_t i = 0; i < n; i++)
        order[i]->parent = order[i]->first_child = order[i]->next_sibling = NULL;
    for (size_t i = 0; i < n; i++) {
        struct node *parent = find_parent(order, n, order[i]);

        if (parent && fits_below(parent, order[i]))
            order[i]->parent = parent;
        else
            n_orphans += !span_id_is_zero(&order[i]->parent_id);
    }
    return n_orphans;
}

size_t tree_link(struct held_trace *trace, struct node **order, struct node **ret_first)
{
    struct node *first = NULL;
    size_t n = 0, n_orphans;

    for (struct node *node = trace->nodes; node; node = node->next)
        order[n++] = node;
    qsort(order, n, sizeof(order[0]), compare_ids);
    n_orphans = find_parents(order, n);
    qsort(order, n, sizeof(order[0]), compare_starts);
    for (size_t i = 0; i < n; i++) {
        struct node **siblings = order[i]->parent ? &order[i]->parent->first_child : &first;

        order[i]->next_sibling = *siblings;
        *siblings = order[i];
    }
    *ret_first = first;
    return n_orphans;
}

static const char *style(bool color, const char *sequence)
{
    return color ? sequence : "";
}

static void print_duration(uint64_t ns, struct buffer *out)
{
    if (ns < UINT64_C(1000000))
        buffer_printf(out, "%.0f us", (double)ns / 1e3);
    else if (ns < NS_PER_S)
        buffer_printf(out, "%.*f ms", ns < 10 * NS_PER_MS ? 2 : 1, (double)ns / 1e6);
    else
        buffer_printf(out, "%.2f s", (double)ns / 1e9);
}

static uint64_t duration(uint64_t start_ns, uint64_t end_ns)
{
    return end_ns > start_ns ? end_ns - start_ns : 0;
}

/* The branches above the line, then its own: written from the inside out, so collected first. */
static void print_branches(const struct node *node, struct buffer *out)
{
    const struct node *path[INDENT_MAX];
    unsigned n = 0;

    for (; node->parent && n < INDENT_MAX; node = node->parent)
        path[n++] = node;
    while (n-- > 0)
        if (n == 0)
            buffer_printf(out, "%s", path[n]->next_sibling ? "├─ " : "└─ ");
        else
            buffer_printf(out, "%s", path[n]->next_sibling ? "│  " : "   ");
}

static void print_status(const struct node *node, bool color, struct buffer *out)
{
    if (node->status == SPAN_STATUS_ERROR)
        buffer_printf(out, " %sERROR%s%s%s", style(color, RED), node->outcome[0] ? " " : "",
                      node->outcome, style(color, PLAIN));
    else if (node->outcome[0])
        buffer_printf(out, " %s", node->outcome);
    else if (node->status == SPAN_STATUS_OK)
        buffer_printf(out, " ok");
}

static void print_node(const struct node *node, bool color, struct buffer *out)
{
    const char *kind = (unsigned)node->kind < ELEMENTSOF(kind_names) ? kind_names[node->kind]
                                                                     : kind_names[0];
    char id[2 * sizeof(node->parent_id) + 1];

    print_branches(node, out);
    buffer_printf(out, "%s %s %s%s%s  ", node->service[0] ? node->service : "-", kind,
                  style(color, BOLD), node->name, style(color, PLAIN));
    print_duration(duration(node->start_ns, node->end_ns), out);
    print_status(node, color, out);
    if (node->evidence[0])
        buffer_printf(out, " %s(%s)%s", style(color, DIM), node->evidence, style(color, PLAIN));
    if (!node->parent && !span_id_is_zero(&node->parent_id)) {
        bytes_to_hex(bytes_make(node->parent_id.bytes, sizeof(node->parent_id.bytes)), id);
        buffer_printf(out, " %s[its parent %s was not seen]%s", style(color, DIM), id,
                      style(color, PLAIN));
    }
    buffer_append(out, "\n", 1);
}

static void print_head(const struct held_trace *trace, bool color, struct buffer *out)
{
    uint64_t start_ns = UINT64_MAX, end_ns = 0;
    char id[2 * sizeof(trace->id) + 1], clock[sizeof("hh:mm:ss")];
    struct tm tm;
    time_t s;

    for (const struct node *node = trace->nodes; node; node = node->next) {
        start_ns = MIN(start_ns, node->start_ns);
        end_ns = MAX(end_ns, node->end_ns);
    }
    s = (time_t)(start_ns / NS_PER_S);
    localtime_r(&s, &tm);
    strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
    bytes_to_hex(bytes_make(trace->id.bytes, sizeof(trace->id.bytes)), id);
    buffer_printf(out, "%s%s.%03u trace %s, %zu span%s, ", style(color, DIM), clock,
                  (unsigned)(start_ns % NS_PER_S / NS_PER_MS), id, trace->n_spans,
                  trace->n_spans == 1 ? "" : "s");
    print_duration(duration(start_ns, end_ns), out);
    buffer_printf(out, "%s\n", style(color, PLAIN));
}

/* The node on the next line: the first child, else the next sibling, of itself or an ancestor. */
static const struct node *following(const struct node *node)
{
    if (node->first_child)
        return node->first_child;
    while (node && !node->next_sibling)
        node = node->parent;
    return node ? node->next_sibling : NULL;
}

void tree_print(const struct held_trace *trace, const struct node *first, size_t max_lines,
                bool color, struct buffer *out)
{
    size_t n = 0;

    print_head(trace, color, out);
    for (const struct node *node = first; node && n < max_lines; node = following(node), n++)
        print_node(node, color, out);
    if (n < trace->n_spans)
        buffer_printf(out, "... %zu more spans of this trace\n", trace->n_spans - n);
    buffer_append(out, "\n", 1);
}
