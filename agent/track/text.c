/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of text; their contract stands in text.h. */
#include "track/text.h"

#include "base/macro.h"

#include <assert.h>

struct text_block {
    struct text_block *next;
    size_t class;
    uint8_t bytes[];
};

/* Most answers fit the first, most requests the second. */
static const size_t class_sizes[] = {128, 384, TEXT_MAX};
static_assert(ELEMENTSOF(class_sizes) == TEXT_CLASSES, "each class has a size");

int texts_init(struct texts *texts, size_t max_exchanges)
{
    int r = 0;

    *texts = (struct texts){0};
    for (size_t i = 0; r == 0 && i < TEXT_CLASSES; i++)
        r = pool_init(&texts->pools[i], sizeof(struct text_block) + class_sizes[i],
                      2 * max_exchanges);
    if (r < 0)
        texts_done(texts);
    return r;
}

void texts_done(struct texts *texts)
{
    for (size_t i = 0; i < TEXT_CLASSES; i++)
        pool_done(&texts->pools[i]);
}

static size_t class_of(size_t size)
{
    size_t class = 0;

    while (class < TEXT_CLASSES - 1 && class_sizes[class] < size)
        class++;
    return class;
}

struct arena texts_take(struct texts *texts, size_t size, struct text_block **chain)
{
    size_t class = class_of(size);
    struct text_block *block = pool_take(&texts->pools[class]);

    if (!block)
        return (struct arena){0};
    block->class = class;
    block->next = *chain;
    *chain = block;
    return arena_over(block->bytes, class_sizes[class]);
}

void texts_give(struct texts *texts, struct text_block **chain)
{
    struct text_block *block;

    while ((block = *chain)) {
        *chain = block->next;
        pool_give(&texts->pools[block->class], block);
    }
}
