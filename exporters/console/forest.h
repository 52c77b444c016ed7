/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spans that the console holds back until their trace can be shown as one tree, in two fixed
 * pools. No output and no clock: the time comes with the call.
 *
 *   forest -> traces, the longest quiet first -> spans as they came -> after tree_link: a tree
 */
#pragma once

#include "base/list.h"
#include "base/pool.h"
#include "base/table.h"
#include "span/span.h"

#define NODE_SERVICE_MAX 48
#define NODE_NAME_MAX 120
#define NODE_EVIDENCE_MAX 16
#define NODE_OUTCOME_MAX 80

/* One span, reduced to what is shown. Texts are NUL-terminated, printable and cut to fit. */
struct node {
    struct node *next; /* of the same trace */
    struct span_id id;
    struct span_id parent_id;
    uint64_t start_ns; /* UNIX time */
    uint64_t end_ns;
    enum span_kind kind;
    enum span_status status;
    char service[NODE_SERVICE_MAX];
    char name[NODE_NAME_MAX];
    char evidence[NODE_EVIDENCE_MAX];
    char outcome[NODE_OUTCOME_MAX]; /* what is said of an error, else the result code */
    /* Set by tree_link. */
    struct node *parent; /* NULL: at the top */
    struct node *first_child;
    struct node *next_sibling;
};

struct held_trace {
    struct list by_age;
    struct table_link link;
    struct trace_id id;
    uint64_t touched_ns; /* when its last span came */
    size_t n_spans;
    bool has_root; /* a span without parent was seen */
    struct node *nodes;
};

struct forest {
    struct pool traces;
    struct pool nodes;
    struct table by_id;
    struct list by_age; /* the longest quiet first */
};

/* Returns 0 or -ENOMEM. */
int forest_init(struct forest *forest, size_t max_traces, size_t max_spans);
void forest_done(struct forest *forest);

/* Copies what is shown of the span. False: there is no room; give the oldest trace back first. */
bool forest_add(struct forest *forest, struct bytes service, const struct span *span,
                uint64_t now_ns);

/* The trace that was quiet for longest, or NULL. */
struct held_trace *forest_oldest(struct forest *forest);

/* The trace that was touched next after this one, or NULL. */
struct held_trace *forest_after(struct forest *forest, struct held_trace *trace);

/* The trace was shown, or left out: forget it. */
void forest_give(struct forest *forest, struct held_trace *trace);
