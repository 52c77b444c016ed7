/* SPDX-License-Identifier: Apache-2.0 */
/* A held trace as a tree, and the tree as text. Pure. */
#pragma once

#include "base/buffer.h"
#include "exporters/console/forest.h"

/*
 * Links the trace's spans by their parents; siblings stand in the order of their start. `order` has
 * room for trace->n_spans pointers. Returns the number of spans whose parent is named but is not
 * here: such a span stands at the top, as a root does.
 */
size_t tree_link(struct held_trace *trace, struct node **order, struct node **ret_first);

/* Appends a linked tree, a line per span, at most max_lines of them. */
void tree_print(const struct held_trace *trace, const struct node *first, size_t max_lines,
                bool color, struct buffer *out);
