/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A circular doubly linked list that lives inside its members: LRU orders, open requests.
 * A node that is in no list points at itself, so removing twice is harmless.
 */
#pragma once

#include <stdbool.h>

struct list {
    struct list *prev;
    struct list *next;
};

static inline void list_init(struct list *list)
{
    list->prev = list->next = list;
}

static inline bool list_empty(const struct list *list)
{
    return list->next == list;
}

static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* Behind all others; `node` must be in no list. */
static inline void list_append(struct list *list, struct list *node)
{
    node->prev = list->prev;
    node->next = list;
    list->prev->next = node;
    list->prev = node;
}

static inline void list_move_to_end(struct list *list, struct list *node)
{
    list_remove(node);
    list_append(list, node);
}
